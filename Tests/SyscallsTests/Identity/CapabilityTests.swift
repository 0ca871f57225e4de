import LinuxABI
import Testing

@testable import Kernel
@testable import Syscalls

@Suite("capget(2) and capset(2)")
struct CapabilityTests {
    private static let third: UInt32 = 0x2008_0522

    @Test("an unknown version is EINVAL and answered with the newest")
    func version() {
        let guest = TestGuest()
        let header = guest.put([7, 0] as [UInt32])
        #expect(guest.call(Linux.capget, header, guest.room(24)) == -.EINVAL)
        #expect(guest.peek(UInt32.self, at: header) == CapabilityTests.third)
        #expect(guest.call(Linux.capget, guest.put([7, 0] as [UInt32]), 0) == 0)
    }

    @Test("capget shows the sets of 64 bits in two parts")
    func reading() {
        let guest = TestGuest(user: 0)
        let data = guest.room(24)
        #expect(guest.call(Linux.capget, guest.put([CapabilityTests.third, 0]), data) == 0)
        #expect(guest.peek(UInt32.self, at: data) == 0xffff_ffff)
        #expect(guest.peek(UInt32.self, at: data + 8) == 0)
        #expect(guest.peek(UInt32.self, at: data + 12) == 0x1ff)
        #expect(guest.call(Linux.capget, guest.put([CapabilityTests.third, 4711]), data) == -.ESRCH)
    }

    @Test("what is given up does not come back")
    func dropping() {
        let guest = TestGuest(user: 0)
        let header = guest.put([CapabilityTests.third, 0])
        let few = guest.put([1, 1, 0, 0, 0, 0] as [UInt32])
        let more = guest.put([3, 3, 0, 0, 0, 0] as [UInt32])
        #expect(guest.call(Linux.capset, header, few) == 0)
        #expect(guest.thread.credentials.permittedCapabilities == 1)
        #expect(guest.call(Linux.capset, header, more) == -.EPERM)
        #expect(guest.call(Linux.capset, guest.put([CapabilityTests.third, 1]), few) == -.EPERM)
    }

    @Test("only what is permitted and inheritable can be ambient")
    func ambient() {
        let guest = TestGuest(user: 0)
        #expect(guest.call(Linux.prctl, 47, 2, 10, 0, 0) == -.EPERM)
        let header = guest.put([CapabilityTests.third, 0])
        #expect(guest.call(Linux.capset, header, guest.put([1 << 10, 1 << 10, 1 << 10, 0, 0, 0] as [UInt32])) == 0)
        #expect(guest.call(Linux.prctl, 47, 2, 10, 0, 0) == 0)
        #expect(guest.call(Linux.prctl, 47, 1, 10, 0, 0) == 1)
        #expect(guest.call(Linux.prctl, 47, 1, 41, 0, 0) == -.EINVAL)
        #expect(guest.call(Linux.prctl, 47, 4, 0, 0, 0) == 0)
        #expect(guest.call(Linux.prctl, 47, 1, 10, 0, 0) == 0)
    }

    @Test("an exec by root fills the sets, one by others empties them, and a set-user-id program is secure")
    func exec() {
        var credentials = TestGuest(user: 1000).thread.credentials
        credentials.inheritableCapabilities = 1
        let plain = credentials.afterExec(mode: FileMode(.regular, 0o755), owner: 0, group: 0, mayGain: true)
        #expect(plain.credentials.permittedCapabilities == 0)
        #expect(!plain.isSecure)
        let raised = credentials.afterExec(mode: FileMode(.regular, 0o4755), owner: 0, group: 0, mayGain: true)
        #expect(raised.credentials.effectiveUserID == 0)
        #expect(raised.credentials.savedUserID == 0)
        #expect(raised.credentials.effectiveCapabilities == Credentials.allCapabilities)
        #expect(raised.isSecure)
        let refused = credentials.afterExec(mode: FileMode(.regular, 0o4755), owner: 0, group: 0, mayGain: false)
        #expect(refused.credentials.effectiveUserID == 1000)
        #expect(!refused.isSecure)
        credentials.secureBits = .noRoot
        let bare = credentials.afterExec(mode: FileMode(.regular, 0o4755), owner: 0, group: 0, mayGain: true)
        #expect(bare.credentials.permittedCapabilities == 0)
    }

    @Test("ambient capabilities survive an exec, but not one that changes the user")
    func ambientExec() {
        var credentials = TestGuest(user: 1000).thread.credentials
        credentials.ambientCapabilities = 1 << 10
        let kept = credentials.afterExec(mode: FileMode(.regular, 0o755), owner: 0, group: 0, mayGain: true)
        #expect(kept.credentials.effectiveCapabilities == 1 << 10)
        let other = credentials.afterExec(mode: FileMode(.regular, 0o4755), owner: 1001, group: 0, mayGain: true)
        #expect(other.credentials.effectiveCapabilities == 0)
        #expect(other.credentials.ambientCapabilities == 0)
    }
}
