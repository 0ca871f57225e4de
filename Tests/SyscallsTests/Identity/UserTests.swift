import LinuxABI
import Testing

@testable import Kernel
@testable import Syscalls

@Suite("setuid(2) and its relatives")
struct UserTests {
    @Test("root that takes another user has no capability left")
    func dropping() {
        let guest = TestGuest(user: 0)
        #expect(guest.call(Linux.setuid, 1000) == 0)
        #expect(guest.call(Linux.getuid) == 1000)
        #expect(guest.thread.credentials.permittedCapabilities == 0)
        #expect(guest.thread.credentials.effectiveCapabilities == 0)
        #expect(guest.call(Linux.setuid, 0) == -.EPERM)
        #expect(!guest.thread.process.dumpable)
    }

    @Test("PR_SET_KEEPCAPS keeps the permitted set and clears the effective one")
    func keeping() {
        let guest = TestGuest(user: 0)
        #expect(guest.call(Linux.prctl, 8, 1, 0, 0, 0) == 0)
        #expect(guest.call(Linux.setresuid, 1000, 1000, 1000) == 0)
        #expect(guest.thread.credentials.permittedCapabilities == Credentials.allCapabilities)
        #expect(guest.thread.credentials.effectiveCapabilities == 0)
    }

    @Test("an effective user that goes and comes back takes the capabilities along")
    func swapping() {
        let guest = TestGuest(user: 0)
        #expect(guest.call(Linux.setresuid, -1, 1000, -1) == 0)
        #expect(guest.thread.credentials.effectiveCapabilities == 0)
        #expect(guest.call(Linux.setresuid, -1, 0, -1) == 0)
        #expect(guest.thread.credentials.effectiveCapabilities == Credentials.allCapabilities)
    }

    @Test("setreuid moves the saved user along with the effective one")
    func saved() {
        let guest = TestGuest(user: 0)
        #expect(guest.call(Linux.setreuid, 5, 6) == 0)
        let room = guest.room(12)
        #expect(guest.call(Linux.getresuid, room, room + 4, room + 8) == 0)
        #expect(guest.peek(12, at: room) == [5, 0, 0, 0, 6, 0, 0, 0, 6, 0, 0, 0])
    }

    @Test("an ordinary user may only take ids that it has")
    func ordinary() {
        let guest = TestGuest(user: 1000)
        #expect(guest.call(Linux.setuid, 1000) == 0)
        #expect(guest.call(Linux.setuid, 1001) == -.EPERM)
        #expect(guest.call(Linux.setresuid, -1, 1001, -1) == -.EPERM)
        #expect(guest.call(Linux.setresuid, -1, -1, -1) == 0)
        #expect(guest.call(Linux.setuid, -1) == -.EINVAL)
        #expect(guest.call(Linux.setgroups, 0, 0) == -.EPERM)
        #expect(guest.call(Linux.setregid, 1001, -1) == -.EPERM)
    }

    @Test("setfsuid returns the old user, and takes the capabilities over files")
    func fileSystemUser() {
        let guest = TestGuest(user: 0)
        #expect(guest.call(Linux.setfsuid, 1000) == 0)
        #expect(guest.call(Linux.setfsuid, -1) == 1000)
        #expect(guest.thread.credentials.effectiveCapabilities & CapabilityNumber.fileSystemSet == 0)
        #expect(guest.call(Linux.setfsuid, 0) == 1000)
        #expect(guest.thread.credentials.effectiveCapabilities == Credentials.allCapabilities)
    }

    @Test("groups are kept sorted, and a list that is too short is EINVAL")
    func groups() {
        let guest = TestGuest(user: 0)
        #expect(guest.call(Linux.setgroups, 3, guest.put([30, 10, 20] as [UInt32])) == 0)
        let room = guest.room(12)
        #expect(guest.call(Linux.getgroups, 0, 0) == 3)
        #expect(guest.call(Linux.getgroups, 2, room) == -.EINVAL)
        #expect(guest.call(Linux.getgroups, -1, room) == -.EINVAL)
        #expect(guest.call(Linux.getgroups, 3, room) == 3)
        #expect(guest.peek(12, at: room) == [10, 0, 0, 0, 20, 0, 0, 0, 30, 0, 0, 0])
        #expect(guest.call(Linux.setgroups, 65537, room) == -.EINVAL)
        #expect(guest.call(Linux.setgroups, 1, 0) == -.EFAULT)
    }
}
