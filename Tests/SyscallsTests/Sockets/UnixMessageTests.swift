import LinuxABI
import Testing
import VFS

@testable import Kernel
@testable import Syscalls

/// Messages with something beside their bytes.
extension TestGuest {
    /// A `msghdr` over one buffer.
    private func header(_ buffer: Int, _ count: Int, control: Int, _ controlLength: Int) -> Int {
        let vector = put([UInt64(buffer), UInt64(count)])
        return put([0, 0, UInt64(vector), 1, UInt64(control), UInt64(controlLength), 0])
    }

    /// Sends bytes with one control message.
    func send(_ fd: Int, _ text: String, type: Int32, _ data: [UInt8]) -> Int? {
        var writer = ByteWriter()
        writer.put(UInt64(16 + data.count))
        writer.put(Int32(1))
        writer.put(type)
        writer.put(data)
        writer.pad((8 - data.count % 8) % 8)
        let bytes = Array(text.utf8)
        let message = header(put(bytes), bytes.count, control: put(writer.bytes), writer.bytes.count)
        return call(Linux.sendmsg, fd, message, 0x4000)
    }

    func sendFiles(_ fd: Int, _ files: [Int32]) -> Int? {
        var writer = ByteWriter()
        for file in files { writer.put(file) }
        return send(fd, "f", type: 1, writer.bytes)
    }

    /// Receives with room for control messages.
    func receive(
        _ fd: Int, room: Int = 100, control: Int, flags: Int = 0x40
    ) -> (count: Int?, flags: Int, control: [UInt8]) {
        let place = self.room(max(1, control))
        let message = header(self.room(room), room, control: place, control)
        let count = call(Linux.recvmsg, fd, message, flags)
        let length = Int(peek(UInt64.self, at: message + 40))
        return (count, Int(peek(UInt32.self, at: message + 48)), peek(min(length, control), at: place))
    }

    var openFiles: Int { thread.files.numbers.count }
}

@Suite("AF_UNIX messages")
struct UnixMessageTests {
    @Test("a datagram is whole or cut off, never joined with the next", arguments: [2, 5])
    func boundaries(_ type: Int) {
        let guest = TestGuest()
        let (one, two) = guest.pair(type)
        #expect(guest.send(one, "12345") == 5)
        #expect(guest.send(one, "") == 0)
        #expect(guest.send(one, "678") == 3)
        #expect(guest.call(Linux.recvfrom, two, guest.room(3), 3, 0x60, 0, 0) == 5)
        #expect(guest.receive(two) == "")
        let first = guest.room(2)
        let second = guest.room(8)
        let vector = guest.put([UInt64(first), 2, UInt64(second), 8])
        #expect(guest.call(Linux.readv, two, vector, 2) == 3)
        #expect(guest.peek(1, at: second) == Array("8".utf8))
        #expect(guest.call(Linux.sendto, one, first, 212_992, 0, 0, 0) == -.EMSGSIZE)
    }

    @Test("datagrams go to a name, and say where they came from")
    func names() {
        let guest = TestGuest()
        let one = guest.call(Linux.socket, 1, 2, 0) ?? -1
        let two = guest.call(Linux.socket, 1, 2, 0) ?? -1
        let names = [guest.unixAddress("\0one"), guest.unixAddress("\0two")]
        #expect(guest.call(Linux.bind, one, names[0].address, names[0].length) == 0)
        #expect(guest.call(Linux.bind, two, names[1].address, names[1].length) == 0)
        let text = guest.put("hello")
        #expect(guest.call(Linux.sendto, one, text, 5, 0, names[1].address, names[1].length) == 5)
        let source = guest.room(110)
        let length = guest.put([110] as [Int32])
        #expect(guest.call(Linux.recvfrom, two, guest.room(10), 10, 0, source, length) == 5)
        #expect(guest.peek(6, at: source) == [1, 0, 0] + Array("one".utf8))
        #expect(guest.peek(Int32.self, at: length) == 6)
        #expect(guest.call(Linux.close, two) == 0)
        #expect(guest.call(Linux.sendto, one, text, 5, 0, names[1].address, names[1].length) == -.ECONNREFUSED)
        #expect(guest.call(Linux.sendto, one, text, 5, 0, 0, 0) == -.ENOTCONN)
    }

    @Test("open files travel, and an exec closes them when MSG_CMSG_CLOEXEC asks for it")
    func rights() {
        let guest = TestGuest()
        let (one, two) = guest.pair(1)
        let file = guest.call(Linux.open, guest.put("/f"), 0o102, 0o600) ?? -1
        #expect(guest.sendFiles(one, [Int32(file), Int32(file)]) == 1)
        #expect(guest.call(Linux.close, file) == 0)
        let before = guest.openFiles
        let got = guest.receive(two, control: 64, flags: 0x4000_0040)
        #expect(got.count == 1)
        #expect(got.flags == 0x4000_0000)
        #expect(got.control.count == 24)
        #expect(guest.openFiles == before + 2)
        var reader = ByteReader(got.control, from: 16)
        let number: Int32 = reader.take()
        #expect(guest.call(Linux.write, Int(number), guest.put("x"), 1) == 1)
        #expect(guest.call(Linux.fcntl, Int(number), 1, 0) == 1)
    }

    @Test("files without room are closed, and the flags say so")
    func truncated() {
        let guest = TestGuest()
        let (one, two) = guest.pair(2)
        let room = guest.room(8)
        #expect(guest.call(Linux.pipe2, room, 0) == 0)
        let reader = Int(guest.peek(Int32.self, at: room))
        let writer = guest.peek(Int32.self, at: room + 4)
        #expect(guest.sendFiles(one, [writer, writer]) == 1)
        #expect(guest.call(Linux.close, Int(writer)) == 0)
        #expect(guest.poll(reader) == 0)
        let got = guest.receive(two, control: 20)
        #expect(got.flags == 8)
        #expect(got.control.count == 20)
        var numbers = ByteReader(got.control, from: 16)
        let kept = Int(numbers.take(Int32.self))
        #expect(guest.poll(reader) == 0)
        #expect(guest.call(Linux.close, kept) == 0)
        #expect(guest.poll(reader) == 0x10)
    }

    @Test("files that nobody receives are closed with the socket")
    func dropped() {
        let guest = TestGuest()
        let (one, two) = guest.pair(1)
        let room = guest.room(8)
        #expect(guest.call(Linux.pipe2, room, 0) == 0)
        let reader = Int(guest.peek(Int32.self, at: room))
        let writer = guest.peek(Int32.self, at: room + 4)
        #expect(guest.sendFiles(one, [writer]) == 1)
        #expect(guest.call(Linux.close, Int(writer)) == 0)
        #expect(guest.poll(reader) == 0)
        #expect(guest.call(Linux.close, two) == 0)
        #expect(guest.poll(reader) == 0x10)
        #expect(guest.kernel.unixSockets.inFlight.isEmpty)
    }

    @Test("a sender has no more files in flight than it may have open")
    func tooMany() {
        let guest = TestGuest()
        let (one, _) = guest.pair(1)
        guest.thread.process.limits.values[7].soft = 4
        #expect(guest.sendFiles(one, [Int32(one), Int32(one), Int32(one)]) == 1)
        #expect(guest.sendFiles(one, [Int32(one), Int32(one)]) == 1)
        #expect(guest.sendFiles(one, [Int32(one)]) == -.ETOOMANYREFS)
        #expect(guest.send(one, "x") == 1)
    }

    @Test("sockets that only their own queues can reach are collected")
    func garbage() {
        let guest = TestGuest()
        let room = guest.room(8)
        #expect(guest.call(Linux.pipe2, room, 0) == 0)
        let reader = Int(guest.peek(Int32.self, at: room))
        let writer = guest.peek(Int32.self, at: room + 4)
        let (one, two) = guest.pair(1)
        #expect(guest.sendFiles(one, [Int32(one), Int32(two), writer]) == 1)
        #expect(guest.sendFiles(two, [Int32(one), Int32(two)]) == 1)
        for fd in [one, two, Int(writer)] { #expect(guest.call(Linux.close, fd) == 0) }
        #expect(!guest.kernel.unixSockets.inFlight.isEmpty)
        guest.kernel.timers.run(until: guest.clock.now)
        #expect(guest.kernel.unixSockets.inFlight.isEmpty)
        #expect(guest.poll(reader) == 0x10)
    }

    @Test("a socket in flight that somebody can still receive is kept")
    func reachable() {
        let guest = TestGuest()
        let (outerOne, outerTwo) = guest.pair(1)
        let (one, two) = guest.pair(1)
        #expect(guest.sendFiles(one, [Int32(two)]) == 1)
        #expect(guest.sendFiles(outerOne, [Int32(one), Int32(two)]) == 1)
        for fd in [one, two] { #expect(guest.call(Linux.close, fd) == 0) }
        guest.kernel.timers.run(until: guest.clock.now)
        #expect(guest.receive(outerTwo, control: 64).control.count == 24)
    }

    @Test("credentials come to whoever asks for them, and cannot be forged")
    func credentials() {
        let guest = TestGuest()
        let (one, two) = guest.pair(2)
        #expect(guest.call(Linux.setsockopt, two, 1, 16, guest.put([1] as [Int32]), 4) == 0)
        #expect(guest.send(one, "x") == 1)
        let got = guest.receive(two, control: 64)
        #expect(got.control.count == 32)
        #expect(Array(got.control[16..<28]) == [100, 0, 0, 0, 0xe8, 3, 0, 0, 0xe8, 3, 0, 0])
        let forged = SocketCredentials(processID: ProcessID(100), userID: 0, groupID: 1000)
        #expect(guest.send(one, "x", type: 2, forged.encoded) == -.EPERM)
        let other = SocketCredentials(processID: ProcessID(1), userID: 1000, groupID: 1000)
        #expect(guest.send(one, "x", type: 2, other.encoded) == -.EPERM)
        #expect(guest.send(one, "x", type: 9, []) == -.EINVAL)
    }

    @Test("bytes of two writers are not joined where credentials are asked for")
    func writers() {
        let guest = TestGuest()
        let (one, two) = guest.pair(1)
        #expect(guest.call(Linux.setsockopt, two, 1, 16, guest.put([1] as [Int32]), 4) == 0)
        let child = guest.fork(200)
        #expect(guest.call(Linux.sendto, one, guest.put("ab"), 2, 0, 0, 0) == 2)
        #expect(guest.call(Linux.sendto, one, guest.put("cd"), 2, 0, 0, 0, by: child) == 2)
        #expect(guest.receive(two) == "ab")
        #expect(guest.receive(two) == "cd")
    }

    @Test("a receiver that does not keep up makes senders wait, and wakes them")
    func fullQueue() {
        let guest = TestGuest()
        let receiver = guest.call(Linux.socket, 1, 2, 0) ?? -1
        let name = guest.unixAddress("\0slow")
        #expect(guest.call(Linux.bind, receiver, name.address, name.length) == 0)
        var senders: [Int] = []
        var sent = 0
        // Several senders, so that no send buffer is full before the queue is.
        for _ in 0..<4 {
            let sender = guest.call(Linux.socket, 1, 2, 0) ?? -1
            senders.append(sender)
            #expect(guest.call(Linux.connect, sender, name.address, name.length) == 0)
            while guest.send(sender, "x", 0x4040) == 1, sent < 2000 { sent += 1 }
        }
        #expect(sent == 513)
        let last = senders[3]
        #expect(guest.poll(last) == 0)
        #expect(guest.call(Linux.write, last, name.address, 1) == nil)
        #expect(guest.call(Linux.read, receiver, guest.room(1), 1, by: guest.fork(200)) == 1)
        #expect(guest.resume() == 1)
    }

    @Test("many messages go and come with one call each")
    func vectors() {
        let guest = TestGuest()
        let (one, two) = guest.pair(2)
        func entries(_ buffers: [(Int, Int)]) -> Int {
            var words: [UInt64] = []
            for (buffer, count) in buffers {
                let vector = guest.put([UInt64(buffer), UInt64(count)])
                words += [0, 0, UInt64(vector), 1, 0, 0, 0, 0]
            }
            return guest.put(words)
        }
        let sending = entries([(guest.put("one"), 3), (guest.put("three"), 5)])
        #expect(guest.call(Linux.sendmmsg, one, sending, 2, 0) == 2)
        #expect(guest.peek(UInt32.self, at: sending + 64 + 56) == 5)
        let receiving = entries([(guest.room(9), 9), (guest.room(9), 9), (guest.room(9), 9)])
        #expect(guest.call(Linux.recvmmsg, two, receiving, 3, 0x40, 0) == 2)
        #expect(guest.peek(UInt32.self, at: receiving + 56) == 3)
    }
}
