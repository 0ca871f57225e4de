import DevFS
import HostFS
import HostSystem
import LinuxABI
import OverlayFS
import TmpFS
import Testing
import VFS

@Suite("the overlay in memory over a directory of the host")
struct OverlayTests {
    private let host: HostDirectory
    private let tree: TestTree
    private let budget = MemoryBudget(limit: 64 << 20)

    init() throws {
        host = try HostDirectory()
        try host.write("f", "lower")
        try host.makeDirectory("d/deep")
        try host.write("d/a", "a")
        try host.write("d/b", "b")
        try host.write("d/deep/x", "x")
        try host.link("l", to: "d/a")
        try host.hardLink("f", "h")
        tree = TestTree(
            OverlayFS.makeRoot(
                over: HostRoot(descriptor: try host.descriptor()), device: 1, limit: 64 << 20,
                devices: DeviceRegistry(),
                budget: budget, clock: noTime))
    }

    @Test("shows what the host has, through links too")
    func shows() throws {
        #expect(try tree.names(".") == ["d", "f", "h", "l"])
        #expect(try tree.text("f") == "lower")
        #expect(try tree.text("l") == "a")
        #expect(throws: Errno.ENOENT) { try tree.find("none") }
        #expect(throws: Errno.ENOTDIR) { try tree.find("f/x") }
    }

    @Test("a write stays in memory and keeps number, mode and owner")
    func writes() throws {
        let before = try tree.attributes("d/a")
        try tree.write("d/a", "UPPER")
        #expect(try tree.text("d/a") == "UPPER")
        #expect(host.read("d/a") == "a")
        let after = try tree.attributes("d/a")
        #expect(after.inode == before.inode)
        #expect(after.device == before.device)
        #expect(after.mode == before.mode)
        #expect(after.size == 5)
    }

    @Test("who had the file open before sees what is written after")
    func openBefore() throws {
        let reader = try tree.open("d/a", [])
        #expect(try TestTree.text(reader) == "a")
        try tree.write("d/a", "new")
        #expect(try TestTree.text(reader) == "new")
        reader.release()
    }

    @Test("a descriptor for both reads the host's bytes before the first write")
    func readsBeforeWriting() throws {
        let file = try tree.open("f", .readWrite)
        #expect(try TestTree.text(file) == "lower")
        _ = try file.operations.write(file, Array("L".utf8).span, at: 0)
        #expect(try TestTree.text(file) == "Lower")
        file.release()
    }

    @Test("mode, owner and times change without a byte being copied")
    func attributesOnly() throws {
        var change = AttributeChange()
        change.permissions = 0o600
        change.userID = 7
        change.modificationTime = Timestamp(seconds: 5)
        try tree.find("f").inode.setAttributes(change)
        let now = try tree.attributes("f")
        #expect(now.mode.permissions == 0o600)
        #expect(now.userID == 7)
        #expect(now.modificationTime.seconds == 5)
        #expect(budget.used == 0)
        #expect(try tree.text("f") == "lower")
    }

    @Test("emptying copies nothing; the memory comes back when the file goes")
    func budgeted() throws {
        try tree.find("d/a").inode.truncate(to: 0)
        #expect(budget.used == 0)
        try tree.write("d/a", String(repeating: "x", count: 10_000))
        #expect(budget.used == 12288)
        try tree.unlink("d/a")
        #expect(budget.used == 0)
    }

    @Test("two names of one host file stay one file, with its count of names")
    func hardLinks() throws {
        #expect(try tree.attributes("h").links == 2)
        try tree.write("f", "BOTH!")
        #expect(try tree.text("h") == "BOTH!")
        try tree.unlink("f")
        #expect(try tree.attributes("h").links == 1)
        #expect(try tree.text("h") == "BOTH!")
        #expect(host.read("f") == "lower")
    }

    @Test("what is removed stays hidden, and what is made in its place is new")
    func whiteout() throws {
        try tree.unlink("d/a")
        #expect(throws: Errno.ENOENT) { try tree.find("d/a") }
        #expect(try tree.names("d") == ["b", "deep"])
        try tree.make("d/a", "again")
        #expect(try tree.names("d") == ["a", "b", "deep"])
        #expect(try tree.text("d/a") == "again")
        #expect(host.read("d/a") == "a")
    }

    @Test("a directory that was removed and made again is empty")
    func opaque() throws {
        try tree.unlink("d/deep/x")
        try tree.removeDirectory("d/deep")
        try tree.makeDirectory("d/deep")
        #expect(try tree.names("d/deep") == [])
        #expect(host.names("d/deep") == ["x"])
    }

    @Test("a host directory that still shows names is not removed: ENOTEMPTY")
    func notEmpty() throws {
        #expect(throws: Errno.ENOTEMPTY) { try tree.removeDirectory("d") }
        #expect(try tree.names("d") == ["a", "b", "deep"])
    }

    @Test("a host directory moves with all that is in it, and leaves nothing behind")
    func moveDirectory() throws {
        try tree.rename("d", "moved")
        #expect(try tree.names("moved") == ["a", "b", "deep"])
        #expect(try tree.text("moved/deep/x") == "x")
        #expect(throws: Errno.ENOENT) { try tree.find("d") }
        try tree.makeDirectory("d")
        #expect(try tree.names("d") == [])
        try tree.rename("moved/a", "d/a")
        #expect(try tree.text("d/a") == "a")
        #expect(host.names("d") == ["a", "b", "deep"])
    }

    @Test("directories count their subdirectories as they come and go")
    func linkCounts() throws {
        let before = try tree.attributes("d").links
        try tree.makeDirectory("d/new")
        #expect(try tree.attributes("d").links == before + 1)
        try tree.rename("d/new", "new")
        try tree.rename("d/deep", "deep")
        #expect(try tree.attributes("d").links == before - 1)
    }

    @Test("what is written beyond the budget is ENOSPC, and what was there stays")
    func full() throws {
        try tree.make("big")
        let file = try tree.open("big")
        let megabyte = [UInt8](repeating: 1, count: 1 << 20)
        var written = 0
        #expect(throws: Errno.ENOSPC) {
            while written < 100 {
                _ = try file.operations.write(file, megabyte.span, at: Int64(written) << 20)
                written += 1
            }
        }
        #expect(written == 64)
        #expect(try tree.attributes("big").size == 64 << 20)
        file.release()
    }

    @Test("filling holes counts, too: a large sparse file is no way around the budget")
    func sparse() throws {
        try tree.make("sparse")
        let inode = try tree.find("sparse").inode
        try inode.truncate(to: 1 << 40)
        #expect(budget.used == 0)
        let file = try tree.open("sparse")
        let megabyte = [UInt8](repeating: 1, count: 1 << 20)
        var written = 0
        #expect(throws: Errno.ENOSPC) {
            while written < 100 {
                _ = try file.operations.write(file, megabyte.span, at: Int64(written) << 30)
                written += 1
            }
        }
        #expect(written == 64)
        try inode.truncate(to: 0)
        #expect(budget.used == 0)
        file.release()
    }

    @Test("a mapping for reading is of the host's file, one for writing of a copy")
    func mappings() throws {
        let reader = try tree.open("f", [])
        guard case .host(_, let canWrite) = try reader.operations.mapping(reader) else {
            Issue.record("not mapped from the host")
            return
        }
        #expect(!canWrite)
        let writer = try tree.open("f", .readWrite)
        guard case .host(let descriptor, let canWriteCopy) = try writer.operations.mapping(writer) else {
            Issue.record("not mapped from memory")
            return
        }
        #expect(canWriteCopy)
        _ = try Host.write(descriptor, at: 0, Array("MAPPED".utf8).span.extracting(first: 5))
        #expect(try TestTree.text(reader) == "MAPPE")
        #expect(host.read("f") == "lower")
        reader.release()
        writer.release()
    }

    @Test("the host's links cannot lead out of its directory")
    func contained() throws {
        try host.link("out", to: "/etc/passwd")
        try host.link("up", to: "../../../../etc/passwd")
        #expect(throws: Errno.ENOENT) { try tree.find("out") }
        #expect(throws: Errno.ENOENT) { try tree.find("up") }
    }

    @Test("looking at five hundred files leaves no descriptor open")
    func descriptors() throws {
        for number in 0..<500 { try host.write("d/deep/\(number)", "") }
        func openDescriptors() throws(Errno) -> Int {
            let directory = try Host.openFile("/proc/self/fd")
            defer { Host.close(directory) }
            return try Host.entries(directory).count
        }
        let before = try openDescriptors()
        for name in try tree.names("d/deep") { _ = try tree.attributes("d/deep/" + name) }
        for number in 0..<500 { _ = try tree.text("d/deep/\(number)") }
        // Other tests run beside this one.
        #expect(try openDescriptors() < before + 100)
    }
}
