import HostFS
import HostSystem
import LinuxABI
import Testing
import VFS

@Suite("a directory of the host, bound for writing")
struct HostTreeTests {
    private let host: HostDirectory
    private let tree: TestTree

    init() throws {
        host = try HostDirectory()
        try host.write("f", "host")
        try host.makeDirectory("d/e")
        tree = TestTree(try HostTree.root(descriptor: try host.descriptor()), isExclusive: false)
    }

    @Test("writes reach the host, and what the host writes is seen")
    func writes() throws {
        try tree.write("f", "guest")
        #expect(host.read("f") == "guest")
        try host.write("f", "again")
        #expect(try tree.text("f") == "again")
        try tree.find("f").inode.truncate(to: 2)
        #expect(host.read("f") == "ag")
    }

    @Test("files, directories and links are made on the host, moved and removed there")
    func names() throws {
        try tree.make("d/new", "n")
        try tree.makeDirectory("d/sub")
        try tree.makeLink("d/l", to: "new")
        #expect(host.names("d") == ["e", "l", "new", "sub"])
        #expect(try tree.text("d/l") == "n")
        try tree.rename("d/new", "moved")
        #expect(host.read("moved") == "n")
        try tree.rename("d/sub", "d/e")
        try tree.unlink("d/l")
        #expect(host.names("d") == ["e"])
        try tree.removeDirectory("d/e")
        #expect(host.names("d") == [])
    }

    @Test("a name that comes or goes on the host is seen at once")
    func outside() throws {
        #expect(throws: Errno.ENOENT) { try tree.find("later") }
        try host.write("later", "l")
        #expect(try tree.text("later") == "l")
        let path = host.path + "/later"
        try #require(path.hasPrefix("/"))
        try tree.unlink("later")
        #expect(throws: Errno.ENOENT) { try tree.find("later") }
    }

    @Test("an open file that has lost its name is opened anew, and has no name to give")
    func unlinked() throws {
        let held = try tree.open("f", .readWrite)
        defer { held.release() }
        try tree.unlink("f")
        try host.write("f", "another")
        let again = OpenFile(try held.operations.inode.open([]), flags: [])
        #expect(try TestTree.text(again) == "host")
        let directory = try tree.find("d").inode
        #expect(throws: Errno.ENOENT) { try directory.link(held.operations.inode, as: "back") }
    }

    @Test("O_TMPFILE makes a file without a name, which may get one")
    func nameless() throws {
        let directory = try tree.find("d").inode
        let new = NewInode(mode: FileMode(.regular, 0o600), userID: 0, groupID: 0)
        // Some file systems of the host have no such files.
        guard let inode = try? directory.createNameless(new) else { return }
        #expect(try inode.attributes().links == 0)
        #expect(host.names("d") == ["e"])
        let file = OpenFile(try inode.open(.readWrite), flags: .readWrite)
        _ = try file.operations.write(file, Array("late".utf8).span, at: 0)
        try directory.link(inode, as: "named")
        #expect(host.read("d/named") == "late")
    }

    @Test("extended attributes of users are the host's, those of the system are not the guest's to set")
    func extendedAttributes() throws {
        let inode = try tree.find("f").inode
        let name = Array("user.apus".utf8)
        // Some file systems of the host have none.
        guard (try? inode.setExtendedAttribute(name, to: [1, 2], flags: 1)) != nil else { return }
        #expect(try inode.extendedAttribute(name) == [1, 2])
        #expect(try inode.extendedAttributeNames().contains(name))
        #expect(throws: Errno.EEXIST) { try inode.setExtendedAttribute(name, to: [], flags: 1) }
        try inode.removeExtendedAttribute(name)
        #expect(throws: Errno.ENODATA) { try inode.extendedAttribute(name) }
        let capability = Array("security.capability".utf8)
        #expect(throws: Errno.EPERM) { try inode.setExtendedAttribute(capability, to: [], flags: 0) }
    }

    @Test("who holds a directory is where it is after a rename")
    func renamedDirectory() throws {
        let held = try tree.find("d/e")
        try tree.rename("d", "moved")
        let path = try #require(held.path(from: tree.root))
        #expect(String(decoding: path, as: UTF8.self) == "/moved/e")
        let found = try tree.find("moved/e")
        #expect(found === held)
    }

    @Test("mode, owner and times are the host's")
    func attributes() throws {
        var change = AttributeChange()
        change.permissions = 0o640
        change.accessTime = Timestamp(seconds: 5, nanoseconds: 6)
        try tree.find("f").inode.setAttributes(change)
        let after = try tree.attributes("f")
        #expect(after.mode == FileMode(.regular, 0o640))
        #expect(after.accessTime == Timestamp(seconds: 5, nanoseconds: 6))
        #expect(after.modificationTime.seconds > 1_600_000_000)
    }

    @Test("one file is one inode however it is reached")
    func identity() throws {
        try TreeChanges.link(try tree.find("f"), as: try tree.parent("h"), .kernel)
        let one = try tree.find("f").inode
        #expect(one === (try tree.find("h").inode))
        #expect(try tree.attributes("h").links == 2)
    }

    @Test("links of the host lead nowhere outside")
    func contained() throws {
        try host.link("out", to: "/etc/passwd")
        try host.link("up", to: "../../../etc/passwd")
        #expect(throws: Errno.ENOENT) { try tree.find("out") }
        #expect(throws: Errno.ENOENT) { try tree.find("up") }
        #expect(throws: Errno.ELOOP) {
            try Host.open(below: try host.descriptor(), Array("out".utf8), flags: [])
        }
        #expect(throws: Errno.EXDEV) { try Host.open(below: try host.descriptor(), Array("../x".utf8), flags: []) }
    }

    @Test("an open file whose place was taken by another is not mistaken for it")
    func replaced() throws {
        let dentry = try tree.find("f")
        try host.makeDirectory("keep")
        try tree.rename("f", "keep/f")
        try host.write("f", "impostor")
        let file = OpenFile(try dentry.inode.open([]), flags: [], location: dentry)
        file.retain()
        #expect(try TestTree.text(file) == "host")
        file.release()
    }

    @Test("devices are not made on the host: EPERM")
    func devices() throws {
        #expect(throws: Errno.EPERM) {
            try TreeChanges.create(
                try tree.parent("null"), mode: FileMode(.characterDevice, 0o666), device: 0x103, .kernel)
        }
        #expect(host.names() == ["d", "f"])
    }

    @Test("a mount below a bound directory is found again, and its removal is EBUSY")
    func mountBelow() throws {
        let point = try tree.find("d/e")
        let inner = try HostDirectory()
        try inner.write("inside", "i")
        _ = Mount(id: 2, source: "x", type: "bind", isExclusive: false).attach(
            try HostTree.root(descriptor: try inner.descriptor()), at: point)
        #expect(try tree.text("d/e/inside") == "i")
        #expect(throws: Errno.EBUSY) { try tree.removeDirectory("d/e") }
        #expect(throws: Errno.EXDEV) { try tree.rename("f", "d/e/f") }
        #expect(try tree.find("d/e/..").inode === (try tree.find("d").inode))
    }

    @Test("a single file can be bound, for reading or for both")
    func singleFile() throws {
        let place = try Host.openPath(host.path + "/f")
        let inode = try HostTree.root(
            descriptor: place, openFile: try Host.openFile(host.path + "/f", writing: true))
        let file = OpenFile(try inode.open(.readWrite), flags: .readWrite)
        file.retain()
        _ = try file.operations.write(file, Array("H".utf8).span, at: 0)
        #expect(host.read("f") == "Host")
        file.release()
        let readOnly = try HostTree.root(
            descriptor: try Host.openPath(host.path + "/f"), openFile: try Host.openFile(host.path + "/f"))
        #expect(throws: Errno.EACCES) { try readOnly.open(.readWrite) }
    }
}
