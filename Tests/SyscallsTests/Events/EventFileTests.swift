import LinuxABI
import Testing
import VFS

@testable import Kernel
@testable import Syscalls

extension TestGuest {
    /// The numbers that a call has stored two of.
    func pipe() -> (reader: Int, writer: Int) {
        let room = room(8)
        #expect(call(Linux.pipe2, room, 0) == 0)
        return (Int(peek(Int32.self, at: room)), Int(peek(Int32.self, at: room + 4)))
    }

    func pass(milliseconds: Int64) {
        clock.now = clock.now.advanced(by: Timestamp(nanoseconds: milliseconds * 1_000_000))
        kernel.timers.run(until: clock.now)
    }
}

@Suite("signalfd(2)")
struct SignalFileTests {
    private func make(_ guest: TestGuest) -> Int {
        let mask = guest.put([UInt64(1) << 9 | 1 << 33])
        #expect(guest.call(Linux.rt_sigprocmask, 0, mask, 0, 8) == 0)
        return guest.call(Linux.signalfd4, -1, mask, 8, 0) ?? -1
    }

    @Test("blocked signals are read in their order, each with its sender")
    func reading() {
        let guest = TestGuest()
        let fd = make(guest)
        let room = guest.room(512)
        #expect(guest.poll(fd) == 0)
        #expect(guest.call(Linux.kill, 100, 34) == 0)
        #expect(guest.call(Linux.kill, 100, 10) == 0)
        #expect(guest.poll(fd) == 1)
        #expect(guest.call(Linux.read, fd, room, 127) == -.EINVAL)
        #expect(guest.call(Linux.read, fd, room, 512) == 256)
        #expect(guest.peek(UInt32.self, at: room) == 10)
        #expect(guest.peek(UInt32.self, at: room + 12) == 100)
        #expect(guest.peek(UInt32.self, at: room + 128) == 34)
        #expect(guest.poll(fd) == 0)
    }

    @Test("a reader waits until somebody sends")
    func waiting() {
        let guest = TestGuest()
        let fd = make(guest)
        let child = guest.fork(200)
        #expect(guest.call(Linux.read, fd, guest.room(128), 128) == nil)
        #expect(guest.call(Linux.kill, 100, 10, by: child) == 0)
        #expect(guest.resume() == 128)
    }

    @Test("a new mask replaces the old one, and only signalfds have any")
    func changing() {
        let guest = TestGuest()
        let fd = make(guest)
        let other = guest.pipe().reader
        let mask = guest.put([UInt64(1) << 11])
        #expect(guest.call(Linux.signalfd4, fd, mask, 8, 0) == fd)
        #expect(guest.call(Linux.kill, 100, 10) == 0)
        #expect(guest.poll(fd) == 0)
        #expect(guest.call(Linux.signalfd4, other, mask, 8, 0) == -.EINVAL)
        #expect(guest.call(Linux.signalfd4, -1, mask, 4, 0) == -.EINVAL)
        #expect(guest.call(Linux.signalfd4, -1, mask, 8, 1) == -.EINVAL)
        #expect(guest.call(Linux.signalfd4, -1, 0, 8, 0) == -.EFAULT)
    }
}

@Suite("timerfd_create(2)")
struct TimerFileTests {
    private func set(_ guest: TestGuest, _ fd: Int, _ value: Int64, _ interval: Int64, _ flags: Int = 0) -> Int? {
        let setting = guest.put([interval / 1000, interval % 1000 * 1_000_000, value / 1000, value % 1000 * 1_000_000])
        return guest.call(Linux.timerfd_settime, fd, flags, setting, 0)
    }

    @Test("expiries are counted until they are read")
    func counting() {
        let guest = TestGuest()
        let fd = guest.call(Linux.timerfd_create, 1, 0o4000) ?? -1
        let room = guest.room(8)
        #expect(guest.call(Linux.read, fd, room, 8) == -.EAGAIN)
        #expect(set(guest, fd, 100, 50) == 0)
        guest.pass(milliseconds: 99)
        #expect(guest.poll(fd) == 0)
        guest.pass(milliseconds: 112)
        #expect(guest.poll(fd) == 1)
        #expect(guest.call(Linux.read, fd, room, 8) == 8)
        #expect(guest.peek(UInt64.self, at: room) == 3)
        #expect(guest.call(Linux.read, fd, room, 8) == -.EAGAIN)
        let setting = guest.room(32)
        #expect(guest.call(Linux.timerfd_gettime, fd, setting) == 0)
        #expect(guest.peek(Int64.self, at: setting + 24) == 39_000_000)
        #expect(guest.call(Linux.read, fd, room, 7) == -.EINVAL)
    }

    @Test("a reader waits for the next expiry, an absolute time in the past is one")
    func waiting() {
        let guest = TestGuest()
        let fd = guest.call(Linux.timerfd_create, 1, 0) ?? -1
        #expect(set(guest, fd, 100, 0) == 0)
        #expect(guest.call(Linux.read, fd, guest.room(8), 8) == nil)
        guest.pass(milliseconds: 100)
        #expect(guest.resume() == 8)
        #expect(set(guest, fd, 1, 0, 1) == 0)
        #expect(guest.call(Linux.read, fd, guest.room(8), 8) == 8)
        #expect(set(guest, fd, 100, 0) == 0)
        #expect(set(guest, fd, 0, 0) == 0)
        guest.pass(milliseconds: 500)
        #expect(guest.poll(fd) == 0)
    }

    @Test("bad clocks, flags and times are EINVAL")
    func errors() {
        let guest = TestGuest()
        let fd = guest.call(Linux.timerfd_create, 1, 0) ?? -1
        #expect(guest.call(Linux.timerfd_create, 2, 0) == -.EINVAL)
        #expect(guest.call(Linux.timerfd_create, 1, 1) == -.EINVAL)
        #expect(guest.call(Linux.timerfd_create, 9, 0) == -.EPERM)
        #expect(set(guest, fd, 1, 0, 4) == -.EINVAL)
        #expect(set(guest, guest.pipe().reader, 1, 0) == -.EINVAL)
        let wrong = guest.put([0, 0, 0, -1] as [Int64])
        #expect(guest.call(Linux.timerfd_settime, fd, 0, wrong, 0) == -.EINVAL)
    }
}

@Suite("pidfd_open(2) and process_vm_readv(2)")
struct PidFileTests {
    @Test("a process's descriptor sends signals, and is readable at its end")
    func process() {
        let guest = TestGuest()
        let child = guest.fork(200)
        let fd = guest.call(Linux.pidfd_open, 200, 0) ?? -1
        #expect(guest.call(Linux.fcntl, fd, 1, 0) == 1)
        #expect(guest.poll(fd) == 0)
        #expect(guest.call(Linux.pidfd_send_signal, fd, 10, 0, 0) == 0)
        #expect(child.process.pendingSignals.set == SignalSet(SignalNumber(10)))
        #expect(guest.call(Linux.pidfd_send_signal, fd, 10, 0, 9) == -.EINVAL)
        #expect(guest.call(Linux.exit_group, 3, by: child) == -Int(Errno.noReturn.rawValue))
        #expect(guest.poll(fd) == 1)
        #expect(guest.call(Linux.wait4, 200, 0, 0, 0) == 200)
        #expect(guest.call(Linux.pidfd_send_signal, fd, 0, 0, 0) == -.ESRCH)
        #expect(guest.call(Linux.pidfd_open, 200, 0) == -.ESRCH)
        #expect(guest.call(Linux.pidfd_open, 0, 0) == -.EINVAL)
        #expect(guest.call(Linux.pidfd_send_signal, guest.pipe().reader, 0, 0, 0) == -.EBADF)
    }

    @Test("descriptors of others can be had by those who may look into them")
    func descriptors() {
        let guest = TestGuest()
        let child = guest.fork(200)
        let room = guest.room(8)
        #expect(guest.call(Linux.pipe2, room, 0, by: child) == 0)
        let fd = guest.call(Linux.pidfd_open, 200, 0) ?? -1
        let got = guest.call(Linux.pidfd_getfd, fd, 1, 0) ?? -1
        #expect(guest.call(Linux.write, got, room, 1) == 1)
        #expect(guest.call(Linux.pidfd_getfd, fd, 9, 0) == -.EBADF)
        #expect(guest.call(Linux.pidfd_getfd, fd, 1, 1) == -.EINVAL)
        child.process.dumpable = false
        #expect(guest.call(Linux.pidfd_getfd, fd, 1, 0) == -.EPERM)
    }

    @Test("memory is copied between vectors, up to the first fault")
    func memory() {
        let guest = TestGuest()
        let child = guest.fork(200)
        let target = guest.room(16)
        let source = guest.put("abcdefgh")
        let local = guest.put([UInt64(target), 3, UInt64(target + 8), 4])
        let remote = guest.put([UInt64(source), 5, 8, 9])
        #expect(guest.call(Linux.process_vm_readv, 200, local, 2, remote, 2, 0) == 5)
        #expect(guest.peek(3, at: target) == Array("abc".utf8))
        #expect(guest.peek(2, at: target + 8) == Array("de".utf8))
        #expect(guest.call(Linux.process_vm_readv, 200, local, 2, remote + 16, 1, 0) == -.EFAULT)
        #expect(guest.call(Linux.process_vm_readv, 4711, local, 2, remote, 1, 0) == -.ESRCH)
        #expect(guest.call(Linux.process_vm_readv, 200, local, 2, remote, 1, 1) == -.EINVAL)
        child.process.dumpable = false
        #expect(guest.call(Linux.process_vm_writev, 200, local, 2, remote, 1, 0) == -.EPERM)
    }
}

@Suite("splice(2), tee(2), vmsplice(2)")
struct SpliceTests {
    @Test("tee copies, splice moves")
    func moving() {
        let guest = TestGuest()
        let one = guest.pipe()
        let two = guest.pipe()
        #expect(guest.call(Linux.write, one.writer, guest.put("hello"), 5) == 5)
        #expect(guest.call(Linux.tee, one.reader, two.writer, 100, 0) == 5)
        #expect(guest.call(Linux.splice, one.reader, 0, two.writer, 0, 2, 0) == 2)
        let room = guest.room(10)
        #expect(guest.call(Linux.read, two.reader, room, 10) == 7)
        #expect(guest.peek(7, at: room) == Array("hellohe".utf8))
        #expect(guest.call(Linux.splice, one.reader, 0, two.writer, 0, 9, 0) == 3)
        #expect(guest.call(Linux.splice, one.reader, 0, two.writer, 0, 9, 2) == -.EAGAIN)
        #expect(guest.call(Linux.splice, one.reader, 0, two.writer, 0, 9, 0) == nil)
        #expect(guest.call(Linux.close, one.writer, by: guest.fork(200)) == 0)
    }

    @Test("files have offsets, pipes have none")
    func offsets() {
        let guest = TestGuest()
        let one = guest.pipe()
        let fd = guest.call(Linux.open, guest.put("/f"), 0o102, 0o600) ?? -1
        #expect(guest.call(Linux.write, one.writer, guest.put("hello"), 5) == 5)
        let offset = guest.put([2] as [Int64])
        #expect(guest.call(Linux.splice, one.reader, 0, fd, offset, 9, 0) == 5)
        #expect(guest.peek(Int64.self, at: offset) == 7)
        #expect(guest.call(Linux.splice, fd, 0, one.writer, 0, 100, 0) == 7)
        #expect(guest.call(Linux.lseek, fd, 0, 1) == 7)
        #expect(guest.call(Linux.splice, one.reader, offset, fd, 0, 1, 0) == -.ESPIPE)
        #expect(guest.call(Linux.splice, fd, 0, fd, 0, 1, 0) == -.EINVAL)
        #expect(guest.call(Linux.splice, one.reader, 0, one.writer, 0, 1, 0) == -.EINVAL)
        #expect(guest.call(Linux.tee, one.reader, fd, 1, 0) == -.EINVAL)
        #expect(guest.call(Linux.vmsplice, fd, 0, 0, 0) == -.EBADF)
    }
}

@Suite("pipe(7)")
struct PipeReopeningTests {
    @Test("the inode of a pipe without a name opens further ends of it")
    func reopening() throws {
        let guest = TestGuest()
        let ends = guest.pipe()
        let node = try guest.thread.files.file(FileNumber(Int32(ends.reader))).operations.inode
        let again = OpenFile(try node.open([.writeOnly]), flags: [.writeOnly])
        let number = try guest.thread.files.install(again, closeOnExec: false, limit: 100).rawValue
        #expect(guest.call(Linux.close, ends.writer) == 0)
        #expect(guest.call(Linux.write, Int(number), guest.put("x"), 1) == 1)
        #expect(guest.call(Linux.read, ends.reader, guest.room(9), 9) == 1)
        #expect(guest.call(Linux.close, Int(number)) == 0)
        #expect(guest.call(Linux.read, ends.reader, guest.room(9), 9) == 0)
    }
}
