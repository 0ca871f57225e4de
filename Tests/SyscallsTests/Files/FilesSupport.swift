import LinuxABI
import Testing
import VFS

@testable import Kernel
@testable import Syscalls

/// What the tests of the file family share.
extension TestGuest {
    static let atCurrent = -100
    static let create = 0o100
    static let exclusive = 0o200
    static let truncate = 0o1000
    static let append = 0o2000
    static let directory = 0o200000
    static let noFollow = 0o400000
    static let pathOnly = 0o10000000
    static let temporary = 0o20200000

    /// A guest with `f` (ten digits), `d/s/`, `d/g`, links `lf`, `ld`, `dangling`, a circle of links, and a FIFO `p`.
    static func withTree(user: UInt32 = 0) -> TestGuest {
        let guest = TestGuest(user: user)
        guest.make("f", "0123456789")
        guest.call(Linux.mkdir, guest.put("d"), 0o755)
        guest.call(Linux.mkdir, guest.put("d/s"), 0o755)
        guest.make("d/g", "inside")
        guest.link("f", "lf")
        guest.link("d", "ld")
        guest.link("target", "dangling")
        guest.link("circle2", "circle1")
        guest.link("circle1", "circle2")
        guest.call(Linux.mknod, guest.put("p"), 0o10644, 0)
        return guest
    }

    @discardableResult
    func open(_ path: String, _ flags: Int = 0, _ mode: Int = 0o644, by other: GuestThread? = nil) -> Int {
        call(Linux.open, put(path), flags, mode, by: other) ?? -9999
    }

    /// A file with these bytes.
    func make(_ path: String, _ text: String = "", mode: Int = 0o644) {
        let fd = open(path, TestGuest.create | 2, mode)
        #expect(fd >= 0)
        if !text.isEmpty { #expect(write(fd, text) == text.utf8.count) }
        call(Linux.close, fd)
    }

    func link(_ target: String, _ path: String) { #expect(call(Linux.symlink, put(target), put(path)) == 0) }

    @discardableResult
    func write(_ fd: Int, _ text: String, by other: GuestThread? = nil) -> Int {
        call(Linux.write, fd, put(Array(text.utf8)), text.utf8.count, by: other) ?? -9999
    }

    func read(_ fd: Int, _ count: Int = 100) -> String? {
        let room = room(count)
        guard let got = call(Linux.read, fd, room, count), got >= 0 else { return nil }
        return String(decoding: peek(got, at: room), as: UTF8.self)
    }

    /// The whole of a file; nil if it cannot be read.
    func text(_ path: String) -> String? {
        let fd = open(path)
        guard fd >= 0 else { return nil }
        defer { call(Linux.close, fd) }
        return read(fd, 4096)
    }

    /// What `lstat(2)` says; nil if there is nothing.
    func status(_ path: String) -> StatBuffer? {
        let room = room(144)
        guard call(Linux.lstat, put(path), room) == 0 else { return nil }
        var reader = ByteReader(peek(144, at: room))
        return StatBuffer(from: &reader)
    }

    func names(_ path: String) -> [String] {
        let fd = open(path, TestGuest.directory)
        defer { call(Linux.close, fd) }
        return list(fd)
    }

    /// The rest of an open directory, without `.` and `..`.
    func list(_ fd: Int, room size: Int = 4096) -> [String] {
        let room = room(size)
        var names: [String] = []
        while let got = call(Linux.getdents64, fd, room, size), got > 0 {
            var next = 0
            let bytes = peek(got, at: room)
            while next < got {
                var reader = ByteReader(bytes, from: next + 16)
                let length = Int(reader.take(UInt16.self))
                let name = bytes[next + 19..<next + length].prefix { $0 != 0 }
                names.append(String(decoding: name, as: UTF8.self))
                next += length
            }
        }
        return names.filter { $0 != "." && $0 != ".." }
    }

    func rename(_ old: String, _ new: String, _ flags: Int = 0) -> Int? {
        call(Linux.renameat2, TestGuest.atCurrent, put(old), TestGuest.atCurrent, put(new), flags)
    }

    /// The same guest as somebody without privileges.
    func become(_ user: UInt32, groups: [UInt32] = []) {
        var credentials = Credentials()
        credentials.userID = user
        credentials.effectiveUserID = user
        credentials.savedUserID = user
        credentials.fileSystemUserID = user
        credentials.groupID = user
        credentials.effectiveGroupID = user
        credentials.savedGroupID = user
        credentials.fileSystemGroupID = user
        credentials.groups = groups
        thread.credentials = credentials
    }
}

/// One call and what it gives.
struct Expectation: Sendable, CustomTestStringConvertible {
    let sentence: String
    let first: String
    let second: String
    let flags: Int
    let result: Int

    init(_ sentence: String, _ first: String, _ second: String = "", _ flags: Int = 0, _ result: Int) {
        self.sentence = sentence
        self.first = first
        self.second = second
        self.flags = flags
        self.result = result
    }

    var testDescription: String { sentence }
}
