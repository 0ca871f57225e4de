import LinuxABI
import Testing

@testable import Kernel
@testable import Syscalls

@Suite("prctl(2)")
struct PrctlTests {
    @Test("a name is cut at 15 bytes and read back with its NULs")
    func name() {
        let guest = TestGuest()
        let room = guest.room(16)
        #expect(guest.call(Linux.prctl, 15, guest.put("a name that is too long")) == 0)
        #expect(guest.call(Linux.prctl, 16, room) == 0)
        #expect(guest.peek(16, at: room) == Array("a name that is ".utf8) + [0])
        #expect(guest.call(Linux.prctl, 16, 0) == -.EFAULT)
    }

    @Test("no_new_privs is set once and for all, and wants its other arguments 0")
    func noNewPrivileges() {
        let guest = TestGuest()
        #expect(guest.call(Linux.prctl, 39, 0, 0, 0, 0) == 0)
        #expect(guest.call(Linux.prctl, 38, 0, 0, 0, 0) == -.EINVAL)
        #expect(guest.call(Linux.prctl, 38, 1, 1, 0, 0) == -.EINVAL)
        #expect(guest.call(Linux.prctl, 38, 1, 0, 0, 0) == 0)
        #expect(guest.call(Linux.prctl, 39, 0, 0, 0, 0) == 1)
    }

    @Test("the bounding set loses what CAP_SETPCAP may drop")
    func bounding() {
        let guest = TestGuest(user: 0)
        #expect(guest.call(Linux.prctl, 23, 12) == 1)
        #expect(guest.call(Linux.prctl, 24, 12) == 0)
        #expect(guest.call(Linux.prctl, 23, 12) == 0)
        #expect(guest.call(Linux.prctl, 23, 41) == -.EINVAL)
        #expect(TestGuest(user: 1).call(Linux.prctl, 24, 12) == -.EPERM)
    }

    @Test("a locked secure bit stays as it is")
    func secureBits() {
        let guest = TestGuest(user: 0)
        #expect(guest.call(Linux.prctl, 28, 0x3) == 0)
        #expect(guest.call(Linux.prctl, 27) == 3)
        #expect(guest.call(Linux.prctl, 28, 0x2) == -.EPERM)
        #expect(guest.call(Linux.prctl, 28, 0x1) == -.EPERM)
        #expect(guest.call(Linux.prctl, 28, 0x13) == 0)
    }

    @Test("a slack of 0 is the creator's again")
    func timerSlack() {
        let guest = TestGuest()
        #expect(guest.call(Linux.prctl, 30) == 50000)
        #expect(guest.call(Linux.prctl, 29, 7) == 0)
        let child = guest.fork(200)
        #expect(guest.call(Linux.prctl, 30, by: child) == 7)
        #expect(guest.call(Linux.prctl, 29, 9, by: child) == 0)
        #expect(guest.call(Linux.prctl, 29, 0, by: child) == 0)
        #expect(guest.call(Linux.prctl, 30, by: child) == 7)
    }

    @Test("an option that Linux has not is EINVAL", arguments: [0, 5, 19, 43, 50, 4711])
    func unknown(_ option: Int) {
        #expect(TestGuest().call(Linux.prctl, option, 0, 0, 0, 0) == -.EINVAL)
    }
}

@Suite("setpgid(2) and setsid(2)")
struct ProcessGroupTests {
    @Test("a child can be given a group until it has executed")
    func child() {
        let guest = TestGuest()
        let child = guest.fork(200)
        #expect(guest.call(Linux.setpgid, 200, 0) == 0)
        #expect(guest.call(Linux.getpgid, 200) == 200)
        #expect(guest.call(Linux.setpgid, 200, 100) == 0)
        child.process.hasExecuted = true
        #expect(guest.call(Linux.setpgid, 200, 0) == -.EACCES)
        #expect(guest.call(Linux.setpgid, 999, 0) == -.ESRCH)
        #expect(guest.call(Linux.setpgid, 0, -1) == -.EINVAL)
    }

    @Test("a group that is not there is EPERM, and so is a process of another session")
    func foreign() {
        let guest = TestGuest()
        let child = guest.fork(200)
        #expect(guest.call(Linux.setpgid, 200, 555) == -.EPERM)
        #expect(guest.call(Linux.setsid, by: child) == 200)
        #expect(guest.call(Linux.getsid, 200) == 200)
        #expect(guest.call(Linux.setpgid, 200, 100) == -.EPERM)
        #expect(guest.call(Linux.setpgid, 0, 0, by: child) == -.EPERM)
    }

    @Test("the leader of a group cannot make a session")
    func leader() {
        #expect(TestGuest().call(Linux.setsid) == -.EPERM)
    }
}
