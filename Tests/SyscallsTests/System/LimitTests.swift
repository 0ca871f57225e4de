import LinuxABI
import Testing

@testable import Kernel
@testable import Syscalls

@Suite("getrlimit(2), setrlimit(2), prlimit(2)")
struct LimitTests {
    @Test("a limit is read back as it was set")
    func roundTrip() {
        let guest = TestGuest()
        #expect(guest.call(Linux.setrlimit, 7, guest.put([10, 20] as [UInt64])) == 0)
        let room = guest.room(16)
        #expect(guest.call(Linux.getrlimit, 7, room) == 0)
        #expect(guest.peek(UInt64.self, at: room) == 10)
        #expect(guest.call(Linux.prlimit64, 0, 7, 0, room) == 0)
        #expect(guest.peek(UInt64.self, at: room + 8) == 20)
    }

    @Test("soft above hard is EINVAL, hard raised without the capability is EPERM")
    func bounds() {
        let guest = TestGuest()
        #expect(guest.call(Linux.setrlimit, 7, guest.put([30, 20] as [UInt64])) == -.EINVAL)
        #expect(guest.call(Linux.setrlimit, 7, guest.put([1, 20] as [UInt64])) == 0)
        #expect(guest.call(Linux.setrlimit, 7, guest.put([1, 21] as [UInt64])) == -.EPERM)
        let root = TestGuest(user: 0)
        #expect(root.call(Linux.setrlimit, 7, root.put([1, 1 << 20 + 1] as [UInt64])) == -.EPERM)
        #expect(root.call(Linux.setrlimit, 6, root.put([1, UInt64.max])) == 0)
    }

    @Test("resource 16 is EINVAL, a process that is not there ESRCH, a foreign one EPERM")
    func errors() {
        let guest = TestGuest()
        let room = guest.room(16)
        #expect(guest.call(Linux.getrlimit, 16, room) == -.EINVAL)
        #expect(guest.call(Linux.setrlimit, 16, 0) == -.EFAULT)
        #expect(guest.call(Linux.prlimit64, 4711, 7, 0, room) == -.ESRCH)
        let other = guest.fork(200)
        other.credentials.savedUserID = 7
        #expect(guest.call(Linux.prlimit64, 200, 7, 0, room) == -.EPERM)
    }

    @Test("descriptors stop at RLIMIT_NOFILE")
    func openFiles() {
        let guest = TestGuest()
        #expect(guest.call(Linux.setrlimit, 7, guest.put([3, 20] as [UInt64])) == 0)
        #expect(guest.call(Linux.pipe2, guest.room(8), 0) == 0)
        #expect(guest.call(Linux.pipe2, guest.room(8), 0) == -.EMFILE)
        #expect(guest.call(Linux.dup2, 0, 3) == -.EBADF)
        #expect(guest.call(Linux.dup, 0) == 2)
        #expect(guest.call(Linux.dup, 0) == -.EMFILE)
    }

    @Test("a write past RLIMIT_FSIZE is shortened, and at the limit it is EFBIG with SIGXFSZ")
    func fileSize() {
        let guest = TestGuest()
        let fd = guest.call(Linux.open, guest.put("/f"), 0o102, 0o600) ?? -1
        #expect(guest.call(Linux.setrlimit, 1, guest.put([6, 100] as [UInt64])) == 0)
        #expect(guest.call(Linux.write, fd, guest.put("12345678"), 8) == 6)
        #expect(guest.call(Linux.write, fd, guest.put("9"), 1) == -.EFBIG)
        #expect(guest.thread.signals.pending.set.contains(SignalSet(SignalNumber(25))))
        #expect(guest.call(Linux.ftruncate, fd, 7) == -.EFBIG)
    }

    @Test("RLIMIT_NPROC binds users, not root")
    func processes() {
        let guest = TestGuest()
        guest.thread.process.limits.values[6].soft = 1
        #expect(throws: Errno.EAGAIN) { try guest.kernel.checkProcessLimit(guest.thread) }
        guest.thread.process.limits.values[6].soft = 2
        #expect(throws: Never.self) { try guest.kernel.checkProcessLimit(guest.thread) }
        let root = TestGuest(user: 0)
        root.thread.process.limits.values[6].soft = 0
        #expect(throws: Never.self) { try root.kernel.checkProcessLimit(root.thread) }
    }

    @Test("RLIMIT_CPU sends SIGXCPU each second and SIGKILL at the end")
    func processorTime() {
        let guest = TestGuest()
        let source = FixedCPUTime()
        guest.kernel.cpuTimes = source
        #expect(guest.call(Linux.setrlimit, 0, guest.put([2, 4] as [UInt64])) == 0)
        func pass(_ seconds: Int64) {
            source.time.user = seconds * 1_000_000_000
            guest.clock.now = guest.clock.now.advanced(by: Timestamp(seconds: 5))
            guest.kernel.timers.run(until: guest.clock.now)
        }
        pass(1)
        #expect(guest.thread.process.pendingSignals.set.isEmpty)
        pass(2)
        #expect(guest.thread.process.pendingSignals.set == SignalSet(SignalNumber(24)))
        #expect(!guest.thread.process.isExiting)
        pass(4)
        #expect(guest.thread.process.isExiting)
        #expect(guest.thread.process.waitStatus == 9)
    }
}

/// A processor that has run as long as a test says.
final class FixedCPUTime: CPUTimeSource {
    var time = CPUTime()

    func time(of thread: GuestThread) -> CPUTime { time }
    func time(of process: Process) -> CPUTime { time }
}
