import LinuxABI
import Testing

@testable import Kernel
@testable import Syscalls

@Suite("uname(2), sysinfo(2), getrandom(2)")
struct SystemTests {
    private func field(_ bytes: [UInt8], _ index: Int) -> String {
        String(decoding: bytes[(index * 65)..<(index * 65 + 65)].prefix { $0 != 0 }, as: UTF8.self)
    }

    @Test("uname shows the reference kernel and the names that were set")
    func names() {
        let guest = TestGuest(user: 0)
        #expect(guest.call(Linux.sethostname, guest.put("box"), 3) == 0)
        #expect(guest.call(Linux.setdomainname, guest.put("lab"), 3) == 0)
        let room = guest.room(390)
        #expect(guest.call(Linux.uname, room) == 0)
        let bytes = guest.peek(390, at: room)
        #expect(field(bytes, 0) == "Linux")
        #expect(field(bytes, 1) == "box")
        #expect(field(bytes, 2).hasPrefix("6.12."))
        #expect(field(bytes, 4) == "x86_64")
        #expect(field(bytes, 5) == "lab")
        #expect(guest.call(Linux.uname, 0) == -.EFAULT)
        #expect(guest.call(Linux.sethostname, room, 65) == -.EINVAL)
        #expect(TestGuest().call(Linux.sethostname, room, 3) == -.EPERM)
    }

    @Test("sysinfo counts memory in bytes")
    func memory() {
        let guest = TestGuest()
        guest.kernel.memoryLimit = 1 << 20
        let room = guest.room(112)
        #expect(guest.call(Linux.sysinfo, room) == 0)
        #expect(guest.peek(UInt64.self, at: room) == 1)
        #expect(guest.peek(UInt64.self, at: room + 32) == 1 << 20)
        #expect(guest.peek(UInt32.self, at: room + 104) == 1)
        #expect(guest.peek(UInt16.self, at: room + 80) == 1)
    }

    @Test("getrandom fills what it is told to, refuses what it does not know")
    func random() {
        let guest = TestGuest()
        let room = guest.room(64)
        #expect(guest.call(Linux.getrandom, room, 64, 0) == 64)
        #expect(guest.peek(64, at: room).contains { $0 != 0 })
        #expect(guest.call(Linux.getrandom, room, 0, 1) == 0)
        #expect(guest.call(Linux.getrandom, room, 8, 8) == -.EINVAL)
        #expect(guest.call(Linux.getrandom, room, 8, 6) == -.EINVAL)
        #expect(guest.call(Linux.getrandom, 0, 8, 0) == -.EFAULT)
    }

    @Test("a private barrier wants a registration")
    func barrier() {
        let guest = TestGuest()
        #expect(guest.call(Linux.membarrier, 8, 0, 0) == -.EPERM)
        #expect(guest.call(Linux.membarrier, 16, 0, 0) == 0)
        #expect(guest.call(Linux.membarrier, 8, 0, 0) == 0)
        #expect(guest.call(Linux.membarrier, 0x200, 0, 0) == 16)
        #expect(guest.call(Linux.membarrier, 3, 0, 0) == -.EINVAL)
        #expect(guest.call(Linux.membarrier, 0, 1, 0) == -.EINVAL)
    }

    @Test("kcmp tells shared files from copies")
    func comparing() {
        let guest = TestGuest()
        #expect(guest.call(Linux.pipe2, guest.room(8), 0) == 0)
        #expect(guest.call(Linux.dup, 0) == 2)
        #expect(guest.call(Linux.kcmp, 100, 100, 0, 0, 2) == 0)
        #expect((guest.call(Linux.kcmp, 100, 100, 0, 0, 1) ?? 0) > 0)
        #expect(guest.call(Linux.kcmp, 100, 100, 0, 0, 9) == -.EBADF)
        #expect(guest.call(Linux.kcmp, 100, 100, 9, 0, 0) == -.EINVAL)
        #expect(guest.call(Linux.kcmp, 100, 4711, 1, 0, 0) == -.ESRCH)
    }

    @Test("unshare gives descriptors of one's own and refuses namespaces")
    func unsharing() {
        let guest = TestGuest(user: 0)
        let before = guest.thread.fileSystem
        #expect(guest.call(Linux.unshare, 0x200) == 0)
        #expect(guest.thread.fileSystem !== before)
        #expect(guest.call(Linux.unshare, 0x1000_0000) == -.EPERM)
        #expect(guest.call(Linux.unshare, 0x1) == -.EINVAL)
    }

    @Test("mounts are refused on purpose, and the table says so")
    func refused() {
        let guest = TestGuest(user: 0)
        #expect(guest.call(Linux.mount, 0, 0, 0, 0, 0) == -.EPERM)
        guard case .refused(.EPERM) = HandlerTable.x86_64[Linux.mount.number]?.support else {
            Issue.record("mount is not marked as refused")
            return
        }
    }
}

@Suite("sched(7)")
struct ScheduleTests {
    @Test("a real-time policy wants a priority, and a capability or a limit")
    func policies() {
        let guest = TestGuest()
        let none = guest.put([0] as [Int32])
        let ten = guest.put([10] as [Int32])
        #expect(guest.call(Linux.sched_setscheduler, 0, 1, none) == -.EINVAL)
        #expect(guest.call(Linux.sched_setscheduler, 0, 0, ten) == -.EINVAL)
        #expect(guest.call(Linux.sched_setscheduler, 0, 1, ten) == -.EPERM)
        guest.thread.process.limits.values[14].soft = 20
        #expect(guest.call(Linux.sched_setscheduler, 0, 1, ten) == 0)
        #expect(guest.call(Linux.sched_getscheduler, 0) == 1)
        let room = guest.room(4)
        #expect(guest.call(Linux.sched_getparam, 0, room) == 0)
        #expect(guest.peek(Int32.self, at: room) == 10)
        #expect(guest.call(Linux.sched_setscheduler, 0, 3, none) == 0)
        #expect(guest.call(Linux.sched_setscheduler, 0, -1, none) == -.EINVAL)
        #expect(guest.call(Linux.sched_setscheduler, 4711, 0, none) == -.ESRCH)
        #expect(guest.call(Linux.sched_getscheduler, -1) == -.EINVAL)
    }

    @Test("sched_getattr fills as much as there is room for, and 48 bytes at least")
    func attributes() {
        let guest = TestGuest()
        guest.thread.settings.nice = 5
        let room = guest.room(64)
        #expect(guest.call(Linux.sched_getattr, 0, room, 47, 0) == -.EINVAL)
        #expect(guest.call(Linux.sched_getattr, 0, room, 64, 0) == 0)
        #expect(guest.peek(UInt32.self, at: room) == 56)
        #expect(guest.peek(Int32.self, at: room + 16) == 5)
        #expect(guest.call(Linux.sched_setattr, 0, room, 0) == 0)
        #expect(guest.call(Linux.sched_setattr, 0, guest.put([49, 0, 0, 0] as [UInt32]), 1) == -.EINVAL)
    }

    @Test("a nice value goes up freely and down only with the right to")
    func nice() {
        let guest = TestGuest()
        #expect(guest.call(Linux.getpriority, 0, 0) == 20)
        #expect(guest.call(Linux.setpriority, 0, 0, 99) == 0)
        #expect(guest.call(Linux.getpriority, 0, 0) == 1)
        #expect(guest.call(Linux.setpriority, 0, 0, 5) == -.EACCES)
        #expect(guest.call(Linux.getpriority, 3, 0) == -.EINVAL)
        #expect(guest.call(Linux.getpriority, 0, 4711) == -.ESRCH)
        #expect(TestGuest(user: 0).call(Linux.setpriority, 0, 0, -5) == 0)
    }

    @Test("a set of processors keeps only those that there are")
    func affinity() {
        let guest = TestGuest()
        guest.kernel.knownProcessors = [0b1101]
        let room = guest.room(16)
        #expect(guest.call(Linux.sched_getaffinity, 0, 4, room) == -.EINVAL)
        #expect(guest.call(Linux.sched_getaffinity, 0, 16, room) == 8)
        #expect(guest.peek(UInt64.self, at: room) == 0b1101)
        #expect(guest.call(Linux.sched_setaffinity, 0, 8, guest.put([0b0110] as [UInt64])) == 0)
        #expect(guest.call(Linux.sched_getaffinity, 0, 8, room) == 8)
        #expect(guest.peek(UInt64.self, at: room) == 0b0100)
        #expect(guest.call(Linux.sched_setaffinity, 0, 8, guest.put([0b0010] as [UInt64])) == -.EINVAL)
        #expect(guest.call(Linux.getcpu, room, 0, 0) == 0)
        #expect(guest.peek(UInt32.self, at: room) == 2)
    }

    @Test("an I/O priority is kept, a real-time one wants a capability")
    func ioPriority() {
        let guest = TestGuest()
        #expect(guest.call(Linux.ioprio_get, 1, 0) == 0)
        #expect(guest.call(Linux.ioprio_set, 1, 0, 2 << 13 | 3) == 0)
        #expect(guest.call(Linux.ioprio_get, 1, 0) == 2 << 13 | 3)
        #expect(guest.call(Linux.ioprio_set, 1, 0, 1 << 13) == -.EPERM)
        #expect(guest.call(Linux.ioprio_set, 1, 0, 1) == -.EINVAL)
        #expect(guest.call(Linux.ioprio_get, 4, 0) == -.EINVAL)
    }
}

@Suite("set_mempolicy(2)")
struct MemoryPolicyTests {
    @Test("a policy is kept; nodes that are not there are EINVAL")
    func policies() {
        let guest = TestGuest()
        let first = guest.put([1] as [UInt64])
        let second = guest.put([2] as [UInt64])
        #expect(guest.call(Linux.set_mempolicy, 2, first, 64) == 0)
        let room = guest.room(16)
        #expect(guest.call(Linux.get_mempolicy, room, 0, 0, 0, 0) == 0)
        #expect(guest.peek(Int32.self, at: room) == 2)
        #expect(guest.call(Linux.set_mempolicy, 2, second, 64) == -.EINVAL)
        #expect(guest.call(Linux.set_mempolicy, 0, first, 64) == -.EINVAL)
        #expect(guest.call(Linux.set_mempolicy, 9, 0, 0) == -.EINVAL)
        #expect(guest.call(Linux.get_mempolicy, room, 0, 0, 0, 8) == -.EINVAL)
    }
}
