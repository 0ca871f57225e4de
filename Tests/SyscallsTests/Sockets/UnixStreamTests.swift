import LinuxABI
import Testing
import VFS

@testable import Kernel
@testable import Syscalls

/// What the tests of sockets share.
extension TestGuest {
    static let nonBlocking = 0o4000

    /// Two connected sockets.
    func pair(_ type: Int, by other: GuestThread? = nil) -> (Int, Int) {
        let room = room(8)
        #expect(call(Linux.socketpair, 1, type, 0, room, by: other) == 0)
        return (Int(peek(Int32.self, at: room)), Int(peek(Int32.self, at: room + 4)))
    }

    /// A `sockaddr_un`: a path, or with a NUL in front a name of the abstract space.
    func unixAddress(_ name: String) -> (address: Int, length: Int) {
        let bytes = [1, 0] + Array(name.utf8) + (name.utf8.first == 0 ? [] : [0])
        return (put(bytes), bytes.count)
    }

    func poll(_ fd: Int) -> Int {
        let entry = put([Int32(fd), 0x2000 | 0x1 | 0x4])
        #expect((call(Linux.poll, entry, 1, 0) ?? -1) >= 0)
        return Int(peek(UInt16.self, at: entry + 6))
    }

    func send(_ fd: Int, _ text: String, _ flags: Int = 0x4000) -> Int? {
        call(Linux.sendto, fd, put(Array(text.utf8)), text.utf8.count, flags, 0, 0)
    }

    func receive(_ fd: Int, _ count: Int = 100, _ flags: Int = 0x40) -> String? {
        let room = room(count)
        guard let got = call(Linux.recvfrom, fd, room, count, flags, 0, 0), got >= 0 else { return nil }
        return String(decoding: peek(got, at: room), as: UTF8.self)
    }
}

@Suite("AF_UNIX streams")
struct UnixStreamTests {
    @Test("bytes come out as they went in, with no boundaries between them")
    func bytes() {
        let guest = TestGuest()
        let (one, two) = guest.pair(1)
        #expect(guest.send(one, "abc") == 3)
        #expect(guest.call(Linux.write, one, guest.put("defg"), 4) == 4)
        #expect(guest.receive(two, 2) == "ab")
        #expect(guest.receive(two, 100, 0x42) == "cdefg")
        #expect(guest.receive(two) == "cdefg")
        #expect(guest.call(Linux.recvfrom, two, guest.room(1), 1, 0x40, 0, 0) == -.EAGAIN)
    }

    @Test("a reader waits for the writer, and a full buffer makes the writer wait")
    func waiting() {
        let guest = TestGuest()
        let (one, two) = guest.pair(1)
        let other = guest.fork(200)
        let room = guest.room(10)
        #expect(guest.call(Linux.read, two, room, 10) == nil)
        #expect(guest.call(Linux.write, one, guest.put("hi"), 2, by: other) == 2)
        #expect(guest.resume() == 2)
        let big = guest.room(65536)
        var written = 0
        while let count = guest.call(Linux.sendto, one, big, 65536, 0x40, 0, 0), count > 0 { written += count }
        // What Linux takes, counted natively.
        #expect(written == 233_152)
        #expect(guest.poll(one) & 4 == 0)
        #expect(guest.call(Linux.write, one, big, 10) == nil)
        var taken = 0
        while guest.thread.state == .parked, let got = guest.call(Linux.read, two, big, 65536, by: other), got > 0 {
            taken += got
        }
        #expect(taken < written)
        #expect(guest.resume() == 10)
    }

    @Test("the end of one side is the end of file of the other, and EPIPE with SIGPIPE for its writes")
    func end() {
        let guest = TestGuest()
        let (one, two) = guest.pair(1)
        #expect(guest.send(one, "last") == 4)
        #expect(guest.call(Linux.close, one) == 0)
        #expect(guest.poll(two) == 0x2015)
        #expect(guest.receive(two) == "last")
        #expect(guest.receive(two) == "")
        #expect(guest.call(Linux.write, two, guest.put("x"), 1) == -.EPIPE)
        #expect(guest.thread.signals.pending.set == SignalSet(SignalNumber(13)))
        guest.thread.signals.pending.remove(SignalSet(SignalNumber(13)))
        #expect(guest.send(two, "x") == -.EPIPE)
        #expect(guest.thread.signals.pending.set.isEmpty)
    }

    @Test("a side that leaves without having read resets the connection, once")
    func reset() {
        let guest = TestGuest()
        let (one, two) = guest.pair(1)
        #expect(guest.send(two, "unread") == 6)
        #expect(guest.call(Linux.close, one) == 0)
        #expect(guest.poll(two) == 0x201d)
        #expect(guest.call(Linux.read, two, guest.room(1), 1) == -.ECONNRESET)
        #expect(guest.call(Linux.read, two, guest.room(1), 1) == 0)
    }

    @Test("shutdown closes halves, on both ends")
    func shutdown() {
        let guest = TestGuest()
        let (one, two) = guest.pair(1)
        #expect(guest.call(Linux.shutdown, one, 3) == -.EINVAL)
        #expect(guest.call(Linux.shutdown, one, 1) == 0)
        #expect(guest.poll(one) == 0x4)
        #expect(guest.poll(two) == 0x2005)
        #expect(guest.receive(two) == "")
        #expect(guest.send(one, "x") == -.EPIPE)
        #expect(guest.send(two, "x") == 1)
        #expect(guest.call(Linux.shutdown, one, 0) == 0)
        #expect(guest.send(two, "x") == -.EPIPE)
    }

    @Test("MSG_WAITALL waits until everything is there")
    func waitAll() {
        let guest = TestGuest()
        let (one, two) = guest.pair(1)
        let other = guest.fork(200)
        let room = guest.room(6)
        #expect(guest.call(Linux.recvfrom, two, room, 6, 0x100, 0, 0) == nil)
        #expect(guest.call(Linux.write, one, guest.put("abc"), 3, by: other) == 3)
        #expect(guest.resume() == nil)
        #expect(guest.call(Linux.write, one, guest.put("defg"), 4, by: other) == 4)
        #expect(guest.resume() == 6)
        #expect(guest.peek(6, at: room) == Array("abcdef".utf8))
        #expect(guest.receive(two) == "g")
    }

    @Test("SO_RCVTIMEO ends a wait in EAGAIN")
    func timeout() {
        let guest = TestGuest()
        let (_, two) = guest.pair(1)
        #expect(guest.call(Linux.setsockopt, two, 1, 20, guest.put([2, 0] as [Int64]), 16) == 0)
        #expect(guest.call(Linux.read, two, guest.room(1), 1) == nil)
        guest.clock.now = guest.clock.now.advanced(by: Timestamp(seconds: 1))
        #expect(guest.resume() == nil)
        guest.clock.now = guest.clock.now.advanced(by: Timestamp(seconds: 1))
        #expect(guest.resume() == -.EAGAIN)
        #expect(guest.call(Linux.setsockopt, two, 1, 20, guest.put([0, -1] as [Int64]), 16) == -.EDOM)
    }
}

@Suite("AF_UNIX connections")
struct UnixConnectionTests {
    @Test("a client connects by path, speaks before it is accepted, and knows its peer")
    func connecting() {
        let guest = TestGuest()
        let server = guest.call(Linux.socket, 1, 1, 0) ?? -1
        let name = guest.unixAddress("/server")
        #expect(guest.call(Linux.bind, server, name.address, name.length) == 0)
        #expect(guest.call(Linux.listen, server, 1) == 0)
        let client = guest.call(Linux.socket, 1, 1, 0) ?? -1
        #expect(guest.call(Linux.connect, client, name.address, name.length) == 0)
        #expect(guest.send(client, "early") == 5)
        #expect(guest.poll(server) == 1)
        let address = guest.room(110)
        let length = guest.put([110] as [Int32])
        let accepted = guest.call(Linux.accept4, server, address, length, 0) ?? -1
        #expect(guest.peek(Int32.self, at: length) == 2)
        #expect(guest.receive(accepted) == "early")
        #expect(guest.call(Linux.getpeername, client, address, guest.put([110] as [Int32])) == 0)
        #expect(guest.peek(9, at: address) == [1, 0] + Array("/server".utf8))
        let credentials = guest.room(12)
        #expect(guest.call(Linux.getsockopt, accepted, 1, 17, credentials, guest.put([12] as [Int32])) == 0)
        #expect(guest.peek(12, at: credentials) == [100, 0, 0, 0, 0xe8, 3, 0, 0, 0xe8, 3, 0, 0])
    }

    @Test("nobody there is ENOENT, nobody listening ECONNREFUSED, another type EPROTOTYPE")
    func refused() {
        let guest = TestGuest()
        let server = guest.call(Linux.socket, 1, 1, 0) ?? -1
        let client = guest.call(Linux.socket, 1, 1, 0) ?? -1
        let datagrams = guest.call(Linux.socket, 1, 2, 0) ?? -1
        let name = guest.unixAddress("/server")
        #expect(guest.call(Linux.connect, client, name.address, name.length) == -.ENOENT)
        #expect(guest.call(Linux.bind, server, name.address, name.length) == 0)
        #expect(guest.call(Linux.bind, client, name.address, name.length) == -.EADDRINUSE)
        #expect(guest.call(Linux.connect, client, name.address, name.length) == -.ECONNREFUSED)
        #expect(guest.call(Linux.listen, server, 1) == 0)
        #expect(guest.call(Linux.connect, datagrams, name.address, name.length) == -.EPROTOTYPE)
        #expect(guest.call(Linux.close, server) == 0)
        #expect(guest.call(Linux.connect, client, name.address, name.length) == -.ECONNREFUSED)
        let abstract = guest.unixAddress("\0nobody")
        #expect(guest.call(Linux.connect, client, abstract.address, abstract.length) == -.ECONNREFUSED)
        #expect(guest.call(Linux.sendto, client, abstract.address, 1, 0, 0, 0) == -.ENOTCONN)
        #expect(guest.call(Linux.accept4, client, 0, 0, 0) == -.EINVAL)
    }

    @Test("a full backlog makes the next client wait until somebody is accepted")
    func backlog() {
        let guest = TestGuest()
        let server = guest.call(Linux.socket, 1, 1, 0) ?? -1
        let name = guest.unixAddress("\0full")
        #expect(guest.call(Linux.bind, server, name.address, name.length) == 0)
        #expect(guest.call(Linux.listen, server, 0) == 0)
        let first = guest.call(Linux.socket, 1, 1, 0) ?? -1
        let second = guest.call(Linux.socket, 1, 1, 0) ?? -1
        #expect(guest.call(Linux.connect, first, name.address, name.length) == 0)
        #expect(guest.call(Linux.connect, second, name.address, name.length) == nil)
        let other = guest.fork(200)
        #expect((guest.call(Linux.accept4, server, 0, 0, 0, by: other) ?? -1) > 0)
        #expect(guest.resume() == 0)
        #expect((guest.call(Linux.accept4, server, 0, 0, 0) ?? -1) > 0)
        #expect(guest.call(Linux.connect, second, name.address, name.length) == -.EISCONN)
    }

    @Test("a connection that is never accepted is reset when the server goes")
    func embryo() {
        let guest = TestGuest()
        let server = guest.call(Linux.socket, 1, 5, 0) ?? -1
        let name = guest.unixAddress("\0gone")
        #expect(guest.call(Linux.bind, server, name.address, name.length) == 0)
        #expect(guest.call(Linux.listen, server, 5) == 0)
        let client = guest.call(Linux.socket, 1, 5, 0) ?? -1
        #expect(guest.call(Linux.connect, client, name.address, name.length) == 0)
        #expect(guest.call(Linux.close, server) == 0)
        #expect(guest.call(Linux.read, client, guest.room(1), 1) == -.ECONNRESET)
    }

    @Test("families, types and protocols that are not there have Linux's errors")
    func kinds() {
        let guest = TestGuest()
        #expect(guest.call(Linux.socket, 2, 1, 0) == -.EAFNOSUPPORT)
        #expect(guest.call(Linux.socket, 16, 3, 0) == -.EAFNOSUPPORT)
        #expect(guest.call(Linux.socket, 1, 4, 0) == -.ESOCKTNOSUPPORT)
        #expect(guest.call(Linux.socket, 1, 11, 0) == -.EINVAL)
        #expect(guest.call(Linux.socket, 1, 0x41, 0) == -.EINVAL)
        #expect(guest.call(Linux.socket, 1, 1, 5) == -.EPROTONOSUPPORT)
        #expect(guest.call(Linux.pipe2, guest.room(8), 0) == 0)
        #expect(guest.call(Linux.listen, 0, 1) == -.ENOTSOCK)
        #expect(guest.call(Linux.listen, 99, 1) == -.EBADF)
    }

    @Test("buffers are doubled and bounded, and unknown options are ENOPROTOOPT")
    func options() {
        let guest = TestGuest()
        let (one, _) = guest.pair(1)
        let room = guest.room(4)
        let four = guest.put([4] as [Int32])
        #expect(guest.call(Linux.setsockopt, one, 1, 7, guest.put([1] as [Int32]), 4) == 0)
        #expect(guest.call(Linux.getsockopt, one, 1, 7, room, four) == 0)
        #expect(guest.peek(Int32.self, at: room) == 4608)
        #expect(guest.call(Linux.getsockopt, one, 1, 3, room, four) == 0)
        #expect(guest.peek(Int32.self, at: room) == 1)
        #expect(guest.call(Linux.getsockopt, one, 1, 99, room, four) == -.ENOPROTOOPT)
        #expect(guest.call(Linux.getsockopt, one, 6, 1, room, four) == -.EOPNOTSUPP)
        #expect(guest.call(Linux.setsockopt, one, 1, 7, room, 2) == -.EINVAL)
    }
}
