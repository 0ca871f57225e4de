import LinuxABI
import Testing
import VFS

@testable import Kernel
@testable import Syscalls

@Suite("fcntl(2) locks and flock(2)")
struct FilesLockTests {
    static let read = 0
    static let write = 1
    static let unlock = 2

    private func lock(
        _ guest: TestGuest, _ fd: Int, _ type: Int, _ start: Int64, _ length: Int64, command: Int = 6,
        whence: Int16 = 0, by other: GuestThread? = nil
    ) -> Int? {
        var writer = ByteWriter()
        writer.put(Int16(type))
        writer.put(whence)
        writer.pad(4)
        writer.put(start)
        writer.put(length)
        writer.pad(to: 32)
        return guest.call(Linux.fcntl, fd, command, guest.put(writer.bytes), by: other)
    }

    /// Who holds what stands in the way of a write lock on everything: type, start, length, process.
    private func holder(_ guest: TestGuest, _ fd: Int, by other: GuestThread) -> [Int64] {
        var writer = ByteWriter()
        writer.put(Int16(1))
        writer.pad(to: 32)
        let place = guest.put(writer.bytes)
        #expect(guest.call(Linux.fcntl, fd, 5, place, by: other) == 0)
        return [
            Int64(guest.peek(Int16.self, at: place)), guest.peek(Int64.self, at: place + 8),
            guest.peek(Int64.self, at: place + 16), Int64(guest.peek(Int32.self, at: place + 24)),
        ]
    }

    static let invalid: [(sentence: String, type: Int, whence: Int16, start: Int64, length: Int64, result: Int)] = [
        ("an unknown type is EINVAL", 7, 0, 0, 1, -.EINVAL), ("a negative start is EINVAL", 1, 0, -1, 1, -.EINVAL),
        ("an unknown whence is EINVAL", 1, 9, 0, 1, -.EINVAL),
        ("past the last byte is EOVERFLOW", 1, 0, .max, 2, -.EOVERFLOW),
        ("the last byte is fine", 1, 0, .max, 1, 0), ("backwards is fine", 1, 0, 100, -50, 0),
        ("backwards before the beginning is EINVAL", 1, 0, 10, -50, -.EINVAL), ("from the end is fine", 1, 2, -1, 1, 0),
    ]

    @Test("a range is what Linux takes for one", arguments: invalid)
    func ranges(_ expected: (sentence: String, type: Int, whence: Int16, start: Int64, length: Int64, result: Int)) {
        let guest = TestGuest.withTree()
        let fd = guest.open("f", 2)
        #expect(
            lock(guest, fd, expected.type, expected.start, expected.length, whence: expected.whence) == expected.result)
    }

    @Test("a write lock needs a descriptor for writing, a read lock one for reading: EBADF")
    func modes() {
        let guest = TestGuest.withTree()
        #expect(lock(guest, guest.open("f"), Self.write, 0, 1) == -.EBADF)
        #expect(lock(guest, guest.open("f", 1), Self.read, 0, 1) == -.EBADF)
    }

    @Test("another process is told of the lock, and gets EAGAIN")
    func conflict() {
        let guest = TestGuest.withTree()
        let fd = guest.open("f", 2)
        let other = guest.fork(200)
        #expect(lock(guest, fd, Self.write, 2, 5) == 0)
        #expect(lock(guest, fd, Self.write, 4, 1, by: other) == -.EAGAIN)
        #expect(lock(guest, fd, Self.read, 6, 1, by: other) == -.EAGAIN)
        #expect(lock(guest, fd, Self.write, 7, 0, by: other) == 0)
        #expect(holder(guest, fd, by: other) == [1, 2, 5, 100])
        #expect(holder(guest, fd, by: guest.thread) == [1, 7, 0, 200])
    }

    @Test("read locks stand beside each other; a lock in the middle splits, equal neighbours join")
    func split() {
        let guest = TestGuest.withTree()
        let fd = guest.open("f", 2)
        let other = guest.fork(200)
        #expect(lock(guest, fd, Self.read, 0, 10) == 0)
        #expect(lock(guest, fd, Self.read, 0, 10, by: other) == 0)
        #expect(lock(guest, fd, Self.unlock, 0, 0, by: other) == 0)
        #expect(lock(guest, fd, Self.unlock, 4, 2) == 0)
        #expect(holder(guest, fd, by: other) == [0, 0, 4, 100])
        #expect(lock(guest, fd, Self.read, 4, 2) == 0)
        #expect(holder(guest, fd, by: other) == [0, 0, 10, 100])
    }

    @Test("closing any descriptor of the file drops the process's locks")
    func closing() {
        let guest = TestGuest.withTree()
        let fd = guest.open("f", 2)
        let other = guest.fork(200)
        #expect(lock(guest, fd, Self.write, 0, 0) == 0)
        guest.call(Linux.close, guest.open("f"))
        #expect(lock(guest, fd, Self.write, 0, 0, by: other) == 0)
    }

    @Test("the end of a process drops its locks")
    func ending() {
        let guest = TestGuest.withTree()
        let fd = guest.open("f", 2)
        let other = guest.fork(200)
        #expect(lock(guest, fd, Self.write, 0, 0, by: other) == 0)
        #expect(lock(guest, fd, Self.write, 0, 0) == -.EAGAIN)
        other.files.removeUser()
        #expect(lock(guest, fd, Self.write, 0, 0) == 0)
    }

    @Test("F_SETLKW waits for the lock to go")
    func waits() {
        let guest = TestGuest.withTree()
        let fd = guest.open("f", 2)
        let other = guest.fork(200)
        #expect(lock(guest, fd, Self.write, 0, 10) == 0)
        #expect(lock(guest, fd, Self.write, 5, 1, command: 7, by: other) == nil)
        #expect(guest.resume(other) == nil)
        #expect(lock(guest, fd, Self.unlock, 5, 1) == 0)
        #expect(guest.resume(other) == 0)
    }

    @Test("two processes that would wait for each other are told: EDEADLK")
    func deadlock() {
        let guest = TestGuest.withTree()
        let fd = guest.open("f", 2)
        let other = guest.fork(200)
        #expect(lock(guest, fd, Self.write, 0, 1) == 0)
        #expect(lock(guest, fd, Self.write, 1, 1, by: other) == 0)
        #expect(lock(guest, fd, Self.write, 0, 1, command: 7, by: other) == nil)
        #expect(lock(guest, fd, Self.write, 1, 1, command: 7) == -.EDEADLK)
        #expect(lock(guest, fd, Self.unlock, 0, 1) == 0)
        #expect(guest.resume(other) == 0)
    }

    @Test("a wait that was given up does not count as a circle")
    func staleWait() {
        let guest = TestGuest.withTree()
        let fd = guest.open("f", 2)
        let other = guest.fork(200)
        #expect(lock(guest, fd, Self.write, 0, 1) == 0)
        #expect(lock(guest, fd, Self.write, 1, 1, by: other) == 0)
        #expect(lock(guest, fd, Self.write, 0, 1, command: 7, by: other) == nil)
        other.unpark()
        other.state = .running
        other.call.isActive = false
        #expect(lock(guest, fd, Self.write, 1, 1, command: 7) == nil)
    }

    @Test("locks of open file descriptions belong to the description, not to the process")
    func descriptions() {
        let guest = TestGuest.withTree()
        let one = guest.open("f", 2)
        let two = guest.open("f", 2)
        let copy = guest.call(Linux.dup, one) ?? -1
        #expect(lock(guest, one, Self.write, 0, 10, command: 37) == 0)
        #expect(lock(guest, two, Self.read, 5, 1, command: 37) == -.EAGAIN)
        #expect(lock(guest, copy, Self.read, 5, 1, command: 37) == 0)
        #expect(lock(guest, two, Self.read, 5, 1, command: 37) == 0)
        guest.call(Linux.close, one)
        #expect(lock(guest, two, Self.write, 0, 1, command: 37) == -.EAGAIN)
        guest.call(Linux.close, copy)
        #expect(lock(guest, two, Self.write, 0, 1, command: 37) == 0)
    }

    @Test("flock(2) knows shared and exclusive, waits, and converts by letting go first")
    func flock() {
        let guest = TestGuest.withTree()
        let one = guest.open("f")
        let two = guest.open("f")
        let other = guest.fork(200)
        func flock(_ fd: Int, _ operation: Int) -> Int? { guest.call(Linux.flock, fd, operation) }
        #expect(flock(one, 1) == 0)
        #expect(flock(two, 1) == 0)
        #expect(flock(two, 6) == -.EAGAIN)
        // The failed conversion has cost the shared lock.
        #expect(flock(one, 6) == 0)
        #expect(flock(two, 5) == -.EAGAIN)
        #expect(flock(one, 0) == -.EINVAL)
        #expect(guest.call(Linux.flock, two, 2, by: other) == nil)
        #expect(flock(one, 8) == 0)
        #expect(guest.resume(other) == 0)
    }

    @Test("leases are refused; who owns signals can be said and asked")
    func owners() {
        let guest = TestGuest.withTree()
        let fd = guest.open("f", 2)
        #expect(guest.call(Linux.fcntl, fd, 1025, 0) == 2)
        #expect(guest.call(Linux.fcntl, fd, 1024, 0) == -.EINVAL)
        #expect(guest.call(Linux.fcntl, fd, 8, 100) == 0)
        #expect(guest.call(Linux.fcntl, fd, 9, 0) == 100)
        let place = guest.put([Int32(1), 4242])
        #expect(guest.call(Linux.fcntl, fd, 15, place) == -.ESRCH)
        #expect(guest.call(Linux.fcntl, fd, 15, guest.put([Int32(2), 100])) == 0)
        #expect(guest.call(Linux.fcntl, fd, 16, place) == 0)
        #expect(guest.peek(8, at: place) == [2, 0, 0, 0, 100, 0, 0, 0])
        #expect(guest.call(Linux.fcntl, fd, 10, 65) == -.EINVAL)
    }
}
