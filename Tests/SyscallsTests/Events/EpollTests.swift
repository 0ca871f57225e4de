import LinuxABI
import Testing

@testable import Kernel
@testable import Syscalls

@Suite("epoll(7)")
struct EpollTests {
    private func watch(_ guest: TestGuest, _ epoll: Int, _ fd: Int, _ events: UInt32) -> Int? {
        guest.call(Linux.epoll_ctl, epoll, 1, fd, guest.put([events, UInt32(fd), 0]))
    }

    @Test("an epoll that is gone is not woken by what it watched, however long that lives on")
    func outliving() {
        let guest = TestGuest()
        let ends = guest.pipe()
        let epoll = guest.call(Linux.epoll_create1, 0) ?? -1
        #expect(watch(guest, epoll, ends.writer, 4) == 0)
        #expect(guest.call(Linux.write, ends.writer, guest.put("x"), 1) == 1)
        #expect(guest.call(Linux.close, ends.writer) == 0)
        #expect(guest.call(Linux.close, epoll) == 0)
        #expect(guest.call(Linux.read, ends.reader, guest.room(1), 1) == 1)
    }

    @Test("a description that is closed leaves the epoll")
    func leaving() {
        let guest = TestGuest()
        let ends = guest.pipe()
        let epoll = guest.call(Linux.epoll_create1, 0) ?? -1
        #expect(watch(guest, epoll, ends.writer, 4) == 0)
        #expect(guest.call(Linux.epoll_wait, epoll, guest.room(12), 1, 0) == 1)
        #expect(guest.call(Linux.write, ends.writer, guest.put("x"), 1) == 1)
        #expect(guest.call(Linux.close, ends.writer) == 0)
        #expect(guest.call(Linux.read, ends.reader, guest.room(1), 1) == 1)
        #expect(guest.call(Linux.epoll_wait, epoll, guest.room(12), 1, 0) == 0)
    }

    @Test("what was not asked for is no edge")
    func edges() {
        let guest = TestGuest()
        let (one, two) = guest.pair(2)
        let epoll = guest.call(Linux.epoll_create1, 0) ?? -1
        #expect(guest.send(two, "x") == 1)
        #expect(watch(guest, epoll, one, 1 << 31 | 1) == 0)
        #expect(guest.call(Linux.epoll_wait, epoll, guest.room(12), 1, 0) == 1)
        // Room to write is news for writers only.
        #expect(guest.send(one, "y") == 1)
        #expect(guest.receive(two) == "y")
        #expect(guest.call(Linux.epoll_wait, epoll, guest.room(12), 1, 0) == 0)
    }
}
