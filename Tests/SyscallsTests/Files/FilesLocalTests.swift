import LinuxABI
import Testing
import VFS

@testable import Kernel
@testable import Syscalls

/// What a process may know of files without asking ends with each change of them, before the call has returned that makes it.
@Suite("Reads that need no kernel")
struct FilesLocalTests {
    private let guest = TestGuest.withTree()
    private var epoch: LocalEpoch { guest.kernel.localEpoch }

    private func tick() { guest.clock.realTime.nanoseconds += 1 }

    private func file(_ number: Int) throws -> OpenFile { try guest.thread.files.file(FileNumber(Int32(number))) }

    /// What is known of a file that is read, and counted on.
    private func contents(_ number: Int) throws -> (series: UInt64, size: Int64)? {
        let file = try file(number)
        tick()
        _ = guest.call(Linux.pread64, number, guest.room(16), 1, 0)
        _ = try? file.operations.localPages(file)
        guard case .pages(let series, let size, true, .max) = file.operations.localContents(file, until: epoch) else {
            return nil
        }
        _ = epoch.use()
        return (series, size)
    }

    /// What a call does to the epoch in which the file's contents were told.
    private func ends(_ number: Int, _ body: () throws -> Void) throws -> Bool {
        _ = try #require(try contents(number))
        let before = epoch.number
        tick()
        try body()
        return epoch.number != before
    }

    @Test("end with every change of the file, by whatever descriptor or name")
    func changes() throws {
        let fd = guest.open("f"), other = guest.open("f", 2), target = guest.put("f")
        let changes: [(String, () -> Int?)] = [
            ("write", { guest.write(other, "x") }),
            ("pwrite", { guest.call(Linux.pwrite64, other, guest.put("yy"), 1, 3) }),
            ("ftruncate", { guest.call(Linux.ftruncate, other, 5) }),
            ("longer", { guest.call(Linux.ftruncate, other, 50) }),
            ("truncate", { guest.call(Linux.truncate, target, 20) }),
            ("chmod", { guest.call(Linux.chmod, target, 0o600) }),
            ("link", { guest.call(Linux.link, target, guest.put("g")) }),
            ("unlink", { guest.call(Linux.unlink, guest.put("g")) }),
            ("rename", { guest.call(Linux.rename, target, guest.put("f2")) }),
            ("append", { guest.write(guest.open("f2", TestGuest.append | 1), "more") }),
            ("open and truncate", { guest.open("f2", TestGuest.truncate | 2) }),
        ]
        for (name, change) in changes {
            if name == "append" { #expect(guest.write(other, "0123") == 4) }
            var result: Int?
            let hasEnded = try ends(fd) { result = change() }
            #expect(hasEnded && (result ?? -1) >= 0, "\(name): \(result ?? 0)")
            if name == "open and truncate" { #expect(guest.write(other, "0123") == 4) }
        }
    }

    @Test("go on where nothing of the file has changed")
    func others() throws {
        let fd = guest.open("f"), other = guest.open("d/g", 2)
        _ = try contents(other)
        #expect(
            try !ends(fd) {
                _ = guest.call(Linux.pread64, fd, guest.room(16), 4, 0)
                _ = guest.call(Linux.lseek, fd, 3, 0)
                _ = guest.read(fd)
                guest.make("elsewhere", "text")
                _ = guest.call(Linux.unlink, guest.put("elsewhere"))
                _ = guest.call(Linux.stat, guest.put("f"), guest.room(144))
            })
        // One word for all: a change of any file that is known ends it.
        #expect(try ends(fd) { _ = guest.write(other, "x") })
    }

    @Test("begin only when reading does not move the time of access any more, and with the size of now")
    func access() throws {
        let fd = guest.open("f", 2)
        let open = try file(fd)
        if case .unknown = open.operations.localContents(open, until: epoch) {} else { Issue.record("not read yet") }
        #expect(try contents(fd)?.size == 10)
        tick()
        #expect(guest.call(Linux.pwrite64, fd, guest.put("end"), 3, 10) == 3)
        if case .unknown = open.operations.localContents(open, until: epoch) {} else { Issue.record("time would move") }
        #expect(try contents(fd)?.size == 13)
    }

    @Test("are not of pages that reading would add")
    func holes() throws {
        let fd = guest.open("sparse", TestGuest.create | 2)
        #expect(guest.call(Linux.ftruncate, fd, 1 << 20) == 0)
        let open = try file(fd)
        #expect(throws: Errno.ENODEV) { try open.operations.localPages(open) }
        let small = guest.open("small", TestGuest.create | 2)
        #expect(guest.call(Linux.ftruncate, small, 10000) == 0)
        #expect(throws: Errno.ENODEV) { _ = try open.operations.localPages(file(small)) }
        // What has become sparse is known no more.
        let fd2 = guest.open("f", 2)
        #expect(try contents(fd2) != nil)
        #expect(guest.call(Linux.ftruncate, fd2, 100_000) == 0)
        #expect(try contents(fd2) == nil)
    }

    @Test("are those of another host file once a file's first changes are copied up or emptied")
    func series() throws {
        let first = guest.open("f", 2), second = guest.open("d/g", 2)
        let one = try #require(try contents(first)), two = try #require(try contents(second))
        #expect(one.series != two.series)
        #expect(guest.call(Linux.ftruncate, first, 3) == 0)
        #expect(try contents(first)?.series == one.series)
    }

    @Test("are offered to who reads often, not to two who take turns")
    func heat() throws {
        let open = try file(guest.open("f"))
        let one = FileTable(), two = FileTable()
        #expect((0..<23).allSatisfy { _ in !open.isHot(for: one) })
        #expect(open.isHot(for: one) && open.isHot(for: one))
        #expect(!open.isHot(for: two) && !open.isHot(for: one))
        #expect((0..<100).allSatisfy { _ in !open.isHot(for: one) && !open.isHot(for: two) })
        open.staysCold()
        #expect((0..<100).allSatisfy { _ in !open.isHot(for: one) })
        #expect(!open.rests(in: 7) && open.rests(in: 7) && !open.rests(in: 8))
    }

    @Test("end with what comes in from outside, once for all that was told")
    func outside() {
        let outside = Outside(), epoch = LocalEpoch()
        var ended: [UInt64] = []
        epoch.whenEnded = { ended.append($0) }
        outside.epoch = epoch
        outside.cameIn()
        #expect(ended.isEmpty)
        let number = epoch.use()
        outside.cameIn()
        outside.cameIn()
        #expect(ended == [number + 1] && epoch.number == number + 1)
    }
}
