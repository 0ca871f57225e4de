import LinuxABI
import Testing

@testable import Kernel
@testable import Syscalls

/// A pseudo-terminal and whoever works at it.
private struct Pair {
    let guest: TestGuest
    let master: Int
    let slave: Int

    init(_ guest: TestGuest, by thread: GuestThread? = nil) {
        self.guest = guest
        master = guest.call(Linux.open, guest.put("/ptmx"), 0o4402, 0, by: thread) ?? -1
        #expect(guest.call(Linux.ioctl, master, 0x4004_5431, guest.put([0] as [Int32]), by: thread) == 0)
        let number = guest.room(4)
        #expect(guest.call(Linux.ioctl, master, 0x8004_5430, number, by: thread) == 0)
        let path = "/pts/\(guest.peek(Int32.self, at: number))"
        slave = guest.call(Linux.open, guest.put(path), 0o4402, 0, by: thread) ?? -1
    }

    func type(_ text: String) {
        #expect(guest.call(Linux.write, master, guest.put(text), text.utf8.count) == text.utf8.count)
    }

    func read(_ fd: Int) -> String? {
        let room = guest.room(200)
        guard let count = guest.call(Linux.read, fd, room, 200), count >= 0 else { return nil }
        return String(decoding: guest.peek(count, at: room), as: UTF8.self)
    }

    /// Changes flags and characters of the settings.
    func set(local clear: UInt32 = 0, characters: [Int: UInt8] = [:]) {
        let room = guest.room(36)
        #expect(guest.call(Linux.ioctl, slave, 0x5401, room) == 0)
        var writer = ByteWriter()
        writer.put(guest.peek(UInt32.self, at: room + 12) & ~clear)
        guest.poke(writer.bytes, at: room + 12)
        for (index, byte) in characters { guest.poke([byte], at: room + 17 + index) }
        #expect(guest.call(Linux.ioctl, slave, 0x5402, room) == 0)
    }
}

@Suite("pty(7)")
struct PseudoTerminalTests {
    @Test("typed lines are echoed, edited and read one at a time")
    func lines() {
        let pair = Pair(TestGuest())
        pair.type("helo\u{7f}lo\n")
        #expect(pair.read(pair.master) == "helo\u{8} \u{8}lo\r\n")
        #expect(pair.read(pair.slave) == "hello\n")
        #expect(pair.read(pair.slave) == nil)
        pair.type("one two\u{17}x\nnext\n")
        #expect(pair.read(pair.slave) == "one x\n")
        #expect(pair.read(pair.slave) == "next\n")
        pair.type("abc\u{15}d\u{16}\u{3}\n")
        #expect(pair.read(pair.slave) == "d\u{3}\n")
        pair.type("part\u{4}")
        #expect(pair.read(pair.slave) == "part")
        pair.type("\u{4}")
        #expect(pair.read(pair.slave) == "")
    }

    @Test("lines that nobody reads yet are kept, and none is lost")
    func waitingLines() {
        let guest = TestGuest()
        let pair = Pair(guest)
        let line = String(repeating: "x", count: 99) + "\n"
        let whole = guest.put(String(repeating: line, count: 200))
        #expect(guest.call(Linux.write, pair.master, whole, 20_000) == 20_000)
        let room = guest.room(200)
        for _ in 0..<200 { #expect(guest.call(Linux.read, pair.slave, room, 200) == 100) }
        #expect(pair.read(pair.slave) == nil)
    }

    @Test("keys without end stop at EAGAIN, whatever they are", arguments: [4, 10, 18, 22, 0x61] as [UInt8])
    func endlessKeys(_ key: UInt8) {
        let guest = TestGuest()
        let pair = Pair(guest)
        // Something to print again, with ^R.
        pair.type(String(repeating: "a", count: 4000))
        let keys = guest.put([UInt8](repeating: key, count: 100_000))
        var written = 0
        for _ in 0..<20 {
            guard let count = guest.call(Linux.write, pair.master, keys, 100_000), count > 0 else { break }
            written += count
        }
        // Lines fill the room; what edits a line, or is too much of it, goes nowhere.
        #expect(key == 4 || key == 10 ? written < 100_000 : written == 2_000_000)
        var shown = 0
        while let text = pair.read(pair.master), !text.isEmpty { shown += text.utf8.count }
        #expect(shown < 30_000)
    }

    @Test("output gets its carriage returns")
    func output() {
        let pair = Pair(TestGuest())
        #expect(pair.guest.call(Linux.write, pair.slave, pair.guest.put("a\nb"), 3) == 3)
        #expect(pair.read(pair.master) == "a\r\nb")
    }

    @Test("without lines a read waits for VMIN bytes, and no longer than VTIME")
    func raw() {
        let guest = TestGuest()
        let pair = Pair(guest)
        pair.set(local: 0o10 | 0o2 | 0o1, characters: [6: 3])
        pair.type("a\u{3}")
        #expect(pair.read(pair.slave) == nil)
        pair.type("c")
        #expect(pair.read(pair.slave) == "a\u{3}c")
        #expect(pair.read(pair.master) == nil)
        pair.set(characters: [5: 2, 6: 0])
        #expect(guest.call(Linux.fcntl, pair.slave, 4, 0) == 0)
        #expect(guest.call(Linux.read, pair.slave, guest.room(9), 9) == nil)
        guest.pass(milliseconds: 200)
        #expect(guest.resume() == 0)
    }

    @Test("each side sees the other go: EIO for the master, the end and EIO for the slave")
    func closing() {
        let guest = TestGuest()
        let first = Pair(guest)
        #expect(guest.call(Linux.close, first.slave) == 0)
        #expect(guest.call(Linux.read, first.master, guest.room(1), 1) == -.EIO)
        #expect(guest.poll(first.master) & 0x10 != 0)
        let second = Pair(guest)
        #expect(guest.call(Linux.close, second.master) == 0)
        #expect(second.read(second.slave) == "")
        #expect(guest.call(Linux.write, second.slave, guest.put("x"), 1) == -.EIO)
        #expect(guest.call(Linux.open, guest.put("/pts/1"), 2, 0) == -.ENOENT)
    }
}

@Suite("job control")
struct JobControlTests {
    /// A child that leads a session with a terminal of its own.
    private func session() -> (guest: TestGuest, leader: GuestThread, pair: Pair) {
        let guest = TestGuest()
        let leader = guest.fork(200)
        #expect(guest.call(Linux.setsid, by: leader) == 200)
        let pair = Pair(guest, by: leader)
        #expect(guest.call(Linux.ioctl, pair.slave, 0x540e, 0, by: leader) == 0)
        return (guest, leader, pair)
    }

    private func foreground(_ guest: TestGuest, _ fd: Int, by thread: GuestThread) -> Int? {
        let room = guest.room(4)
        let result = guest.call(Linux.ioctl, fd, 0x540f, room, by: thread)
        return result == 0 ? Int(guest.peek(Int32.self, at: room)) : result
    }

    @Test("a session leader takes a terminal, and /dev/tty is it")
    func controlling() {
        let (guest, leader, pair) = session()
        #expect(foreground(guest, pair.slave, by: leader) == 200)
        #expect((guest.call(Linux.open, guest.put("/tty"), 2, 0, by: leader) ?? -1) > 0)
        #expect(guest.call(Linux.open, guest.put("/tty"), 2, 0) == -.ENXIO)
        let foreign = Pair(guest)
        #expect(foreground(guest, foreign.slave, by: guest.thread) == -.ENOTTY)
        #expect(guest.call(Linux.ioctl, foreign.slave, 0x540e, 0) == -.EPERM)
    }

    @Test("^C is a signal for the foreground and nobody else")
    func interrupting() {
        let (guest, leader, pair) = session()
        let job = guest.fork(201, of: leader)
        #expect(guest.call(Linux.setpgid, 201, 0, by: leader) == 0)
        #expect(guest.call(Linux.ioctl, pair.slave, 0x5410, guest.put([201] as [Int32]), by: leader) == 0)
        #expect(guest.call(Linux.write, pair.master, guest.put("\u{3}"), 1, by: leader) == 1)
        #expect(job.process.pendingSignals.set == SignalSet(SignalNumber(2)))
        #expect(leader.process.pendingSignals.set.isEmpty)
    }

    @Test("the background is stopped when it reads, and when it changes the terminal, unless it ignores that")
    func background() {
        let (guest, leader, pair) = session()
        let job = guest.fork(201, of: leader)
        #expect(guest.call(Linux.setpgid, 201, 0, by: leader) == 0)
        #expect(guest.call(Linux.read, pair.slave, guest.room(1), 1, by: job) == -.ERESTARTSYS)
        #expect(job.process.pendingSignals.set == SignalSet(SignalNumber(21)))
        job.process.pendingSignals.remove(SignalSet(SignalNumber(21)))
        let own = guest.put([201] as [Int32])
        #expect(guest.call(Linux.ioctl, pair.slave, 0x5410, own, by: job) == -.ERESTARTSYS)
        #expect(job.process.pendingSignals.set == SignalSet(SignalNumber(22)))
        job.process.pendingSignals.remove(SignalSet(SignalNumber(22)))
        for signal in [21, 22] as [Int32] { job.process.actions[SignalNumber(signal)].handler = SignalAction.ignore }
        #expect(guest.call(Linux.read, pair.slave, guest.room(1), 1, by: job) == -.EIO)
        #expect(guest.call(Linux.ioctl, pair.slave, 0x5410, own, by: job) == 0)
        #expect(foreground(guest, pair.slave, by: leader) == 201)
        #expect(guest.call(Linux.ioctl, pair.slave, 0x5410, guest.put([999] as [Int32]), by: job) == -.ESRCH)
        #expect(guest.call(Linux.ioctl, pair.slave, 0x5410, guest.put([100] as [Int32]), by: job) == -.EPERM)
    }

    @Test("a new size and the end of the terminal are news for the session")
    func news() {
        let (guest, leader, pair) = session()
        let size = guest.put([24, 80, 0, 0] as [UInt16])
        #expect(guest.call(Linux.ioctl, pair.master, 0x5414, size, by: leader) == 0)
        // SIGWINCH is ignored unless somebody handles it.
        #expect(leader.process.pendingSignals.set.isEmpty)
        #expect(guest.call(Linux.close, pair.master, by: leader) == 0)
        #expect(leader.process.pendingSignals.set.contains(SignalSet(SignalNumber(1))))
        #expect(guest.kernel.terminal(of: ProcessID(200)) == nil)
    }

    @Test("the end of a session's leader frees its terminal")
    func leaving() {
        let (guest, leader, pair) = session()
        let job = guest.fork(201, of: leader)
        #expect(guest.call(Linux.exit_group, 0, by: leader) == -Int(Errno.noReturn.rawValue))
        #expect(job.process.pendingSignals.set.contains(SignalSet(SignalNumber(1))))
        #expect(guest.kernel.terminal(of: ProcessID(200)) == nil)
        #expect(foreground(guest, pair.slave, by: job) == -.ENOTTY)
    }
}
