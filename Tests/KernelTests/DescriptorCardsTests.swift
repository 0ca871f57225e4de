import LinuxABI
import Stub
import TmpFS
import Testing
import VFS

@testable import Kernel
@testable import Platform

/// No guest runs here: the test writes for the stub, and for a guest that writes over what the two share.
@Suite("Descriptors on cards", .serialized)
struct DescriptorCardsTests {
    private let platform: TrapPlatform
    private let stub: StubProcess
    private let table = FileTable()
    private let root: Dentry
    private let cards: DescriptorCards
    private static let limit = 100

    /// 0 is a directory, 1 a file that may be written to, 2 a file to read, 3 the same with close-on-exec, 4 nothing.
    init() throws {
        platform = try TrapPlatform()
        stub = try StubProcess(platform: platform)
        let node = TmpFS(device: 1, limit: 1 << 20) { Timestamp() }.makeRoot(permissions: 0o777)
        root = Mount(id: 1, source: "none", type: "tmpfs").attach(node, at: nil)
        for (number, flags) in [[], OpenFlags.readWrite, [], []].enumerated() {
            let file =
                number == 0
                ? OpenFile(DirectoryFile(node), flags: [], location: root) : try Self.file(in: root, flags)
            _ = try table.replace(
                file, closeOnExec: number == 3, at: FileNumber(Int32(number)), limit: Self.limit)
        }
        cards = DescriptorCards(stub, table, limit: Self.limit)
    }

    private static func file(in root: Dentry, _ flags: OpenFlags) throws -> OpenFile {
        let new = NewInode(mode: FileMode(rawValue: 0o100600), userID: 0, groupID: 0)
        return OpenFile(try root.inode.createNameless(new).open(flags), flags: flags, location: root)
    }

    // MARK: What is shared

    private func place(_ path: PartialKeyPath<apus_cards>, _ index: Int = 0) -> Int {
        Int(APUS_CARDS_OFFSET) + (MemoryLayout<apus_cards>.offset(of: path) ?? 0) + 4 * index
    }

    private func card(_ number: Int) -> UInt32 { stub.contexts.load(at: place(\.cards, number)) }

    private func post(_ kind: Int, _ number: Int, to target: Int = 0, flag: Bool = false) {
        let count = stub.contexts.loadAcquiring(at: place(\.count))
        let word = UInt32(kind) << UInt32(APUS_POSTED_KIND_SHIFT) | UInt32(target << 8 | number) | (flag ? 1 << 16 : 0)
        stub.contexts.store(word, at: place(\.posted, Int(count % UInt32(APUS_POSTED_MOST))))
        stub.contexts.increment(at: place(\.count))
    }

    private var numbers: [Int32] { table.numbers.map(\.rawValue) }

    // MARK: Cards

    @Test("a card tells what the stub may know: nothing of files whose end somebody waits for, and of free numbers")
    func told() throws {
        defer { platform.shutDown() }
        let (used, flags, plain) = (
            UInt32(APUS_CARD_USED), UInt32(APUS_CARD_HAS_FLAGS), UInt32(APUS_CARD_IS_PLAIN)
        )
        #expect(card(0) == used | flags | plain)
        #expect(card(1) == used | flags | OpenFlags.readWrite.rawValue)
        #expect(card(2) == used | flags | plain)
        #expect(card(3) == used | flags | plain | UInt32(APUS_CARD_CLOSES_ON_EXEC))
        #expect((4..<StubProcess.cards).allSatisfy { card($0) == 0 })
        // What the kernel does for the thread is told as it is done.
        try table.setCloseOnExec(FileNumber(3), false)
        _ = try table.remove(FileNumber(2))
        _ = try table.replace(try Self.file(in: root, []), closeOnExec: false, at: FileNumber(7), limit: Self.limit)
        #expect(card(3) == used | flags | plain && card(2) == 0 && card(7) == used | flags | plain)
        let counter = EventFile(1, isSemaphore: false, node: AnonymousNode(2, label: "[eventfd]"))
        _ = try table.replace(
            OpenFile(counter, flags: []), closeOnExec: false, at: FileNumber(8), limit: Self.limit)
        #expect(card(8) == used | flags)
    }

    @Test("what the stub has posted is carried out in that order, once, and leaves its cards alone")
    func posted() throws {
        defer { platform.shutDown() }
        let file = try table.file(FileNumber(2))
        post(APUS_POSTED_COPY, 2, to: 9, flag: true)
        post(APUS_POSTED_CLOSE, 2)
        post(APUS_POSTED_FLAG, 3)
        // The stub may have come further than what is carried out now.
        stub.contexts.store(UInt32(4711), at: place(\.cards, 9))
        cards.carryOut()
        #expect(numbers == [0, 1, 3, 9])
        #expect(try table.file(FileNumber(9)) === file)
        #expect(try table.closeOnExec(FileNumber(9)) && !table.closeOnExec(FileNumber(3)))
        #expect(card(9) == 4711)
        try table.setCloseOnExec(FileNumber(9), false)
        cards.carryOut()
        #expect(try !table.closeOnExec(FileNumber(9)) && card(9) != 4711)
    }

    @Test("a guest that forges posts makes calls that it may make, or none")
    func forged() throws {
        defer { platform.shutDown() }
        // Not open, beyond the limit of descriptors, of no known kind.
        post(APUS_POSTED_CLOSE, 200)
        post(APUS_POSTED_COPY, 200, to: 5)
        post(APUS_POSTED_COPY, 2, to: Self.limit)
        post(77, 200, to: 4, flag: true)
        cards.carryOut()
        #expect(numbers == [0, 1, 2, 3])
        // More than a stub posts are none, and what comes after them counts.
        for _ in 0...APUS_POSTED_MOST { post(APUS_POSTED_CLOSE, 1) }
        cards.carryOut()
        #expect(numbers == [0, 1, 2, 3])
        post(APUS_POSTED_CLOSE, 1)
        cards.carryOut()
        #expect(numbers == [0, 2, 3])
        var state: UInt32 = 2_463_534_242
        for _ in 0..<20_000 {
            state ^= state << 13
            state ^= state >> 17
            state ^= state << 5
            stub.contexts.store(state, at: place(\.posted, Int(state % UInt32(APUS_POSTED_MOST))))
            stub.contexts.store(
                stub.contexts.loadAcquiring(at: place(\.count)) &+ state % 12, at: place(\.count))
            cards.carryOut()
            try #require(numbers.allSatisfy { $0 < Self.limit })
        }
    }

    // MARK: What holds for a while

    @Test("attributes are left of plain files only, and hold until somebody else asks")
    func newest() throws {
        defer { platform.shutDown() }
        func left(_ number: Int) throws -> Bool {
            let file = try table.file(FileNumber(Int32(number)))
            return cards.setStatus(file, number) { InlineArray(repeating: 7) }
        }
        let (status, end) = (place(\.status_number), place(\.end_number))
        #expect(try !left(1))
        #expect(stub.contexts.loadAcquiring(at: status) == 0)
        #expect(try left(2))
        #expect(cards.setEnd(try table.file(FileNumber(0)), 0))
        #expect(stub.contexts.loadAcquiring(at: status) == 3 && stub.contexts.loadAcquiring(at: end) == 1)
        cards.clearNewest()
        #expect(stub.contexts.loadAcquiring(at: status) == 0 && stub.contexts.loadAcquiring(at: end) == 0)
        cards.isRevoked = true
        #expect(try !left(2))
        #expect(try !cards.setEnd(table.file(FileNumber(0)), 0))
    }

    @Test("a stub whose cards are revoked is told so, and what it posts as the last is still carried out")
    func revoked() throws {
        defer { platform.shutDown() }
        let place = Int(APUS_ANSWERS_OFFSET) + LocalAnswer.close.rawValue * MemoryLayout<apus_local_answer>.size
        stub.setLocalAnswer(LocalAnswer.close.rawValue, UInt64(Self.limit))
        #expect(stub.contexts.loadAcquiring(at: place) == 1)
        post(APUS_POSTED_CLOSE, 2)
        cards.isRevoked = true
        #expect(stub.contexts.loadAcquiring(at: place) == 0)
        cards.carryOut()
        #expect(numbers == [0, 1, 3])
    }

    @Test("a table that has ended, or whose cards were released, hears nothing more of them")
    func released() throws {
        defer { platform.shutDown() }
        #expect(table.cards === cards)
        let copy = table.copy()
        #expect(copy.cards == nil)
        table.removeUser()
        #expect(table.cards == nil && cards.table == nil && cards.isRevoked)
        post(APUS_POSTED_CLOSE, 0)
        cards.carryOut()
        #expect(copy.numbers.count == 4)
        copy.removeUser()
    }
}
