import Foundation
import HostFS
import HostSystem
import LinuxABI
import OverlayFS
import TmpFS
import Testing
import VFS

/// The guest looks, the host changes something, the guest looks again: what was remembered must not show.
@Suite("the host's files change below the overlay")
struct OutsideTests {
    private let host: HostDirectory
    private let tree: TestTree
    private let outside = Outside()
    private let kept = KeptDescriptors()

    init() throws {
        host = try HostDirectory()
        try host.makeDirectory("d/deep")
        try host.write("d/f", "one")
        try host.write("d/deep/x", "x")
        try host.link("l", to: "d/f")
        let root = HostRoot(descriptor: try host.descriptor())
        tree = TestTree(
            OverlayFS.makeRoot(
                over: root, device: 1, limit: 64 << 20, devices: DeviceRegistry(), outside: outside, kept: kept,
                clock: noTime),
            outside: outside)
    }

    /// Changes the host, and lets the guest hear of it.
    private func change(_ body: () throws -> Void) throws {
        try body()
        outside.cameIn()
    }

    @Test("a file that is written anew shows its size and its bytes")
    func rewritten() throws {
        #expect(try tree.attributes("d/f").size == 3)
        #expect(try tree.text("d/f") == "one")
        try change { try host.write("d/f", "longer") }
        #expect(try tree.attributes("d/f").size == 6)
        #expect(try tree.text("d/f") == "longer")
    }

    @Test("a file that another is moved over leads to the other; who has the first open keeps it")
    func replaced() throws {
        let open = try tree.open("d/f", [])
        let before = try tree.find("d/f")
        let number = try tree.attributes("d/f").inode
        try change {
            try host.write("d/new", "two")
            try host.move("d/new", "d/f")
        }
        #expect(try tree.text("d/f") == "two")
        #expect(try tree.attributes("d/f").inode != number)
        #expect(try TestTree.text(open) == "one")
        #expect(try open.operations.inode.attributes().links == 0)
        #expect(before.isDeleted)
        open.release()
    }

    @Test("a file that was closed before it was replaced is not the one that was kept open")
    func replacedWhileKept() throws {
        #expect(try tree.text("d/f") == "one")
        #expect(kept.count == 1)
        try change {
            try host.write("d/new", "two")
            try host.move("d/new", "d/f")
        }
        #expect(try tree.text("d/f") == "two")
    }

    @Test("a name that goes is gone, and one that comes is there")
    func comesAndGoes() throws {
        _ = try tree.find("d/f")
        #expect(throws: Errno.ENOENT) { try tree.find("d/later") }
        try change {
            try host.move("d/f", "d/later")
        }
        #expect(throws: Errno.ENOENT) { try tree.find("d/f") }
        #expect(try tree.text("d/later") == "one")
        #expect(throws: Errno.ENOENT) { try tree.find("l") }
        try change { try host.move("d/later", "d/f") }
        #expect(try tree.text("l") == "one")
        #expect(try tree.names("d") == ["deep", "f"])
    }

    @Test("permissions count as they are now")
    func permissions() throws {
        var asked = tree
        asked.credentials = FileCredentials(userID: 4242, groupID: 4242, groups: [], capabilities: 0)
        try host.setMode(".", 0o755)
        #expect(try asked.find("d/deep/x").kind == .regular)
        try change { try host.setMode("d", 0o700) }
        #expect(throws: Errno.EACCES) { try asked.find("d/deep/x") }
        #expect(try asked.attributes("d").mode.permissions == 0o700)
        try change { try host.setMode("d", 0o755) }
        #expect(try asked.find("d/deep/x").kind == .regular)
    }

    @Test("a link that points elsewhere leads there")
    func link() throws {
        try host.write("d/g", "other")
        #expect(try tree.text("l") == "one")
        try change {
            try host.remove("l")
            try host.link("l", to: "d/g")
        }
        #expect(try tree.text("l") == "other")
    }

    @Test("a directory that another takes the place of shows the other's files")
    func directoryReplaced() throws {
        #expect(try tree.text("d/deep/x") == "x")
        let inside = try tree.find("d/deep")
        try change {
            try host.move("d/deep", "d/away")
            try host.makeDirectory("d/deep")
            try host.write("d/deep/y", "y")
        }
        #expect(throws: Errno.ENOENT) { try tree.find("d/deep/x") }
        #expect(try tree.text("d/deep/y") == "y")
        #expect(try tree.text("d/away/x") == "x")
        // Who stands in the first one stands in it still, wherever the host has put it.
        #expect(try tree.find("x", from: inside).kind == .regular)
        #expect(throws: Errno.ENOENT) { try tree.find("y", from: inside) }
    }

    @Test("what is opened by name in a directory that stays open is that directory's, whichever has its path now")
    func openedByName() throws {
        // Reading and looking up keep both directories open.
        #expect(try tree.names("d") == ["deep", "f"])
        #expect(try tree.names("d/deep") == ["x"])
        let inside = try tree.find("d/deep")
        try change {
            try host.move("d", "away")
            try host.makeDirectory("d/deep")
            try host.write("d/f", "two")
            try host.write("d/deep/x", "new")
        }
        #expect(try tree.text("d/f") == "two")
        #expect(try tree.text("d/deep/x") == "new")
        #expect(try tree.text("away/f") == "one")
        let old = try tree.find("x", from: inside)
        let file = OpenFile(try old.inode.open([]), flags: [], location: old)
        file.retain()
        #expect(try TestTree.text(file) == "x")
        file.release()
    }

    @Test("a name as deep as the host takes is found, and opened when nothing above it is kept")
    func deep() throws {
        let path = (0..<40).map { "n\($0)" }.joined(separator: "/")
        try host.makeDirectory(path)
        try host.write(path + "/end", "end")
        #expect(try tree.text(path + "/end") == "end")
        kept.sweep()
        kept.sweep()
        #expect(kept.count == 0)
        outside.cameIn()
        #expect(try tree.text(path + "/end") == "end")
        #expect(try tree.names(path) == ["end"])
    }

    @Test("a file becomes a directory, and a directory a link")
    func kinds() throws {
        _ = try tree.find("d/f")
        _ = try tree.find("d/deep")
        try change {
            try host.remove("d/f")
            try host.makeDirectory("d/f")
            try host.write("d/f/in", "in")
            try host.move("d/deep", "d/moved")
            try host.link("d/deep", to: "moved")
        }
        #expect(try tree.text("d/f/in") == "in")
        #expect(try tree.find("d/deep", follow: false).kind == .symbolicLink)
        #expect(try tree.text("d/deep/x") == "x")
    }

    @Test("what guests have changed stays, whatever the host does below")
    func guestsChanges() throws {
        try tree.write("d/f", "guest")
        try tree.make("d/deep/mine", "mine")
        try change {
            try host.remove("d/f")
            try FileManager.default.removeItem(atPath: host.path + "/d/deep")
        }
        #expect(try tree.text("d/f") == "guest")
        #expect(try tree.text("d/deep/mine") == "mine")
        #expect(throws: Errno.ENOENT) { try tree.find("d/deep/x") }
        #expect(try tree.names("d/deep") == ["mine"])
        // The host's directory has come again: its files show beside the guests'.
        try change {
            try host.makeDirectory("d/deep")
            try host.write("d/deep/z", "z")
        }
        #expect(try tree.names("d/deep") == ["mine", "z"])
        #expect(try tree.text("d/deep/z") == "z")
        try tree.unlink("d/deep/z")
        try change { try host.write("d/deep/z", "again") }
        #expect(throws: Errno.ENOENT) { try tree.find("d/deep/z") }
    }

    @Test("what guests have changed deep below a directory keeps its way")
    func deepChanges() throws {
        try tree.make("d/deep/mine", "mine")
        try change { try FileManager.default.removeItem(atPath: host.path + "/d") }
        #expect(try tree.text("d/deep/mine") == "mine")
        #expect(try tree.names("d") == [])
        #expect(throws: Errno.ENOENT) { try tree.find("d/f") }
    }

    @Test("the guest removes, renames and makes while the host does the same")
    func races() throws {
        _ = try tree.find("d/f")
        // Not heard of yet: the guest acts on what it remembers, and gets an answer.
        try host.remove("d/f")
        do throws(Errno) {
            try tree.unlink("d/f")
        } catch {
            #expect(error == .ENOENT)
        }
        outside.cameIn()
        #expect(throws: Errno.ENOENT) { try tree.find("d/f") }
        try tree.make("d/f", "new")
        try change { try host.write("d/f", "host's") }
        #expect(try tree.text("d/f") == "new")

        _ = try tree.find("d/deep/x")
        try host.remove("d/deep/x")
        do throws(Errno) {
            try tree.rename("d/deep/x", "d/y")
        } catch {
            #expect(error == .ENOENT)
        }
        try change { try host.remove("d/deep", isDirectory: true) }
        do throws(Errno) {
            try tree.removeDirectory("d/deep")
        } catch {
            #expect(error == .ENOENT)
        }
        #expect(throws: Errno.ENOENT) { try tree.find("d/deep/x") }
    }

    @Test("a mount point is found again, whatever the host does with what it covers")
    func mountPoint() throws {
        let point = try tree.find("d/deep")
        let file = TmpFS(device: 9, limit: 1 << 20, clock: noTime)
        _ = Mount(id: 5, source: "t", type: "tmpfs").attach(file.makeRoot(), at: point)
        try tree.make("d/deep/in", "in")
        try change { try host.move("d", "e") }
        #expect(try tree.text("d/deep/in") == "in")
        #expect(throws: Errno.ENOENT) { try tree.find("d/none") }
    }

    @Test("a file with two names is one file, and only while it has them")
    func hardLinks() throws {
        try host.hardLink("d/f", "d/h")
        outside.cameIn()
        #expect(try tree.find("d/f").inode === tree.find("d/h").inode)
        try change {
            try host.remove("d/h")
            try host.write("d/h", "another")
        }
        #expect(try tree.text("d/f") == "one")
        #expect(try tree.text("d/h") == "another")
        #expect(try tree.attributes("d/f").links == 1)
    }

    @Test("without anything coming in, a change shows after a millisecond or so")
    func time() throws {
        #expect(try tree.attributes("d/f").size == 3)
        try host.write("d/f", "longer")
        usleep(20_000)
        #expect(try tree.attributes("d/f").size == 6)
    }

    @Test("within a moment nothing is asked twice")
    func remembered() throws {
        _ = try tree.find("d/f")
        let moment = outside.moment
        let first = try tree.find("d/f")
        let second = try tree.find("d/f")
        // A slow machine may have let the moment pass.
        if outside.moment == moment { #expect(first === second) }
        outside.cameIn()
        #expect(try tree.find("d/f") === second)
    }

    @Test("few descriptors are kept, and none for long")
    func fewKept() throws {
        for index in 0..<200 { try host.write("d/n\(index)", "\(index)") }
        for index in 0..<200 { #expect(try tree.text("d/n\(index)") == "\(index)") }
        #expect(kept.count == 64)
        kept.sweep()
        kept.sweep()
        #expect(kept.count == 0)
        for index in 0..<200 { #expect(try tree.text("d/n\(index)") == "\(index)") }
    }
}

@Suite("the entries of an open directory, as getdents64 packs them")
struct DirectoryListingTests {
    private let tree: TestTree

    init() throws {
        tree = TestTree(TmpFS(device: 1, limit: 1 << 24, clock: noTime).makeRoot())
        for index in 0..<100 { try tree.make("name-\(index)") }
    }

    /// The names in some packed entries, and the positions behind them.
    private func names(_ bytes: [UInt8]) -> [(name: String, next: Int64)] {
        var all: [(String, Int64)] = []
        var index = 0
        while index < bytes.count {
            var reader = ByteReader(bytes, from: index + 8)
            let next: Int64 = reader.take()
            let length = Int(reader.take(UInt16.self))
            let name = bytes[(index + 19)..<(index + length)].prefix { $0 != 0 }
            all.append((String(decoding: name, as: UTF8.self), next))
            index += length
        }
        return all
    }

    private func read(_ file: OpenFile, _ limit: Int) throws(Errno) -> [UInt8] {
        guard let directory = file.operations as? DirectoryFile else { throw .ENOTDIR }
        return try directory.takeEntries(file, limit: limit) { 77 }
    }

    @Test("whatever the buffer's size, each entry comes once and in order", arguments: [32, 100, 333, 65536])
    func sizes(_ limit: Int) throws {
        let file = try tree.open(".", [])
        defer { file.release() }
        var all: [(name: String, next: Int64)] = []
        while true {
            let bytes = try read(file, limit)
            #expect(bytes.count <= limit)
            if bytes.isEmpty { break }
            all += names(bytes)
            #expect(all.last?.next == file.position)
        }
        #expect(all.map(\.name) == [".", ".."] + (0..<100).map { "name-\($0)" })
        #expect(all.map(\.next) == (1...102).map(Int64.init))
    }

    @Test("a position leads to its entry again, and one past the end to nothing")
    func positions() throws {
        let file = try tree.open(".", [])
        defer { file.release() }
        let all = names(try read(file, 65536))
        for position: Int64 in [50, 3, 101, 2, 1] {
            _ = try file.operations.seek(file, to: position, whence: 0)
            #expect(names(try read(file, 64)).first?.name == all[Int(position)].name)
        }
        _ = try file.operations.seek(file, to: 102, whence: 0)
        #expect(try read(file, 64).isEmpty)
        _ = try file.operations.seek(file, to: 1 << 40, whence: 0)
        #expect(try read(file, 64).isEmpty)
    }

    /// An entry as a host may pack it: with bytes of anything behind the name.
    private func packed(
        _ name: String, type: UInt8 = 8, length: UInt16? = nil, next: UInt64 = 0x1122_3344_5566_7788
    ) -> [UInt8] {
        let size = (19 + name.utf8.count + 1 + 7) & ~7
        var writer = ByteWriter(capacity: size)
        writer.put(UInt64(4711))
        writer.put(next)
        writer.put(length ?? UInt16(size))
        writer.put(type)
        var bytes = writer.bytes + Array(name.utf8) + [0]
        bytes += [UInt8](repeating: 0xaa, count: size - bytes.count)
        return bytes
    }

    @Test("what a host has packed gets positions of its own, and loses dots and what stands behind a name")
    func takenOver() {
        var listing = DirectoryListing()
        var first = packed("a") + packed(".", type: 4) + packed("seven77")
        first += packed("..", type: 4) + packed("..x", type: 10)
        for piece in [first, [], packed(".") + packed(".hidden", type: 4)] {
            let isComplete = listing.append(packed: piece.span).isComplete
            #expect(isComplete)
        }
        var wanted = DirectoryListing()
        for name in ["a", "seven77", "..x", ".hidden"] {
            let kind: FileKind = name == "..x" ? .symbolicLink : name == ".hidden" ? .directory : .regular
            wanted.append(Array(name.utf8).span, inode: 4711, kind: kind)
        }
        #expect(listing.bytes == wanted.bytes)
        #expect(listing.count == 4)
    }

    @Test("nothing comes behind the largest position that there is, whatever comes before it")
    func last() {
        let largest = UInt64(Int64.max)
        for (positions, expected) in [
            ([1, largest], true), ([largest, 1], false), ([largest - 1], false), ([.max], false),
            ([0x7fff_ffff], false), ([], false),
        ] as [([UInt64], Bool)] {
            var listing = DirectoryListing()
            let bytes = positions.flatMap { packed("name", next: $0) }
            let isLast = listing.append(packed: bytes.span).isLast
            #expect(isLast == expected)
        }
    }

    @Test(
        "a host that does not say what a name leads to, or packs nonsense, is not believed",
        arguments: [[0, 24], [14, 24], [8, 0], [8, 19], [8, 31], [8, 4096]] as [[UInt16]])
    func nonsense(_ typeAndLength: [UInt16]) {
        var listing = DirectoryListing()
        let bytes = packed("a") + packed("odd", type: UInt8(typeAndLength[0]), length: typeAndLength[1])
        let isComplete = listing.append(packed: bytes.span).isComplete
        #expect(!isComplete)
        #expect(names(listing.bytes).first?.name == "a")
    }

    @Test("a buffer too small for one entry is EINVAL")
    func tooSmall() throws {
        let file = try tree.open(".", [])
        defer { file.release() }
        #expect(throws: Errno.EINVAL) { try read(file, 23) }
        _ = try read(file, 48)
        #expect(throws: Errno.EINVAL) { try read(file, 23) }
    }
}

@Suite("the table of names below a dentry")
struct ManyNamesTests {
    @Test("thousands of names are found, forgotten and found again")
    func many() throws {
        let tree = TestTree(TmpFS(device: 1, limit: 1 << 26, clock: noTime).makeRoot())
        for index in 0..<3000 { try tree.make("n\(index)") }
        for index in stride(from: 0, to: 3000, by: 3) { try tree.unlink("n\(index)") }
        for index in stride(from: 1, to: 3000, by: 3) { try tree.rename("n\(index)", "m\(index)") }
        for index in 0..<3000 {
            switch index % 3 {
            case 0: #expect(throws: Errno.ENOENT) { try tree.find("n\(index)") }
            case 1:
                #expect(throws: Errno.ENOENT) { try tree.find("n\(index)") }
                #expect(try tree.find("m\(index)").name == FileName(Array("m\(index)".utf8)))
            default: #expect(try tree.find("n\(index)").kind == .regular)
            }
        }
        // Looking in vain is bounded.
        for index in 0..<6000 { #expect(throws: Errno.ENOENT) { try tree.find("absent\(index)") } }
        #expect(try tree.find("n2").kind == .regular)
    }
}
