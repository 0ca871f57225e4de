import LinuxABI
import Testing
import VFS

@testable import Kernel
@testable import Syscalls

@Suite("rename(2)")
struct FilesRenameTests {
    static let failures = [
        Expectation("nothing there is ENOENT", "none", "x", 0, -.ENOENT),
        Expectation("a file over a directory is EISDIR", "f", "d", 0, -.EISDIR),
        Expectation("a directory over a file is ENOTDIR", "d", "f", 0, -.ENOTDIR),
        Expectation("over a directory that is not empty is ENOTEMPTY", "e", "d", 0, -.ENOTEMPTY),
        Expectation("a directory into itself is EINVAL", "d", "d/s/x", 0, -.EINVAL),
        Expectation("over a directory above is ENOTEMPTY", "d/s", "d", 0, -.ENOTEMPTY),
        Expectation("a file with a slash behind is ENOTDIR", "f/", "x", 0, -.ENOTDIR),
        Expectation("a file to a name with a slash behind is ENOTDIR", "f", "x/", 0, -.ENOTDIR),
        Expectation("dot is EBUSY", "d/.", "x", 0, -.EBUSY),
        Expectation("dot-dot is EBUSY", "d/..", "x", 0, -.EBUSY),
        Expectation("to the root is EBUSY", "f", "/", 0, -.EBUSY),
        Expectation("RENAME_NOREPLACE over something is EEXIST", "f", "d", 1, -.EEXIST),
        Expectation("RENAME_NOREPLACE to dot-dot is EEXIST", "f", "d/..", 1, -.EEXIST),
        Expectation("RENAME_EXCHANGE with nothing is ENOENT", "f", "none", 2, -.ENOENT),
        Expectation("RENAME_EXCHANGE with something inside is EINVAL", "d", "d/s", 2, -.EINVAL),
        Expectation("RENAME_EXCHANGE and RENAME_NOREPLACE together are EINVAL", "f", "d", 3, -.EINVAL),
        Expectation("an unknown flag is EINVAL", "f", "x", 8, -.EINVAL),
    ]

    @Test("what cannot be renamed has Linux's errno", arguments: failures)
    func fails(_ expected: Expectation) {
        let guest = TestGuest.withTree()
        guest.call(Linux.mkdir, guest.put("e"), 0o755)
        #expect(guest.rename(expected.first, expected.second, expected.flags) == expected.result)
        #expect(guest.text("f") == "0123456789")
        #expect(guest.names("d").sorted() == ["g", "s"])
    }

    @Test("a file replaces another, which lives on where it is open")
    func replaces() {
        let guest = TestGuest.withTree()
        let old = guest.open("d/g")
        #expect(guest.rename("f", "d/g") == 0)
        #expect(guest.text("d/g") == "0123456789")
        #expect(guest.read(old) == "inside")
        #expect(guest.status("f") == nil)
    }

    @Test("two names of one file stay as they are")
    func sameFile() {
        let guest = TestGuest.withTree()
        #expect(guest.call(Linux.link, guest.put("f"), guest.put("h")) == 0)
        #expect(guest.rename("f", "h") == 0)
        #expect(guest.status("f")?.links == 2)
    }

    @Test("a directory that moves takes a link count from one parent to the other")
    func linkCounts() {
        let guest = TestGuest.withTree()
        guest.call(Linux.mkdir, guest.put("e"), 0o755)
        #expect(guest.rename("d/s", "e/s") == 0)
        #expect(guest.status("d")?.links == 2)
        #expect(guest.status("e")?.links == 3)
        #expect(guest.rename("e/s", "d/g", 2) == 0)
        #expect(guest.status("d")?.links == 3)
        #expect(guest.status("e")?.links == 2)
        #expect(guest.status("d/g")?.mode == 0o40755)
    }

    @Test("a directory can replace an empty one")
    func overEmpty() {
        let guest = TestGuest.withTree()
        guest.call(Linux.mkdir, guest.put("e"), 0o755)
        #expect(guest.rename("d", "e") == 0)
        #expect(guest.names("e").sorted() == ["g", "s"])
        #expect(guest.status("d") == nil)
    }

    @Test("a link that is renamed stays a link")
    func link() {
        let guest = TestGuest.withTree()
        #expect(guest.rename("lf", "moved") == 0)
        #expect(guest.status("moved")?.mode == 0o120777)
        #expect(guest.rename("ld/", "x") == -.ENOTDIR)
    }

    @Test("a working directory follows its directory's name")
    func workingDirectory() {
        let guest = TestGuest.withTree()
        #expect(guest.call(Linux.chdir, guest.put("d/s")) == 0)
        #expect(guest.rename("/d", "/renamed") == 0)
        let room = guest.room(100)
        #expect(guest.call(Linux.getcwd, room, 100) == 11)
        #expect(guest.peek(10, at: room) == Array("/renamed/s".utf8))
    }
}

@Suite("link(2), unlink(2), mkdir(2), rmdir(2), mknod(2)")
struct FilesNameTests {
    static let unlinks = [
        Expectation("a directory is EISDIR", "d", "", 0, -.EISDIR),
        Expectation("nothing is ENOENT", "none", "", 0, -.ENOENT),
        Expectation("a file with a slash behind is ENOTDIR", "f/", "", 0, -.ENOTDIR),
        Expectation("a directory with a slash behind is EISDIR", "d/", "", 0, -.EISDIR),
        Expectation("dot is EISDIR", "d/.", "", 0, -.EISDIR),
        Expectation("an unknown flag is EINVAL", "f", "", 1, -.EINVAL),
        Expectation("AT_REMOVEDIR on a file is ENOTDIR", "f", "", 0x200, -.ENOTDIR),
        Expectation("AT_REMOVEDIR on a link is ENOTDIR", "ld", "", 0x200, -.ENOTDIR),
        Expectation("AT_REMOVEDIR on dot is EINVAL", "d/.", "", 0x200, -.EINVAL),
        Expectation("AT_REMOVEDIR on dot-dot is ENOTEMPTY", "d/s/..", "", 0x200, -.ENOTEMPTY),
        Expectation("AT_REMOVEDIR on the root is EBUSY", "/", "", 0x200, -.EBUSY),
        Expectation("AT_REMOVEDIR on what is not empty is ENOTEMPTY", "d", "", 0x200, -.ENOTEMPTY),
    ]

    @Test("what cannot be removed has Linux's errno", arguments: unlinks)
    func unlinkFails(_ expected: Expectation) {
        let guest = TestGuest.withTree()
        let result = guest.call(Linux.unlinkat, TestGuest.atCurrent, guest.put(expected.first), expected.flags)
        #expect(result == expected.result)
    }

    static let makes = [
        Expectation("over a file is EEXIST", "f", "", 0, -.EEXIST),
        Expectation("over a dangling link is EEXIST", "dangling", "", 0, -.EEXIST),
        Expectation("dot is EEXIST", ".", "", 0, -.EEXIST),
        Expectation("in nothing is ENOENT", "none/x", "", 0, -.ENOENT),
        Expectation("in a file is ENOTDIR", "f/x", "", 0, -.ENOTDIR),
        Expectation("with a slash behind is made", "new/", "", 0, 0),
        Expectation("through a link is made", "ld/new", "", 0, 0),
    ]

    @Test("mkdir(2) makes a directory or has Linux's errno", arguments: makes)
    func mkdir(_ expected: Expectation) {
        let guest = TestGuest.withTree()
        #expect(guest.call(Linux.mkdir, guest.put(expected.first), 0o755) == expected.result)
    }

    static let links = [
        Expectation("over something is EEXIST", "f", "d", 0, -.EEXIST),
        Expectation("a directory is EPERM", "d", "x", 0, -.EPERM),
        Expectation("nothing is ENOENT", "none", "x", 0, -.ENOENT),
        Expectation("a name with a slash behind is ENOENT", "f", "x/", 0, -.ENOENT),
        Expectation("a file with a slash behind is ENOTDIR", "f/", "x", 0, -.ENOTDIR),
        Expectation("to dot is EEXIST", "f", "d/.", 0, -.EEXIST),
        Expectation("a dangling link itself is linked", "dangling", "x", 0, 0),
        Expectation("what a dangling link names is ENOENT", "dangling", "x", 0x400, -.ENOENT),
        Expectation("an unknown flag is EINVAL", "f", "x", 2, -.EINVAL),
    ]

    @Test("linkat(2) gives a file another name or has Linux's errno", arguments: links)
    func link(_ expected: Expectation) {
        let guest = TestGuest.withTree()
        let result = guest.call(
            Linux.linkat, TestGuest.atCurrent, guest.put(expected.first), TestGuest.atCurrent,
            guest.put(expected.second), expected.flags)
        #expect(result == expected.result)
    }

    @Test("a file whose last name is gone lives while it is open, and cannot be named again")
    func unlinkOpen() {
        let guest = TestGuest.withTree()
        let fd = guest.open("f", 2)
        #expect(guest.call(Linux.unlink, guest.put("f")) == 0)
        #expect(guest.read(fd) == "0123456789")
        #expect(guest.call(Linux.linkat, fd, guest.put(""), TestGuest.atCurrent, guest.put("x"), 0x1000) == -.ENOENT)
        #expect(guest.open("f") == -.ENOENT)
    }

    @Test("in a directory that is gone nothing is found and nothing can be made")
    func goneDirectory() {
        let guest = TestGuest.withTree()
        #expect(guest.call(Linux.chdir, guest.put("d/s")) == 0)
        #expect(guest.call(Linux.rmdir, guest.put("../s")) == 0)
        #expect(guest.call(Linux.getcwd, guest.room(100), 100) == -.ENOENT)
        #expect(guest.open("x", TestGuest.create | 2) == -.ENOENT)
        #expect(guest.call(Linux.mkdir, guest.put("x"), 0o755) == -.ENOENT)
        #expect(guest.open(".") >= 0)
        #expect(guest.open("../g") >= 0)
        #expect(guest.call(Linux.getdents64, guest.open("."), guest.room(100), 100) == -.ENOENT)
    }

    @Test("a set-group-id directory gives its group, and the bit to directories")
    func setGroupID() {
        let guest = TestGuest.withTree()
        #expect(guest.call(Linux.chown, guest.put("d"), -1, 77) == 0)
        #expect(guest.call(Linux.chmod, guest.put("d"), 0o2775) == 0)
        guest.make("d/new")
        #expect(guest.call(Linux.mkdir, guest.put("d/sub"), 0o755) == 0)
        #expect(guest.status("d/new")?.groupID == 77)
        #expect(guest.status("d/sub")?.mode == 0o42755)
        #expect(guest.status("d/sub")?.groupID == 77)
    }

    @Test("mknod(2) makes FIFOs, sockets and files for all, devices for root, directories and links never")
    func mknod() {
        let guest = TestGuest.withTree()
        func make(_ name: String, _ mode: Int) -> Int? { guest.call(Linux.mknod, guest.put(name), mode, 0x103) }
        #expect(make("a", 0o10600) == 0)
        #expect(make("b", 0o140600) == 0)
        #expect(make("c", 0o600) == 0)
        #expect(make("e", 0o20600) == 0)
        #expect(guest.status("e")?.representedDevice == 0x103)
        #expect(make("x", 0o40755) == -.EPERM)
        #expect(make("x", 0o120777) == -.EINVAL)
        #expect(make("x", 0o170000) == -.EINVAL)
        guest.become(1000)
        #expect(make("y", 0o10600) == 0)
        #expect(make("z", 0o20600) == -.EPERM)
    }
}
