import LinuxABI
import Testing
import VFS

@testable import Kernel
@testable import Syscalls

@Suite("read(2), write(2), lseek(2) on files")
struct FilesReadWriteTests {
    @Test("a descriptor for reading does not write, and one for writing does not read: EBADF")
    func modes() {
        let guest = TestGuest.withTree()
        let room = guest.room(10)
        #expect(guest.call(Linux.write, guest.open("f"), room, 1) == -.EBADF)
        #expect(guest.call(Linux.read, guest.open("f", 1), room, 1) == -.EBADF)
        #expect(guest.call(Linux.read, 99, room, 1) == -.EBADF)
        #expect(guest.call(Linux.read, guest.open("d"), room, 1) == -.EISDIR)
    }

    @Test("the position moves with reads and writes, and not with pread and pwrite")
    func position() {
        let guest = TestGuest.withTree()
        let fd = guest.open("f", 2)
        #expect(guest.read(fd, 4) == "0123")
        let room = guest.room(10)
        #expect(guest.call(Linux.pread64, fd, room, 2, 8) == 2)
        #expect(guest.peek(2, at: room) == Array("89".utf8))
        #expect(guest.call(Linux.pwrite64, fd, guest.put("AB"), 2, 0) == 2)
        #expect(guest.call(Linux.lseek, fd, 0, 1) == 4)
        #expect(guest.write(fd, "xy") == 2)
        #expect(guest.text("f") == "AB23xy6789")
    }

    @Test("a bad address at the end of a file is not looked at; before it is EFAULT, and nothing moves")
    func faults() {
        let guest = TestGuest.withTree()
        let fd = guest.open("f", 2)
        #expect(guest.call(Linux.read, fd, 1, 5) == -.EFAULT)
        #expect(guest.call(Linux.lseek, fd, 0, 1) == 0)
        #expect(guest.call(Linux.write, fd, 1, 5) == -.EFAULT)
        #expect(guest.call(Linux.lseek, fd, 0, 2) == 10)
        #expect(guest.call(Linux.read, fd, 1, 5) == 0)
        #expect(guest.call(Linux.read, fd, 0x10000, -1) == -.EFAULT)
    }

    static let seeks: [(sentence: String, offset: Int, whence: Int, result: Int)] = [
        ("to a place", 5, 0, 5), ("before the beginning is EINVAL", -1, 0, -.EINVAL),
        ("from the position", 3, 1, 3), ("from the end", -1, 2, 9), ("beyond the end", 100, 2, 110),
        ("an overflow is EINVAL", .max, 2, -.EINVAL), ("an unknown whence is EINVAL", 0, 9, -.EINVAL),
        ("to data", 4, 3, 4), ("to a hole: the end", 4, 4, 10), ("to data behind the end is ENXIO", 10, 3, -.ENXIO),
        ("to a hole before the beginning is ENXIO", -1, 4, -.ENXIO),
    ]

    @Test("lseek(2) goes where Linux goes", arguments: seeks)
    func seek(_ expected: (sentence: String, offset: Int, whence: Int, result: Int)) {
        let guest = TestGuest.withTree()
        #expect(guest.call(Linux.lseek, guest.open("f"), expected.offset, expected.whence) == expected.result)
    }

    @Test("O_APPEND writes at the end wherever the position is, also with pwrite")
    func append() {
        let guest = TestGuest.withTree()
        let fd = guest.open("f", TestGuest.append | 1)
        #expect(guest.call(Linux.lseek, fd, 2, 0) == 2)
        #expect(guest.write(fd, "A") == 1)
        #expect(guest.call(Linux.lseek, fd, 0, 1) == 11)
        #expect(guest.call(Linux.pwrite64, fd, guest.put("B"), 1, 0) == 1)
        #expect(guest.call(Linux.lseek, fd, 0, 1) == 11)
        #expect(guest.text("f") == "0123456789AB")
    }

    @Test("RWF_APPEND appends once; unknown flags are EOPNOTSUPP")
    func appendFlag() {
        let guest = TestGuest.withTree()
        let fd = guest.open("f", 2)
        let vector = guest.put([Int64(guest.put("zz")), 2])
        #expect(guest.call(Linux.pwritev2, fd, vector, 1, 0, 0, 0x10) == 2)
        #expect(guest.call(Linux.pwritev2, fd, vector, 1, 0, 0, 0x1000) == -.EOPNOTSUPP)
        #expect(guest.call(Linux.pwritev2, fd, vector, 1, 0, 0, 0) == 2)
        #expect(guest.text("f") == "zz23456789zz")
    }

    @Test("a vector is read and written in order; more than 1024 entries and negative lengths are EINVAL")
    func vectors() {
        let guest = TestGuest.withTree()
        let fd = guest.open("f", 2)
        let one = guest.room(4)
        let two = guest.room(4)
        let vector = guest.put([Int64(one), 3, Int64(two), 4])
        #expect(guest.call(Linux.readv, fd, vector, 2) == 7)
        #expect(guest.peek(3, at: one) == Array("012".utf8))
        #expect(guest.peek(4, at: two) == Array("3456".utf8))
        #expect(guest.call(Linux.readv, fd, vector, 1025) == -.EINVAL)
        #expect(guest.call(Linux.readv, fd, guest.put([Int64(one), -1]), 1) == -.EINVAL)
        #expect(guest.call(Linux.readv, fd, 1, 1) == -.EFAULT)
        #expect(guest.call(Linux.preadv, fd, vector, 2, -1, 0) == -.EINVAL)
    }

    @Test("a hole reads as zeros")
    func hole() {
        let guest = TestGuest.withTree()
        let fd = guest.open("f", 2)
        #expect(guest.call(Linux.pwrite64, fd, guest.put("end"), 3, 20) == 3)
        let room = guest.room(30)
        #expect(guest.call(Linux.pread64, fd, room, 30, 8) == 15)
        #expect(guest.peek(15, at: room) == Array("89".utf8) + [UInt8](repeating: 0, count: 10) + Array("end".utf8))
    }

    @Test("truncate and ftruncate cut and grow; what is cut comes back as zeros")
    func truncates() {
        let guest = TestGuest.withTree()
        let fd = guest.open("f", 2)
        #expect(guest.call(Linux.ftruncate, fd, 3) == 0)
        #expect(guest.call(Linux.ftruncate, fd, 6) == 0)
        #expect(guest.text("f") == "012\0\0\0")
        #expect(guest.call(Linux.ftruncate, guest.open("f"), 0) == -.EINVAL)
        #expect(guest.call(Linux.ftruncate, fd, -1) == -.EINVAL)
        #expect(guest.call(Linux.truncate, guest.put("d"), 0) == -.EISDIR)
        #expect(guest.call(Linux.truncate, guest.put("p"), 0) == -.EINVAL)
        #expect(guest.call(Linux.truncate, guest.put("f"), 1 << 62) == -.EFBIG)
    }

    static let allocations: [(sentence: String, mode: Int, offset: Int, length: Int, result: Int)] = [
        ("nothing is EINVAL", 0, 0, 0, -.EINVAL), ("a negative offset is EINVAL", 0, -1, 4, -.EINVAL),
        ("an unknown mode is EOPNOTSUPP", 0x80, 0, 4, -.EOPNOTSUPP),
        ("punching without keeping the size is EOPNOTSUPP", 2, 0, 4, -.EOPNOTSUPP),
        ("punching and zeroing at once is EOPNOTSUPP", 0x13, 0, 4, -.EOPNOTSUPP),
        ("collapsing is EOPNOTSUPP", 8, 0, 4, -.EOPNOTSUPP), ("too far is EFBIG", 0, 1 << 50, 4, -.EFBIG),
        ("an overflow is EFBIG", 0, .max, 4, -.EFBIG),
    ]

    @Test("what fallocate(2) cannot do has Linux's errno", arguments: allocations)
    func allocate(_ expected: (sentence: String, mode: Int, offset: Int, length: Int, result: Int)) {
        let guest = TestGuest.withTree()
        let fd = guest.open("f", 2)
        #expect(guest.call(Linux.fallocate, fd, expected.mode, expected.offset, expected.length) == expected.result)
        #expect(guest.text("f") == "0123456789")
    }

    @Test("fallocate(2) grows, keeps the size, punches and zeroes")
    func allocates() {
        let guest = TestGuest.withTree()
        let fd = guest.open("f", 2)
        #expect(guest.call(Linux.fallocate, fd, 0, 0, 5000) == 0)
        #expect(guest.status("f")?.size == 5000)
        #expect(guest.call(Linux.fallocate, fd, 1, 0, 20000) == 0)
        #expect(guest.status("f")?.size == 5000)
        #expect(guest.status("f")?.blocks == 40)
        #expect(guest.call(Linux.fallocate, fd, 3, 2, 3) == 0)
        #expect(guest.call(Linux.fallocate, fd, 0x10, 6, 2) == 0)
        #expect(guest.read(fd, 10) == "01\0\0\u{0}5\0\089")
    }

    @Test("RLIMIT_FSIZE shortens a write that begins below it, and ends one that does not with SIGXFSZ")
    func limit() {
        let guest = TestGuest.withTree()
        guest.thread.process.limits.values[1].soft = 12
        let fd = guest.open("f", 2)
        #expect(guest.call(Linux.lseek, fd, 0, 2) == 10)
        #expect(guest.write(fd, "abcdef") == 2)
        #expect(guest.write(fd, "x") == -.EFBIG)
        #expect(guest.thread.signals.pending.set.union(guest.thread.process.pendingSignals.set).rawValue == 1 << 24)
        #expect(guest.call(Linux.ftruncate, fd, 13) == -.EFBIG)
        #expect(guest.call(Linux.ftruncate, fd, 12) == 0)
    }

    @Test("reading moves the access time once, unless O_NOATIME says no")
    func accessTime() {
        let guest = TestGuest.withTree()
        let before = guest.status("f")?.accessTime
        guest.clock.realTime.seconds += 10
        let quiet = guest.open("f", 0o1000000)
        #expect(guest.read(quiet) == "0123456789")
        #expect(guest.status("f")?.accessTime == before)
        #expect(guest.text("f") == "0123456789")
        #expect(guest.status("f")?.accessTime == guest.clock.realTime)
        guest.clock.realTime.seconds += 10
        #expect(guest.text("f") == "0123456789")
        #expect(guest.status("f")?.accessTime.seconds == guest.clock.realTime.seconds - 10)
        guest.clock.realTime.seconds += 86400
        #expect(guest.text("f") == "0123456789")
        #expect(guest.status("f")?.accessTime == guest.clock.realTime)
    }

    @Test("writing takes the set-id bits from a program, unless the writer may keep them")
    func privileges() {
        let guest = TestGuest.withTree()
        guest.make("program", "x", mode: 0o777)
        #expect(guest.call(Linux.chmod, guest.put("program"), 0o6777) == 0)
        #expect(guest.write(guest.open("program", 1), "y") == 1)
        #expect(guest.status("program")?.mode == 0o106777)
        guest.become(1000)
        #expect(guest.write(guest.open("program", 1), "z") == 1)
        #expect(guest.status("program")?.mode == 0o100777)
    }
}

@Suite("sendfile(2), copy_file_range(2)")
struct FilesCopyTests {
    @Test("sendfile(2) moves the source's position, or the offset instead")
    func sendfile() {
        let guest = TestGuest.withTree()
        let source = guest.open("f")
        let target = guest.open("t", TestGuest.create | 2)
        let offset = guest.put([Int64(4)])
        #expect(guest.call(Linux.sendfile, target, source, offset, 3) == 3)
        #expect(guest.peek(Int64.self, at: offset) == 7)
        #expect(guest.call(Linux.sendfile, target, source, 0, 100) == 10)
        #expect(guest.call(Linux.lseek, source, 0, 1) == 10)
        #expect(guest.text("t") == "4560123456789")
    }

    @Test("sendfile(2) to a pipe takes what there is room for, and leaves the rest unread")
    func sendfileToPipe() {
        let guest = TestGuest.withTree()
        let ends = guest.room(8)
        #expect(guest.call(Linux.pipe2, ends, 0o4000) == 0)
        let writer = Int(guest.peek(Int32.self, at: ends + 4))
        let big = guest.open("big", TestGuest.create | 2)
        #expect(guest.call(Linux.ftruncate, big, 200_000) == 0)
        #expect(guest.call(Linux.sendfile, writer, big, 0, 200_000) == 65536)
        #expect(guest.call(Linux.lseek, big, 0, 1) == 65536)
        #expect(guest.call(Linux.sendfile, writer, big, 0, 1) == -.EAGAIN)
    }

    @Test("copy_file_range(2) knows offsets, ends and overlaps")
    func copy() {
        let guest = TestGuest.withTree()
        let source = guest.open("f", 2)
        let target = guest.open("t", TestGuest.create | 2)
        let from = guest.put([Int64(2)])
        let to = guest.put([Int64(1)])
        #expect(guest.call(Linux.copy_file_range, source, from, target, to, 3, 0) == 3)
        #expect(guest.peek(Int64.self, at: from) == 5)
        #expect(guest.peek(Int64.self, at: to) == 4)
        #expect(guest.call(Linux.copy_file_range, source, from, target, to, 100, 0) == 5)
        #expect(guest.text("t") == "\u{0}23456789")
        #expect(guest.call(Linux.copy_file_range, source, 0, source, guest.put([Int64(5)]), 8, 0) == -.EINVAL)
        #expect(guest.call(Linux.copy_file_range, source, 0, target, 0, 1, 1) == -.EINVAL)
        #expect(guest.call(Linux.copy_file_range, source, 0, guest.open("t"), 0, 1, 0) == -.EBADF)
        #expect(guest.call(Linux.copy_file_range, source, 0, guest.open("d"), 0, 1, 0) == -.EISDIR)
        #expect(guest.call(Linux.copy_file_range, source, 0, guest.open("p", 2), 0, 1, 0) == -.EINVAL)
    }
}

@Suite("getdents64(2)")
struct FilesDirectoryTests {
    @Test("a directory can be emptied while it is read: no name is missed")
    func removeWhileReading() {
        let guest = TestGuest.withTree()
        #expect(guest.call(Linux.mkdir, guest.put("many"), 0o755) == 0)
        for number in 0..<300 { guest.call(Linux.close, guest.open("many/\(number)", TestGuest.create | 2)) }
        let fd = guest.open("many")
        let room = guest.room(512)
        var seen = 0
        while let got = guest.call(Linux.getdents64, fd, room, 512), got > 0 {
            var next = 0
            let bytes = guest.peek(got, at: room)
            while next < got {
                var reader = ByteReader(bytes, from: next + 16)
                let length = Int(reader.take(UInt16.self))
                let name = String(decoding: bytes[next + 19..<next + length].prefix { $0 != 0 }, as: UTF8.self)
                if name != ".", name != ".." {
                    seen += 1
                    guest.call(Linux.unlink, guest.put("many/" + name))
                }
                next += length
            }
        }
        #expect(seen == 300)
        #expect(guest.call(Linux.rmdir, guest.put("many")) == 0)
    }

    @Test("a position that was told leads back to the same name; the beginning shows what is there now")
    func positions() {
        let guest = TestGuest.withTree()
        let fd = guest.open("d")
        let room = guest.room(32)
        #expect(guest.call(Linux.getdents64, fd, room, 24) == 24)
        let place = Int(guest.peek(Int64.self, at: room + 8))
        let rest = guest.list(fd)
        guest.make("d/new")
        #expect(guest.call(Linux.lseek, fd, place, 0) == place)
        #expect(guest.list(fd) == rest)
        #expect(guest.call(Linux.lseek, fd, 0, 0) == 0)
        #expect(guest.list(fd).sorted() == ["g", "new", "s"])
    }

    @Test("too little room is EINVAL, a file is ENOTDIR, a bad address is EFAULT")
    func failures() {
        let guest = TestGuest.withTree()
        #expect(guest.call(Linux.getdents64, guest.open("d"), guest.room(32), 10) == -.EINVAL)
        #expect(guest.call(Linux.getdents64, guest.open("f"), guest.room(32), 32) == -.ENOTDIR)
        #expect(guest.call(Linux.getdents64, guest.open("d"), 1, 100) == -.EFAULT)
    }
}
