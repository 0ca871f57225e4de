import LinuxABI
@testable import TmpFS
import Testing
import VFS

@Suite("Files that processes write by posting")
struct PostedFileTests {
    private let budget = MemoryBudget(limit: 4 << 20, longestFile: 2 << 20)
    private let tree: TestTree

    init() { tree = TestTree(TmpFS(device: 7, limit: 4 << 20, budget: budget, clock: noTime).makeRoot()) }

    private final class Writer: PostingWriter {
        var times = 0
        func withdraw() { times += 1 }
    }

    private func made(_ name: String, pages: Int = 20) throws -> (file: OpenFile, node: TmpNode) {
        try tree.make(name)
        try tree.write(name, String(repeating: "9", count: pages * 4096))
        let file = try tree.open(name)
        return (file, try #require(file.operations.inode as? TmpNode))
    }

    @Test("only what lies in a memory file, and what nobody has mapped")
    func which() throws {
        let small = try made("small", pages: 2)
        #expect(small.node.postingLimit(.max) == nil)
        let large = try made("large")
        #expect(large.node.postingLimit(.max) == 2 << 20)
        #expect(large.node.postingLimit(100_000) == 100_000)
        let writer = Writer()
        large.node.writer = writer
        _ = try large.file.operations.mapping(large.file)
        #expect(writer.times == 1)
        #expect(large.node.postingLimit(.max) == nil)
        let other = try made("other")
        other.node.writer = writer
        var change = AttributeChange()
        change.permissions = 0o4755
        try other.node.setAttributes(change)
        #expect(writer.times == 2)
        #expect(other.node.postingLimit(.max) == nil)
        for file in [small.file, large.file, other.file] { file.release() }
    }

    @Test("what was posted has its time, and its room if that was pledged")
    func room() throws {
        let (file, node) = try made("f")
        let used = budget.used
        var isShort = 0
        #expect(!budget.pledge(4 << 20) {})
        #expect(budget.pledge(1 << 20) { isShort += 1 })
        // Others get what is left, and then what is not needed any more.
        #expect(budget.take((3 << 20) - used))
        #expect(isShort == 0)
        #expect(!budget.take(4096))
        #expect(isShort == 1)
        #expect(budget.isPledgeCovered)
        let bytes = [UInt8](repeating: 7, count: 16384)
        try node.writePosted(bytes.span, at: 40 * 4096, Timestamp(seconds: 5, nanoseconds: 6))
        #expect(!budget.isPledgeCovered)
        budget.redeem(1 << 20)
        #expect(budget.isPledgeCovered)
        let attributes = try node.attributes()
        #expect(attributes.size == 44 * 4096)
        #expect(attributes.modificationTime == Timestamp(seconds: 5, nanoseconds: 6))
        #expect(attributes.changeTime == Timestamp(seconds: 5, nanoseconds: 6))
        file.release()
    }
}
