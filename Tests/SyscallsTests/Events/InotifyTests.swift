import LinuxABI
import Testing

@testable import Kernel
@testable import Syscalls

@Suite("inotify(7)")
struct InotifyTests {
    private let guest = TestGuest()
    private let fd: Int

    init() { fd = guest.call(Linux.inotify_init1, 0o4000) ?? -1 }

    private func watch(_ path: String, _ mask: Int = 0xfff) -> Int? {
        guest.call(Linux.inotify_add_watch, fd, guest.put(path), mask)
    }

    /// What has happened, each as `watch:mask:name`; a cookie as `*`.
    private func events() -> [String] {
        let room = guest.room(4096)
        guard let count = guest.call(Linux.read, fd, room, 4096), count > 0 else { return [] }
        var reader = ByteReader(guest.peek(count, at: room))
        var texts: [String] = []
        while reader.remaining > 0 {
            let watch: Int32 = reader.take()
            let mask: UInt32 = reader.take()
            let cookie: UInt32 = reader.take()
            let length: UInt32 = reader.take()
            let name = reader.take(count: Int(length)).prefix { $0 != 0 }
            let text = "\(watch):\(String(mask, radix: 16)):\(String(decoding: name, as: UTF8.self))"
            texts.append(text + (cookie == 0 ? "" : "*"))
        }
        return texts
    }

    @Test("a directory hears of its files, and a file of itself")
    func file() {
        #expect(guest.call(Linux.mkdir, guest.put("/d"), 0o755) == 0)
        #expect(watch("/d") == 1)
        let file = guest.call(Linux.open, guest.put("/d/f"), 0o102, 0o600) ?? -1
        #expect(events() == ["1:100:f", "1:20:f"])
        #expect(watch("/d/f") == 2)
        #expect(guest.call(Linux.write, file, guest.put("x"), 1) == 1)
        #expect(events() == ["1:2:f", "2:2:"])
        #expect(guest.call(Linux.fchmod, file, 0o644) == 0)
        #expect(guest.call(Linux.close, file) == 0)
        #expect(events() == ["1:4:f", "2:4:", "1:8:f", "2:8:"])
    }

    @Test("a rename has two halves with one cookie")
    func renaming() {
        #expect(guest.call(Linux.mkdir, guest.put("/d"), 0o755) == 0)
        #expect(guest.call(Linux.mkdir, guest.put("/d/s"), 0o755) == 0)
        #expect(watch("/d") == 1)
        #expect(guest.call(Linux.rename, guest.put("/d/s"), guest.put("/d/t")) == 0)
        #expect(events() == ["1:40000040:s*", "1:40000080:t*"])
        #expect(guest.call(Linux.rmdir, guest.put("/d/t")) == 0)
        #expect(events() == ["1:40000200:t"])
    }

    @Test("the end of a file ends its watch")
    func deleting() {
        let file = guest.call(Linux.open, guest.put("/f"), 0o102, 0o600) ?? -1
        #expect(guest.call(Linux.close, file) == 0)
        #expect(guest.call(Linux.link, guest.put("/f"), guest.put("/g")) == 0)
        #expect(watch("/f") == 1)
        #expect(guest.call(Linux.unlink, guest.put("/g")) == 0)
        #expect(events() == ["1:4:"])
        #expect(guest.call(Linux.unlink, guest.put("/f")) == 0)
        #expect(events() == ["1:4:", "1:400:", "1:8000:"])
        #expect(guest.call(Linux.inotify_rm_watch, fd, 1) == -.EINVAL)
    }

    @Test("a mask is replaced or added to, and a watch may be for one event")
    func masks() {
        #expect(watch("/", 0x100) == 1)
        #expect(watch("/", 0x200) == 1)
        #expect(guest.call(Linux.mkdir, guest.put("/a"), 0o755) == 0)
        #expect(events() == [])
        #expect(watch("/", 0x2000_0100) == 1)
        #expect(guest.call(Linux.mkdir, guest.put("/b"), 0o755) == 0)
        #expect(events() == ["1:40000100:b"])
        #expect(watch("/", 0x1000_0100) == -.EEXIST)
        #expect(watch("/", 0x8000_0100) == 1)
        #expect(guest.call(Linux.mkdir, guest.put("/c"), 0o755) == 0)
        #expect(guest.call(Linux.mkdir, guest.put("/e"), 0o755) == 0)
        #expect(events() == ["1:40000100:c", "1:8000:"])
    }

    @Test("the same again is told once, and a buffer that is too small is EINVAL")
    func reading() {
        #expect(watch("/", 0x100) == 1)
        #expect(guest.call(Linux.read, fd, guest.room(64), 64) == -.EAGAIN)
        #expect(guest.call(Linux.mkdir, guest.put("/a"), 0o755) == 0)
        let room = guest.room(64)
        #expect(guest.call(Linux.ioctl, fd, 0x541b, room) == 0)
        #expect(guest.peek(Int32.self, at: room) == 32)
        #expect(guest.poll(fd) == 1)
        #expect(guest.call(Linux.read, fd, room, 31) == -.EINVAL)
        #expect(guest.call(Linux.read, fd, room, 32) == 32)
    }

    @Test("instances are few, and closing one makes room")
    func instances() {
        for _ in 1..<128 { #expect((guest.call(Linux.inotify_init1, 0) ?? -1) > 0) }
        #expect(guest.call(Linux.inotify_init1, 0) == -.EMFILE)
        #expect(guest.call(Linux.close, fd) == 0)
        #expect(guest.call(Linux.inotify_init1, 0) == fd)
    }

    @Test("paths, masks and descriptors that will not do have Linux's errors")
    func errors() {
        #expect(watch("/none") == -.ENOENT)
        #expect(watch("/", 0) == -.EINVAL)
        #expect(watch("/ptmx", 0x0100_0002) == -.ENOTDIR)
        #expect(guest.call(Linux.inotify_add_watch, guest.pipe().reader, guest.put("/"), 2) == -.EINVAL)
        #expect(guest.call(Linux.inotify_init1, 1) == -.EINVAL)
        #expect(guest.call(Linux.write, fd, guest.put("x"), 1) == -.EBADF)
    }
}
