internal import CHost
package import LinuxABI

/// Files of the host, always below a directory descriptor that was given to the sandbox.
extension Host {
    /// `RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH`: nothing on the way may lead out.
    private static let beneath: UInt64 = 0x02 | 0x04 | 0x08

    /// Opens a file below `directory` by a relative path without following any link: `openat2(2)`.
    /// `path`: without a leading slash; empty names the directory itself.
    package static func open(
        below directory: Int32, _ path: [UInt8], flags: OpenFlags, mode: UInt32 = 0
    ) throws(Errno) -> Int32 {
        let how: InlineArray<3, UInt64> = [UInt64(flags.union(.closeOnExec).rawValue), UInt64(mode), beneath]
        let name = path.isEmpty ? [0x2e] : path
        // The host reads the string, NUL and all, and the 24 bytes of `open_how`; both outlive the call.
        let result = unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: name.count + 1) { text in
            for index in name.indices { unsafe text[index] = name[index] }
            unsafe text[name.count] = 0
            return unsafe how.span.withUnsafeBytes { how in
                rawCall(437, word(directory), UInt(bitPattern: text.baseAddress), UInt(bitPattern: how.baseAddress), 24)
            }
        }
        try check(result)
        return Int32(truncatingIfNeeded: result)
    }

    /// Opens a directory of the host by its absolute path, before the sandbox is closed.
    package static func openDirectory(_ path: String) throws(Errno) -> Int32 {
        let name = [UInt8](path.utf8) + [0]
        // The host reads the string. O_PATH | O_DIRECTORY | O_CLOEXEC
        return try unsafe name.span.withUnsafeBytes { name throws(Errno) in
            Int32(truncatingIfNeeded: try call(257, word(-100), UInt(bitPattern: name.baseAddress), 0o12_200_000))
        }
    }

    /// A place of the host by its absolute path, to look at or bind, before the sandbox is closed.
    package static func openPath(_ path: String) throws(Errno) -> Int32 {
        let name = [UInt8](path.utf8) + [0]
        // The host reads the string. O_PATH | O_CLOEXEC
        return try unsafe name.span.withUnsafeBytes { name throws(Errno) in
            Int32(truncatingIfNeeded: try call(257, word(-100), UInt(bitPattern: name.baseAddress), 0o12_000_000))
        }
    }

    /// Opens a file of the host by its absolute path, for reading or for both, before the sandbox is closed.
    package static func openFile(_ path: String, writing: Bool = false) throws(Errno) -> Int32 {
        let name = [UInt8](path.utf8) + [0]
        let flags: UInt = writing ? 0o2_000_002 : 0o2_000_000
        // The host reads the string. O_RDONLY or O_RDWR, with O_CLOEXEC
        return try unsafe name.span.withUnsafeBytes { name throws(Errno) in
            Int32(truncatingIfNeeded: try call(257, word(-100), UInt(bitPattern: name.baseAddress), flags))
        }
    }

    /// What a file of the host holds that has no size of its own, as those below `/proc`: up to its end, or to `limit` bytes.
    package static func contents(of path: String, limit: Int) throws(Errno) -> [UInt8] {
        let descriptor = try openFile(path)
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while bytes.count < limit {
            let before = bytes.count
            try bytes.append(addingCapacity: 16384) { output throws(Errno) in
                _ = try read(descriptor, at: Int64(before), into: &output, limit: 16384)
            }
            if bytes.count == before { break }
        }
        return bytes
    }

    /// What `/proc/self/fd` says of a descriptor, before the sandbox is closed.
    package static func nameOfDescriptor(_ descriptor: Int32) throws(Errno) -> [UInt8] {
        try linkBytes(processPath("self/fd/\(descriptor)"))
    }

    /// The target of a symbolic link of the host by path, before the sandbox is closed.
    package static func linkTarget(_ path: String) throws(Errno) -> String {
        guard let target = String(validating: try linkBytes(path), as: UTF8.self) else { throw .EILSEQ }
        return target
    }

    private static func linkBytes(_ path: String) throws(Errno) -> [UInt8] {
        let name = Array(path.utf8) + [0]
        return try [UInt8](capacity: 4096) { output throws(Errno) in
            // The host reads the string, writes at most the buffer's size and says how much.
            try unsafe output.withUnsafeMutableBufferPointer { buffer, count throws(Errno) in
                count = try unsafe name.span.withUnsafeBytes { name throws(Errno) in
                    try call(
                        89, UInt(bitPattern: name.baseAddress), UInt(bitPattern: buffer.baseAddress),
                        UInt(buffer.count))
                }
            }
        }
    }

    /// Creates or truncates a file of the host by path, before the sandbox is closed: where a trace goes.
    package static func createFile(_ path: String) throws(Errno) -> Int32 {
        let name = [UInt8](path.utf8) + [0]
        // The host reads the string. O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
        return try unsafe name.span.withUnsafeBytes { name throws(Errno) in
            Int32(
                truncatingIfNeeded: try call(
                    257, word(-100), UInt(bitPattern: name.baseAddress), 0o2_001_101, 0o644))
        }
    }

    /// What `statx(2)` says of an open file.
    package struct Status: Sendable {
        package var mode: UInt32 = 0
        package var links: UInt32 = 0
        package var userID: UInt32 = 0
        package var groupID: UInt32 = 0
        package var inode: UInt64 = 0
        package var size: UInt64 = 0
        package var blocks: UInt64 = 0
        package var blockSize: UInt32 = 0
        package var device: UInt64 = 0
        package var representedDevice: UInt64 = 0
        package var access = Timestamp()
        package var modification = Timestamp()
        package var change = Timestamp()
        package var birth: Timestamp?
    }

    /// `statx(2)` of a descriptor, which may be `O_PATH`.
    package static func status(_ descriptor: Int32) throws(Errno) -> Status {
        var words = InlineArray<32, UInt64>(repeating: 0)
        let empty: InlineArray<1, UInt8> = [0]
        var span = words.mutableSpan
        // The host reads the string and writes the 256 bytes of `struct statx`. AT_EMPTY_PATH
        let result = unsafe span.withUnsafeMutableBytes { buffer in
            unsafe empty.span.withUnsafeBytes { empty in
                rawCall(
                    332, word(descriptor), UInt(bitPattern: empty.baseAddress), 0x1000, statusMask,
                    UInt(bitPattern: buffer.baseAddress))
            }
        }
        try check(result)
        return Status(statx: words)
    }

    /// `statx(2)` of a name in a directory, which may be `O_PATH`; links are not followed and nothing is mounted by looking.
    /// `name`: one component. Throws ENOENT for what would lead out of the directory.
    package static func status(in directory: Int32, _ name: [UInt8]) throws(Errno) -> Status {
        guard !name.isEmpty, name.count < 256, name != [0x2e, 0x2e], !name.contains(0x2f) else { throw .ENOENT }
        var words = InlineArray<32, UInt64>(repeating: 0)
        var span = words.mutableSpan
        // The host reads the string, NUL and all, and writes the 256 bytes of `struct statx`.
        // AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT
        let result = unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: name.count + 1) { text in
            for index in name.indices { unsafe text[index] = name[index] }
            unsafe text[name.count] = 0
            return unsafe span.withUnsafeMutableBytes { buffer in
                rawCall(
                    332, word(directory), UInt(bitPattern: text.baseAddress), 0x900, statusMask,
                    UInt(bitPattern: buffer.baseAddress))
            }
        }
        try check(result)
        return Status(statx: words)
    }

    /// STATX_BASIC_STATS | STATX_BTIME
    private static let statusMask: UInt = 0xfff

    /// Reads at an offset without moving the descriptor's own: `pread64(2)`.
    /// - Returns: how many bytes were appended; 0 at the end of the file.
    package static func read(
        _ descriptor: Int32, at offset: Int64?, into output: inout OutputSpan<UInt8>, limit: Int
    ) throws(Errno) -> Int {
        // The host appends at most `room` bytes to the span's free part.
        try unsafe output.withUnsafeMutableBufferPointer { buffer, count throws(Errno) in
            let room = min(limit, buffer.count - count)
            guard room > 0, let base = buffer.baseAddress else { return 0 }
            let target = unsafe UInt(bitPattern: base + count)
            let got =
                if let offset {
                    try call(17, word(descriptor), target, UInt(room), UInt(bitPattern: Int(offset)))
                } else {
                    try call(0, word(descriptor), target, UInt(room))
                }
            count += got
            return got
        }
    }

    /// Writes at an offset, or at the descriptor's own.
    package static func write(_ descriptor: Int32, at offset: Int64?, _ bytes: Span<UInt8>) throws(Errno) -> Int {
        // The host reads the span's bytes.
        try unsafe bytes.withUnsafeBytes { buffer throws(Errno) in
            let source = UInt(bitPattern: buffer.baseAddress)
            guard let offset else { return try call(1, word(descriptor), source, UInt(buffer.count)) }
            return try call(18, word(descriptor), source, UInt(buffer.count), UInt(bitPattern: Int(offset)))
        }
    }

    /// Reads the next entries of an open directory, `.` and `..` among them, as `getdents64(2)` packs them.
    /// - Returns: none at the end.
    package static func readPackedEntries(_ descriptor: Int32, into bytes: inout [UInt8]) throws(Errno) {
        bytes.removeAll(keepingCapacity: true)
        try bytes.append(addingCapacity: 32768) { output throws(Errno) in
            // The host writes at most the buffer's size and says how much.
            try unsafe output.withUnsafeMutableBufferPointer { buffer, count throws(Errno) in
                count += try call(
                    217, word(descriptor), UInt(bitPattern: buffer.baseAddress) + UInt(count),
                    UInt(buffer.count - count))
            }
        }
    }

    /// Reads all entries of an open directory but `.` and `..`, one after the other: `getdents64(2)`.
    package static func readEntries(
        _ descriptor: Int32, _ body: (_ inode: UInt64, _ type: UInt8, _ name: Span<UInt8>) -> Void
    ) throws(Errno) {
        var bytes: [UInt8] = []
        while true {
            try readPackedEntries(descriptor, into: &bytes)
            guard !bytes.isEmpty else { return }
            var next = 0
            while next + 19 <= bytes.count {
                var inode: UInt64 = 0
                for index in 0..<8 { inode |= UInt64(bytes[next + index]) &<< UInt64(8 * index) }
                let length = Int(bytes[next + 16]) | Int(bytes[next + 17]) << 8
                guard length >= 19, next + length <= bytes.count else { break }
                let start = next + 19
                var end = start
                while end < next + length, bytes[end] != 0 { end += 1 }
                let isDots = bytes[start] == 0x2e && (end - start == 1 || end - start == 2 && bytes[start + 1] == 0x2e)
                if !isDots { body(inode, bytes[next + 18], bytes.span.extracting(start..<end)) }
                next += length
            }
        }
    }

    /// One entry of a directory of the host.
    package struct Entry: Sendable {
        package let inode: UInt64
        package let type: UInt8
        package let name: [UInt8]
    }

    /// All entries of an open directory but `.` and `..`.
    package static func entries(_ descriptor: Int32) throws(Errno) -> [Entry] {
        var entries: [Entry] = []
        try readEntries(descriptor) { inode, type, name in
            entries.append(Entry(inode: inode, type: type, name: [UInt8](copying: name)))
        }
        return entries
    }

    /// The target of a symbolic link that is open with `O_PATH`.
    package static func readLink(_ descriptor: Int32) throws(Errno) -> [UInt8] {
        let empty: InlineArray<1, UInt8> = [0]
        return try [UInt8](capacity: 4096) { output throws(Errno) in
            // The host writes at most the buffer's size and says how much.
            try unsafe output.withUnsafeMutableBufferPointer { buffer, count throws(Errno) in
                count = try unsafe empty.span.withUnsafeBytes { empty throws(Errno) in
                    try call(
                        267, word(descriptor), UInt(bitPattern: empty.baseAddress),
                        UInt(bitPattern: buffer.baseAddress),
                        UInt(buffer.count))
                }
            }
        }
    }

    /// What is ready on a descriptor now: `poll(2)` without waiting.
    package static func readiness(_ descriptor: Int32, _ events: PollEvents) -> PollEvents {
        var entry: InlineArray<1, UInt64> = [
            UInt64(UInt32(bitPattern: descriptor)) | UInt64(events.rawValue & 0xffff) << 32
        ]
        var span = entry.mutableSpan
        // The host reads and writes one eight-byte pollfd.
        unsafe span.withUnsafeMutableBytes { bytes in
            _ = try? call(7, UInt(bitPattern: bytes.baseAddress), 1, 0)
        }
        return PollEvents(rawValue: UInt32(entry[0] >> 48))
    }

    /// An ioctl whose argument is a buffer of the kernel's, for the reviewed list of terminal ioctls.
    package static func ioctl(_ descriptor: Int32, _ command: UInt32, _ buffer: inout [UInt8]) throws(Errno) -> Int {
        // The commands on the list move at most 64 bytes; the callers' buffers have that many.
        var span = buffer.mutableSpan
        return try unsafe span.withUnsafeMutableBytes { bytes throws(Errno) in
            guard bytes.count >= 64 else { throw .EINVAL }
            return try call(16, word(descriptor), UInt(command), UInt(bitPattern: bytes.baseAddress))
        }
    }

    /// Has the host make room for as many descriptors as a large sandbox needs, up to the limit. Later, where threads share
    /// the table, each growth waits for a grace period of RCU: 10 ms and more, while every guest waits.
    /// - Parameter open: any open descriptor.
    package static func makeRoomForDescriptors(open: Int32) {
        guard let limit = limit(7)?.soft, limit > 0 else { return }
        // F_DUPFD_CLOEXEC takes the first free number from there on.
        let last = UInt(min(limit, 16384)) - 1
        if let made = try? call(72, word(open), 1030, last) { close(Int32(truncatingIfNeeded: made)) }
    }

    /// Another descriptor for the same description, close-on-exec: `F_DUPFD_CLOEXEC`.
    package static func duplicate(_ descriptor: Int32) throws(Errno) -> Int32 {
        Int32(truncatingIfNeeded: try call(72, word(descriptor), 1030, 0))
    }

    /// Throws EINTR where this process is in the background of the terminal and has been sent SIGTTOU for asking. `TIOCCBRK`
    /// is checked as every change of a terminal is, and changes nothing: no line is broken.
    package static func requireForeground(_ descriptor: Int32) throws(Errno) {
        try call(16, word(descriptor), 0x5428, 0)
    }

    /// `TCFLSH`: drops what a terminal has received (0), has not sent (1), or both (2).
    package static func flushTerminal(_ descriptor: Int32, _ queue: UInt32) throws(Errno) {
        try call(16, word(descriptor), 0x540b, UInt(queue))
    }

    /// `F_GETFL`.
    package static func statusFlags(_ descriptor: Int32) throws(Errno) -> OpenFlags {
        OpenFlags(rawValue: UInt32(truncatingIfNeeded: try call(72, word(descriptor), 3)))
    }

    package static func seek(_ descriptor: Int32, to offset: Int64, whence: Int32) throws(Errno) -> Int64 {
        Int64(try call(8, word(descriptor), UInt(bitPattern: Int(offset)), UInt(whence)))
    }

    /// Random bytes of the host.
    package static func random(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            // The host writes at most the rest of the array.
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                return (try? call(318, UInt(bitPattern: rest.baseAddress), UInt(rest.count), 0)) ?? 0
            }
            done += max(got, 0)
        }
        return bytes
    }

    /// `fallocate(2)` with `FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE` on a memory file of ours.
    package static func punchHole(_ descriptor: Int32, at offset: Int64, count: Int64) throws(Errno) {
        try call(285, word(descriptor), 3, UInt(bitPattern: Int(offset)), UInt(bitPattern: Int(count)))
    }
}

extension Host.Status {
    /// Decodes `struct statx` from its words.
    init(statx words: InlineArray<32, UInt64>) {
        func low(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: words[index]) }
        func high(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: words[index] >> 32) }
        func time(_ index: Int) -> Timestamp {
            Timestamp(seconds: Int64(bitPattern: words[index]), nanoseconds: Int64(low(index + 1)))
        }
        blockSize = high(0)
        links = low(2)
        userID = high(2)
        groupID = low(3)
        mode = high(3) & 0xffff
        inode = words[4]
        size = words[5]
        blocks = words[6]
        access = time(8)
        // STATX_BTIME, if the host knows it.
        birth = low(0) & 0x800 != 0 ? time(10) : nil
        change = time(12)
        modification = time(14)
        representedDevice = DeviceNumber(major: low(16), minor: high(16)).rawValue
        device = DeviceNumber(major: low(17), minor: high(17)).rawValue
    }
}
