import LinuxABI
import Testing
import VFS

@testable import Kernel
@testable import Syscalls

@Suite("permissions, owners, times and attributes of files")
struct FilesPermissionTests {
    /// A tree of root's, seen by user 1000 who is in group 2000.
    private func tree() -> TestGuest {
        let guest = TestGuest.withTree(user: 0)
        guest.thread.fileSystem.umask = 0
        guest.make("secret", "s", mode: 0o600)
        guest.make("grouped", "g", mode: 0o660)
        guest.call(Linux.chown, guest.put("grouped"), 0, 2000)
        guest.make("notgrouped", "n", mode: 0o606)
        guest.call(Linux.chown, guest.put("notgrouped"), 0, 2000)
        guest.make("mine", "m", mode: 0o006)
        guest.call(Linux.chown, guest.put("mine"), 1000, 1000)
        guest.call(Linux.mkdir, guest.put("closed"), 0o700)
        guest.make("closed/x", "x", mode: 0o666)
        guest.call(Linux.mkdir, guest.put("through"), 0o711)
        guest.make("through/x", "x", mode: 0o666)
        guest.call(Linux.mkdir, guest.put("listed"), 0o744)
        guest.make("listed/x", "x", mode: 0o666)
        guest.call(Linux.mkdir, guest.put("sticky"), 0o1777)
        guest.make("sticky/roots", "r", mode: 0o666)
        guest.call(Linux.chmod, guest.put("/"), 0o755)
        guest.become(1000, groups: [2000])
        return guest
    }

    static let opens = [
        Expectation("another's private file is EACCES", "secret", "", 0, -.EACCES),
        Expectation("a group's file opens for its members", "grouped", "", 2, 0),
        Expectation("a group that may not is refused although others may", "notgrouped", "", 2, -.EACCES),
        Expectation("an owner who may not is refused although others may", "mine", "", 2, -.EACCES),
        Expectation("a readable file does not open for writing", "f", "", 2, -.EACCES),
        Expectation("a closed directory hides what is in it", "closed/x", "", 0, -.EACCES),
        Expectation("a directory without r still leads through", "through/x", "", 0, 0),
        Expectation("a directory without r is not listed", "through", "", 0, -.EACCES),
        Expectation("a directory without x is listed", "listed", "", 0, 0),
        Expectation("a directory without x leads nowhere", "listed/x", "", 0, -.EACCES),
        Expectation("nothing is made in another's directory", "d/new", "", TestGuest.create, -.EACCES),
        Expectation("O_NOATIME is for owners", "f", "", 0o1000000, -.EPERM),
    ]

    @Test("opening follows owner, group and others", arguments: opens)
    func opening(_ expected: Expectation) {
        let result = tree().open(expected.first, expected.flags)
        #expect(expected.result == 0 ? result >= 0 : result == expected.result)
    }

    @Test("names of another's directory can be neither added nor taken")
    func names() {
        let guest = tree()
        #expect(guest.call(Linux.unlink, guest.put("f")) == -.EACCES)
        #expect(guest.call(Linux.rmdir, guest.put("d/s")) == -.EACCES)
        #expect(guest.rename("f", "g") == -.EACCES)
        #expect(guest.call(Linux.mkdir, guest.put("new"), 0o755) == -.EACCES)
        #expect(guest.call(Linux.symlink, guest.put("a"), guest.put("new")) == -.EACCES)
        #expect(guest.call(Linux.link, guest.put("f"), guest.put("sticky/l")) == -.EPERM)
        #expect(guest.call(Linux.link, guest.put("grouped"), guest.put("sticky/l")) == 0)
    }

    @Test("in a sticky directory only owners remove: EPERM")
    func sticky() {
        let guest = tree()
        guest.make("sticky/own", "o")
        #expect(guest.call(Linux.unlink, guest.put("sticky/roots")) == -.EPERM)
        #expect(guest.rename("sticky/roots", "sticky/x") == -.EPERM)
        #expect(guest.rename("sticky/own", "sticky/roots") == -.EPERM)
        #expect(guest.rename("sticky/own", "sticky/moved") == 0)
        #expect(guest.call(Linux.unlink, guest.put("sticky/moved")) == 0)
    }

    @Test("access(2) asks with the real user, AT_EACCESS with the effective one")
    func access() {
        let guest = tree()
        #expect(guest.call(Linux.access, guest.put("f"), 4) == 0)
        #expect(guest.call(Linux.access, guest.put("f"), 2) == -.EACCES)
        #expect(guest.call(Linux.access, guest.put("f"), 8) == -.EINVAL)
        #expect(guest.call(Linux.access, guest.put("closed/x"), 0) == -.EACCES)
        guest.thread.credentials.effectiveUserID = 0
        guest.thread.credentials.fileSystemUserID = 0
        guest.thread.credentials.effectiveCapabilities = Credentials.allCapabilities
        #expect(guest.call(Linux.access, guest.put("secret"), 4) == -.EACCES)
        #expect(guest.call(Linux.faccessat2, TestGuest.atCurrent, guest.put("secret"), 4, 0x200) == 0)
    }

    @Test("root reads and writes everything, and executes what anybody may execute")
    func root() {
        let guest = TestGuest.withTree(user: 0)
        guest.make("none", "", mode: 0)
        #expect(guest.open("none", 2) >= 0)
        #expect(guest.call(Linux.access, guest.put("none"), 6) == 0)
        #expect(guest.call(Linux.access, guest.put("none"), 1) == -.EACCES)
        #expect(guest.call(Linux.chmod, guest.put("none"), 0o001) == 0)
        #expect(guest.call(Linux.access, guest.put("none"), 1) == 0)
    }

    @Test("owners change modes, and their group to one that they are in; nobody gives files away")
    func owners() {
        let guest = tree()
        #expect(guest.call(Linux.chmod, guest.put("f"), 0o777) == -.EPERM)
        #expect(guest.call(Linux.chmod, guest.put("mine"), 0o640) == 0)
        #expect(guest.call(Linux.chown, guest.put("mine"), -1, 2000) == 0)
        #expect(guest.call(Linux.chown, guest.put("mine"), -1, 3000) == -.EPERM)
        #expect(guest.call(Linux.chown, guest.put("mine"), 0, -1) == -.EPERM)
        #expect(guest.status("mine")?.groupID == 2000)
    }

    @Test("a change of owner takes the set-id bits away, also by root and when nothing changes")
    func setID() {
        let guest = TestGuest.withTree(user: 0)
        func mode(_ before: Int) -> UInt32? {
            guest.call(Linux.chmod, guest.put("f"), before)
            #expect(guest.call(Linux.chown, guest.put("f"), -1, -1) == 0)
            return guest.status("f")?.mode
        }
        #expect(mode(0o6711) == 0o100711)
        // Without group execution the bit does not mean a program.
        #expect(mode(0o6701) == 0o102701)
    }

    @Test("utimensat(2) knows now, omit, and who may set what")
    func times() {
        let guest = tree()
        func set(_ path: String, _ times: [Int64]?) -> Int? {
            guest.call(Linux.utimensat, TestGuest.atCurrent, guest.put(path), times.map { guest.put($0) } ?? 0, 0)
        }
        let now: Int64 = 0x3fff_ffff
        let omit: Int64 = 0x3fff_fffe
        #expect(set("mine", [5, 6, 7, 8]) == 0)
        #expect(set("mine", [1, omit, 9, 9]) == 0)
        #expect(guest.status("mine")?.accessTime == Timestamp(seconds: 5, nanoseconds: 6))
        #expect(guest.status("mine")?.modificationTime == Timestamp(seconds: 9, nanoseconds: 9))
        #expect(set("mine", [0, now, 0, omit]) == 0)
        #expect(guest.status("mine")?.accessTime == guest.clock.realTime)
        #expect(set("mine", [0, 1_000_000_000, 0, 0]) == -.EINVAL)
        #expect(set("sticky/roots", nil) == 0)
        #expect(set("sticky/roots", [0, now, 0, now]) == 0)
        #expect(set("sticky/roots", [1, 1, 1, 1]) == -.EPERM)
        #expect(set("f", nil) == -.EACCES)
        #expect(set("none", [0, omit, 0, omit]) == 0)
    }

    @Test("extended attributes are set, replaced, listed and removed, with Linux's errnos")
    func attributes() {
        let guest = TestGuest.withTree(user: 0)
        let path = guest.put("f")
        func set(_ name: String, _ value: String, _ flags: Int = 0) -> Int? {
            guest.call(Linux.setxattr, path, guest.put(name), guest.put(value), value.utf8.count, flags)
        }
        let room = guest.room(100)
        #expect(set("user.a", "hello") == 0)
        #expect(set("user.a", "x", 1) == -.EEXIST)
        #expect(set("user.b", "x", 2) == -.ENODATA)
        #expect(set("user.a", "x", 8) == -.EINVAL)
        #expect(set("bogus.a", "x") == -.EOPNOTSUPP)
        #expect(set("user.", "x") == -.EINVAL)
        #expect(set("", "x") == -.ERANGE)
        #expect(guest.call(Linux.getxattr, path, guest.put("user.a"), room, 100) == 5)
        #expect(guest.call(Linux.getxattr, path, guest.put("user.a"), room, 2) == -.ERANGE)
        #expect(guest.call(Linux.getxattr, path, guest.put("user.a"), 0, 0) == 5)
        #expect(guest.call(Linux.listxattr, path, room, 100) == 7)
        #expect(guest.call(Linux.listxattr, path, room, 3) == -.ERANGE)
        #expect(guest.call(Linux.getxattr, path, guest.put("system.posix_acl_access"), room, 100) == -.ENODATA)
        #expect(guest.call(Linux.lsetxattr, guest.put("lf"), guest.put("user.a"), room, 1, 0) == -.EPERM)
        #expect(guest.call(Linux.removexattr, path, guest.put("user.a")) == 0)
        #expect(guest.call(Linux.removexattr, path, guest.put("user.a")) == -.ENODATA)
        guest.become(1000)
        #expect(set("user.c", "x") == -.EACCES)
        #expect(set("trusted.c", "x") == -.EPERM)
    }

    @Test("a mount that is read-only refuses every change with EROFS, but not its devices and FIFOs")
    func readOnly() {
        let guest = TestGuest.withTree(user: 0)
        guest.root.mount.isReadOnly = true
        #expect(guest.open("f", 2) == -.EROFS)
        #expect(guest.open("f", TestGuest.truncate) == -.EROFS)
        #expect(guest.open("new", TestGuest.create | 2) == -.EROFS)
        #expect(guest.open("f", TestGuest.create) >= 0)
        #expect(guest.open("p", 2) >= 0)
        #expect(guest.call(Linux.unlink, guest.put("none")) == -.EROFS)
        #expect(guest.call(Linux.mkdir, guest.put("d"), 0o755) == -.EEXIST)
        #expect(guest.call(Linux.mkdir, guest.put("new"), 0o755) == -.EROFS)
        #expect(guest.rename("f", "g") == -.EROFS)
        #expect(guest.call(Linux.chmod, guest.put("f"), 0o600) == -.EROFS)
        #expect(guest.call(Linux.truncate, guest.put("f"), 0) == -.EROFS)
        #expect(guest.call(Linux.access, guest.put("f"), 2) == -.EROFS)
    }

    @Test("statx(2) tells the time of birth when asked, and where a mount begins")
    func statx() {
        let guest = TestGuest.withTree(user: 0)
        let room = guest.room(256)
        #expect(guest.call(Linux.statx, TestGuest.atCurrent, guest.put("f"), 0, 0x7ff, room) == 0)
        #expect(guest.peek(UInt32.self, at: room) == 0x17ff)
        #expect(guest.call(Linux.statx, TestGuest.atCurrent, guest.put("/"), 0, 0xfff, room) == 0)
        #expect(guest.peek(UInt32.self, at: room) == 0x1fff)
        #expect(guest.peek(UInt64.self, at: room + 8) == 0x2000)
        #expect(guest.call(Linux.statx, TestGuest.atCurrent, guest.put("f"), 0x6000, 0, room) == -.EINVAL)
        #expect(guest.call(Linux.statx, TestGuest.atCurrent, guest.put("f"), 0, 0x8000_0000, room) == -.EINVAL)
        #expect(guest.call(Linux.statx, TestGuest.atCurrent, guest.put(""), 0, 0, room) == -.ENOENT)
        #expect(guest.call(Linux.statx, guest.open("f"), 0, 0x1000, 0, room) == 0)
    }
}
