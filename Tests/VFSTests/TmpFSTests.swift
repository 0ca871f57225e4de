import DevFS
import HostSystem
import LinuxABI
@testable import TmpFS
import Testing
import VFS

@Suite("a tree in memory")
struct TmpFSTests {
    private let budget = MemoryBudget(limit: 8 << 20)
    private let tree: TestTree

    init() {
        let devices = DeviceRegistry()
        DevFS.register(in: devices)
        let fileSystem = TmpFS(device: 7, limit: 8 << 20, devices: devices, budget: budget, clock: noTime)
        tree = TestTree(fileSystem.makeRoot())
    }

    @Test(
        "bytes stay where they are written, in small files and in large ones", arguments: [10, 4096, 262_144, 300_000])
    func bytes(_ size: Int) throws {
        try tree.make("f")
        let file = try tree.open("f")
        let pattern = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        #expect(try file.operations.write(file, pattern.span, at: 0) == size)
        #expect(try file.operations.write(file, [1, 2, 3].span, at: Int64(size / 2)) == 3)
        let read = try [UInt8](capacity: size + 10) { output throws(Errno) in
            try file.operations.read(file, into: &output, at: 0)
        }
        var expected = pattern
        expected.replaceSubrange(size / 2..<size / 2 + 3, with: [1, 2, 3])
        #expect(read == expected)
        file.release()
    }

    @Test("a write across the border between array and memory file loses nothing")
    func border() throws {
        try tree.make("f")
        let piece = String(repeating: "9", count: 100_000)
        for index in 0..<5 { try tree.write("f", piece, at: Int64(index) * 100_000) }
        #expect(try tree.attributes("f").size == 500_000)
        #expect(try tree.attributes("f").blocks == 984)
        #expect(budget.used == 503_808)
        try tree.unlink("f")
        #expect(budget.used == 0)
    }

    @Test("many files of middling size take few memory files, and those that come later stay whole in the array")
    func middling() throws {
        let one = Array(repeating: UInt8(1), count: 70_000)
        func fill(_ count: Int) throws {
            for index in 0..<count {
                try tree.make("f\(index)")
                try tree.write("f\(index)", String(repeating: "\(index % 10)", count: 70_000))
            }
        }
        try fill(80)
        #expect(!budget.takeEarly())
        for index in 0..<80 {
            let file = try tree.open("f\(index)")
            let read = try [UInt8](capacity: 80_000) { output throws(Errno) in
                try file.operations.read(file, into: &output, at: 0)
            }
            #expect(read == one.map { $0 * (48 + UInt8(index % 10)) })
            file.release()
            try tree.unlink("f\(index)")
        }
        // Each has given back what it took.
        #expect((0..<64).allSatisfy { _ in budget.takeEarly() } && !budget.takeEarly())
    }

    @Test("mapping moves the bytes into a memory file that later writes share")
    func mapping() throws {
        try tree.make("f", "before")
        let file = try tree.open("f")
        guard case .host(let descriptor, _) = try file.operations.mapping(file) else {
            Issue.record("not a memory file")
            return
        }
        try tree.write("f", "AFTER!")
        let seen = try [UInt8](capacity: 10) { output throws(Errno) in
            _ = try Host.read(descriptor, at: 0, into: &output, limit: 10)
        }
        #expect(seen == Array("AFTER!".utf8))
        file.release()
    }

    @Test("whoever may not write a file is given a descriptor to map that cannot either", arguments: [false, true])
    func readOnlyMapping(_ writes: Bool) throws {
        try tree.make("f", "before")
        let file = try tree.open("f", writes ? .readWrite : [])
        guard case .host(let descriptor, let canWriteShared) = try file.operations.mapping(file) else {
            Issue.record("not a memory file")
            return
        }
        #expect(canWriteShared == writes)
        #expect(try Host.statusFlags(descriptor).mayWrite == writes)
        file.release()
    }

    @Test("a directory shows its size and names as a tmpfs does, oldest first")
    func directory() throws {
        for name in ["c", "a", "b"] { try tree.make(name) }
        #expect(try tree.root.inode.attributes().size == 100)
        #expect(try tree.root.inode.entries().map(\.name.bytes) == [[0x63], [0x61], [0x62]])
    }

    @Test("a hole takes nothing, punching gives memory back")
    func holes() throws {
        try tree.make("f")
        let file = try tree.open("f")
        let inode = try tree.find("f").inode
        try inode.truncate(to: 1 << 30)
        #expect(budget.used == 0)
        let piece = [UInt8](repeating: 1, count: 1 << 20)
        _ = try file.operations.write(file, piece.span, at: 1 << 29)
        #expect(budget.used == 1 << 20)
        #expect(try file.operations.seek(file, to: 0, whence: 3) == 1 << 29)
        #expect(try file.operations.seek(file, to: 1 << 29, whence: 4) == 1 << 29 + 1 << 20)
        let holes = try #require(inode as? any HolePunching)
        try holes.punch(at: 1 << 29, count: 1 << 20)
        #expect(budget.used == 0)
        #expect(try tree.attributes("f").size == 1 << 30)
        file.release()
    }

    @Test("seals forbid shrinking, growing, writing and more seals: EPERM")
    func seals() throws {
        let node = try #require(try tree.make("f", "0123456789").inode as? TmpNode)
        node.seals = 2
        #expect(throws: Errno.EPERM) { try node.truncate(to: 5) }
        try node.truncate(to: 20)
        node.seals = 4
        #expect(throws: Errno.EPERM) { try node.truncate(to: 30) }
        #expect(throws: Errno.EPERM) { try tree.write("f", "xy", at: 20) }
        // Across the end goes what fits.
        #expect(try tree.write("f", "xy", at: 19) == 1)
        #expect(try tree.attributes("f").size == 20)
        node.seals = 8
        #expect(throws: Errno.EPERM) { try tree.write("f", "x") }
    }

    @Test("device nodes open what their numbers mean, and ENXIO what nobody has")
    func devices() throws {
        func node(_ name: String, _ minor: UInt32) throws -> OpenFile {
            let number = DeviceNumber(major: 1, minor: minor).rawValue
            _ = try TreeChanges.create(
                try tree.parent(name), mode: FileMode(.characterDevice, 0o666), device: number, .kernel)
            return try tree.open(name)
        }
        let null = try node("null", 3)
        #expect(try TestTree.text(null) == "")
        #expect(try null.operations.write(null, [1, 2].span, at: nil) == 2)
        let zero = try node("zero", 5)
        #expect(try TestTree.text(zero, 3) == "\0\0\0")
        let full = try node("full", 7)
        #expect(throws: Errno.ENOSPC) { try full.operations.write(full, [1].span, at: nil) }
        let random = try node("random", 9)
        #expect(
            try [UInt8](capacity: 64) { output throws(Errno) in
                try random.operations.read(random, into: &output, at: nil)
            }.count == 64)
        #expect(throws: Errno.ENXIO) { try node("nothing", 99) }
    }

    @Test("/dev has the devices and links that programs expect")
    func devfs() throws {
        let root = TmpFS(device: 5, limit: 1 << 20, clock: noTime).makeRoot()
        try DevFS.populate(root)
        let dev = TestTree(root)
        let expected: Set = [
            "fd", "full", "mqueue", "null", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom",
            "zero",
        ]
        #expect(expected.isSubset(of: try dev.names(".")))
        #expect(try dev.find("stdin", follow: false).inode.readLink() == Array("/proc/self/fd/0".utf8))
        #expect(try dev.attributes("shm").mode == FileMode(.directory, 0o1777))
        #expect(try dev.attributes("null").representedDevice == 0x103)
    }
}

@Suite("path resolution and the memory of names")
struct PathWalkTests {
    private let tree: TestTree

    init() throws {
        tree = TestTree(TmpFS(device: 7, limit: 1 << 20, clock: noTime).makeRoot())
        try tree.makeDirectory("a")
        try tree.makeDirectory("a/b")
        try tree.make("a/b/f", "x")
        try tree.makeLink("a/up", to: "../a/b")
        try tree.makeLink("abs", to: "/a/b/f")
        try tree.makeLink("slash", to: "a/b/f/")
    }

    @Test(
        "a path leads where it should",
        arguments: [
            ("/", "/"), ("a", "/a"), ("//a///b//", "/a/b"), ("a/./b/.", "/a/b"), ("a/../../..", "/"), ("a/up", "/a/b"),
            ("a/up/f", "/a/b/f"), ("abs", "/a/b/f"), ("a/up/..", "/a"),
        ])
    func leads(_ path: String, _ place: String) throws {
        #expect(try tree.find(path).path(from: tree.root) == Array(place.utf8))
    }

    @Test("a link with a slash behind its target must lead to a directory")
    func slashInLink() {
        #expect(throws: Errno.ENOTDIR) { try tree.find("slash") }
        #expect(throws: Errno.ENOTDIR) { try tree.find("abs/") }
    }

    @Test("a name that was looked up in vain is found once it is made, and not after it is gone")
    func negative() throws {
        #expect(throws: Errno.ENOENT) { try tree.find("a/new") }
        #expect(throws: Errno.ENOENT) { try tree.find("a/new") }
        try tree.make("a/new", "n")
        #expect(try tree.text("a/new") == "n")
        try tree.unlink("a/new")
        #expect(throws: Errno.ENOENT) { try tree.find("a/new") }
    }

    @Test("a dentry knows its path after its directory has moved, and that it is deleted")
    func paths() throws {
        let file = try tree.find("a/b/f")
        try tree.makeDirectory("c")
        try tree.rename("a/b", "c/d")
        #expect(file.path(from: tree.root) == Array("/c/d/f".utf8))
        try tree.unlink("c/d/f")
        #expect(file.isDeleted)
        #expect(file.path(from: tree.root) == Array("/c/d/f".utf8))
        #expect(file.path(from: try tree.find("a")) == nil)
    }

    @Test("exchanged names change places in memory, too")
    func exchange() throws {
        try tree.make("g", "g")
        let one = try tree.find("g")
        let two = try tree.find("a/b")
        try tree.rename("g", "a/b", TreeChanges.exchange)
        #expect(try tree.find("a/b") === one)
        #expect(try tree.find("g") === two)
        #expect(try tree.text("g/f") == "x")
    }

    @Test("a mount covers a directory; dot-dot leads out of it; names inside do not cross")
    func mounts() throws {
        let point = try tree.find("a/b")
        let mount = Mount(id: 9, source: "m", type: "tmpfs")
        let inner = mount.attach(TmpFS(device: 8, limit: 1 << 20, clock: noTime).makeRoot(), at: point)
        #expect(try tree.find("a/b") === inner)
        #expect(throws: Errno.ENOENT) { try tree.find("a/b/f") }
        try tree.make("a/b/in", "i")
        #expect(try tree.find("a/b/in").path(from: tree.root) == Array("/a/b/in".utf8))
        #expect(try tree.find("a/b/..") === (try tree.find("a")))
        #expect(throws: Errno.EXDEV) { try tree.rename("a/b/in", "out") }
        #expect(throws: Errno.EBUSY) { try tree.removeDirectory("a/b") }
        #expect(throws: Errno.EBUSY) { try tree.rename("a/b", "x") }
    }

    @Test("a root below the tree's is a wall for dot-dot")
    func changedRoot() throws {
        let root = try tree.find("a")
        var walk = PathWalk(root: root, start: root, credentials: .kernel)
        #expect(try walk.resolve(Array("../../..".utf8)) === root)
        #expect(try walk.resolve(Array("/b".utf8)).path(from: tree.root) == Array("/a/b".utf8))
    }

    @Test("a user without the right to search is stopped on the way: EACCES")
    func search() throws {
        var change = AttributeChange()
        change.permissions = 0o600
        try tree.find("a").inode.setAttributes(change)
        var stranger = tree
        stranger.credentials = FileCredentials(userID: 5, groupID: 5, groups: [], capabilities: 0)
        #expect(throws: Errno.EACCES) { try stranger.find("a/b") }
        #expect(try stranger.find("a") === (try tree.find("a")))
    }
}

@Suite("record locks as a list")
struct FileLockListTests {
    private let locks = FileLocks()
    private let one = TmpFS(device: 1, limit: 0, clock: noTime)
    private let two = TmpFS(device: 2, limit: 0, clock: noTime)

    private func range(_ start: Int64, _ end: Int64, exclusive: Bool = true, _ owner: AnyObject) -> FileLocks.Range {
        FileLocks.Range(
            start: start, end: end, isExclusive: exclusive, owner: .table(ObjectIdentifier(owner)), processID: 1)
    }

    @Test("a lock replaces what its owner held there")
    func replaces() throws {
        try locks.set(range(0, 100, one))
        try locks.set(range(20, 30, exclusive: false, one))
        #expect(locks.conflict(with: range(20, 30, exclusive: false, two)) == nil)
        #expect(locks.conflict(with: range(0, 100, exclusive: false, two))?.end == 20)
        #expect(locks.conflict(with: range(30, 100, exclusive: false, two))?.start == 30)
    }

    @Test("the first lock in the way is reported, and the owner's own never is")
    func first() throws {
        try locks.set(range(50, 60, two))
        try locks.set(range(10, 20, two))
        #expect(locks.conflict(with: range(0, .max, one))?.start == 10)
        #expect(locks.conflict(with: range(0, .max, two)) == nil)
    }

    @Test("whoever waits is woken when a lock goes, and not when nothing changed")
    func wakes() throws {
        final class Counter: Waiter {
            var count = 0
            func fire(_ queue: WaitQueue, _ events: PollEvents) { count += 1 }
        }
        let counter = Counter()
        locks.released.add(counter)
        locks.clear(0, .max, of: .table(ObjectIdentifier(one)))
        #expect(counter.count == 0)
        try locks.set(range(0, 10, one))
        let before = counter.count
        locks.clear(5, 6, of: .table(ObjectIdentifier(one)))
        #expect(counter.count == before + 1)
    }
}

@Suite("the bytes of a pipe")
struct PipeBytesTests {
    private let pipe = Pipe()
    private let reader: OpenFile
    private let writer: OpenFile

    init() {
        let node = PipeNode(number: 1, userID: 0, groupID: 0, now: Timestamp())
        reader = OpenFile(PipeEnd(pipe, node: node, reads: true, writes: false), flags: [])
        writer = OpenFile(PipeEnd(pipe, node: node, reads: false, writes: true), flags: [.writeOnly])
        reader.retain()
        writer.retain()
    }

    @Test("what goes in comes out in order, however the ring turns")
    func order() throws {
        var next: UInt8 = 0
        var expected: UInt8 = 0
        for round in 1..<200 {
            let piece = (0..<(round * 37 % 5000)).map { _ -> UInt8 in
                defer { next &+= 1 }
                return next
            }
            #expect(try writer.operations.write(writer, piece.span, at: nil) == piece.count)
            var left = piece.count
            while left > 0 {
                let bytes = try [UInt8](capacity: 1111) { output throws(Errno) in
                    try reader.operations.read(reader, into: &output, at: nil)
                }
                for byte in bytes {
                    #expect(byte == expected)
                    expected &+= 1
                }
                left -= bytes.count
            }
        }
    }

    @Test("a small write is whole or not at all, a large one takes the pages that are free")
    func atomic() throws {
        let almost = [UInt8](repeating: 0, count: 65536 - 100)
        #expect(try writer.operations.write(writer, almost.span, at: nil) == almost.count)
        let small = [UInt8](repeating: 1, count: 200)
        #expect(throws: Errno.EAGAIN) { try writer.operations.write(writer, small.span, at: nil) }
        let large = [UInt8](repeating: 2, count: 5000)
        // The odd bytes do not fit behind what the last page holds, and no page is free.
        #expect(throws: Errno.EAGAIN) { try writer.operations.write(writer, large.span, at: nil) }
        _ = try TestTree.text(reader, 4095)
        #expect(throws: Errno.EAGAIN) { try writer.operations.write(writer, large.span, at: nil) }
        _ = try TestTree.text(reader, 1)
        #expect(try writer.operations.write(writer, large.span, at: nil) == 4096)
    }

    @Test("without a writer there is an end, without a reader EPIPE")
    func ends() throws {
        writer.release()
        #expect(try TestTree.text(reader) == "")
        reader.release()
        let node = PipeNode(number: 2, userID: 0, groupID: 0, now: Timestamp())
        let alone = OpenFile(PipeEnd(Pipe(), node: node, reads: false, writes: true), flags: [.writeOnly])
        #expect(throws: Errno.EPIPE) { try alone.operations.write(alone, [1].span, at: nil) }
    }
}
