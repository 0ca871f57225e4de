internal import CHost
package import LinuxABI

/// Changes to files of the host, for directories that the user has bound to the guest's tree for writing. Every name is a
/// single component, and stands in a directory that the sandbox holds open; no link is ever followed.
extension Host {
    private static func withName<T>(_ name: [UInt8], _ body: (UInt) throws(Errno) -> T) throws(Errno) -> T {
        guard !name.isEmpty, !name.contains(0x2f), !name.contains(0) else { throw .EINVAL }
        let string = name + [0]
        // The host reads the string, which outlives the call.
        return try unsafe string.span.withUnsafeBytes { bytes throws(Errno) in
            try body(UInt(bitPattern: bytes.baseAddress))
        }
    }

    /// The empty path of `AT_EMPTY_PATH`.
    private static func withEmptyName<T>(_ body: (UInt) throws(Errno) -> T) throws(Errno) -> T {
        let empty: InlineArray<1, UInt8> = [0]
        // The host reads one zero byte.
        return try unsafe empty.span.withUnsafeBytes { bytes throws(Errno) in
            try body(UInt(bitPattern: bytes.baseAddress))
        }
    }

    /// `mkdirat(2)`.
    package static func makeDirectory(in directory: Int32, _ name: [UInt8], mode: UInt32) throws(Errno) {
        try withName(name) { name throws(Errno) in _ = try call(258, word(directory), name, UInt(mode)) }
    }

    /// `mknodat(2)` for FIFOs and sockets; devices of the host are not for guests to make.
    package static func makeNode(in directory: Int32, _ name: [UInt8], mode: FileMode) throws(Errno) {
        guard mode.kind == .fifo || mode.kind == .socket else { throw .EPERM }
        try withName(name) { name throws(Errno) in _ = try call(259, word(directory), name, UInt(mode.rawValue), 0) }
    }

    /// `symlinkat(2)`.
    package static func makeLink(in directory: Int32, _ name: [UInt8], to target: [UInt8]) throws(Errno) {
        let text = target + [0]
        try withName(name) { name throws(Errno) in
            // The host reads the target, which outlives the call.
            try unsafe text.span.withUnsafeBytes { text throws(Errno) in
                _ = try call(266, UInt(bitPattern: text.baseAddress), word(directory), name)
            }
        }
    }

    /// `linkat(2)` without following anything.
    package static func link(
        from directory: Int32, _ name: [UInt8], to newDirectory: Int32, _ newName: [UInt8]
    ) throws(Errno) {
        try withName(name) { name throws(Errno) in
            try withName(newName) { newName throws(Errno) in
                _ = try call(265, word(directory), name, word(newDirectory), newName, 0)
            }
        }
    }

    /// `unlinkat(2)`.
    package static func unlink(in directory: Int32, _ name: [UInt8], isDirectory: Bool) throws(Errno) {
        try withName(name) { name throws(Errno) in
            _ = try call(263, word(directory), name, isDirectory ? 0x200 : 0)
        }
    }

    /// `renameat2(2)`; the flags are `RENAME_*`.
    package static func rename(
        from directory: Int32, _ name: [UInt8], to newDirectory: Int32, _ newName: [UInt8], flags: UInt32
    ) throws(Errno) {
        try withName(name) { name throws(Errno) in
            try withName(newName) { newName throws(Errno) in
                _ = try call(316, word(directory), name, word(newDirectory), newName, UInt(flags))
            }
        }
    }

    /// Owner and group of an open file, which may be `O_PATH`; `UInt32.max` leaves one as it is.
    package static func setOwner(_ descriptor: Int32, user: UInt32, group: UInt32) throws(Errno) {
        try withEmptyName { empty throws(Errno) in
            _ = try call(260, word(descriptor), empty, UInt(user), UInt(group), 0x1000)
        }
    }

    /// Permission bits of an open file, which may be `O_PATH`: `fchmodat2(2)`, from Linux 6.6 on. Throws ENOSYS before.
    package static func setMode(_ descriptor: Int32, _ mode: UInt32) throws(Errno) {
        try withEmptyName { empty throws(Errno) in _ = try call(452, word(descriptor), empty, UInt(mode), 0x1000) }
    }

    /// Permission bits of a file that is open for reading or writing.
    package static func setModeOfOpenFile(_ descriptor: Int32, _ mode: UInt32) throws(Errno) {
        try call(91, word(descriptor), UInt(mode))
    }

    /// Access and modification time of an open file, which may be `O_PATH`; nil leaves one as it is.
    package static func setTimes(
        _ descriptor: Int32, access: Timestamp?, modification: Timestamp?
    ) throws(Errno) {
        // UTIME_OMIT
        let omit: Int64 = 0x3fff_fffe
        let words: InlineArray<4, Int64> = [
            access?.seconds ?? 0, access?.nanoseconds ?? omit, modification?.seconds ?? 0,
            modification?.nanoseconds ?? omit,
        ]
        try withEmptyName { empty throws(Errno) in
            // The host reads two timespecs from `words`, which outlives the call.
            try unsafe words.span.withUnsafeBytes { bytes throws(Errno) in
                _ = try call(280, word(descriptor), empty, UInt(bitPattern: bytes.baseAddress), 0x1000)
            }
        }
    }

    /// `fallocate(2)` on a file that the guest may write.
    package static func allocate(_ descriptor: Int32, mode: Int32, at offset: Int64, count: Int64) throws(Errno) {
        try call(285, word(descriptor), word(mode), UInt(bitPattern: Int(offset)), UInt(bitPattern: Int(count)))
    }

    /// `fsync(2)`.
    package static func synchronize(_ descriptor: Int32) throws(Errno) { try call(74, word(descriptor)) }

    /// `fstatfs(2)`: type, block size, blocks, free and available blocks, files, free files.
    package static func fileSystem(_ descriptor: Int32) throws(Errno) -> [UInt64] {
        let bytes = try [UInt8](capacity: 120) { output throws(Errno) in
            // The host writes the 120 bytes of `struct statfs`.
            try unsafe output.withUnsafeMutableBufferPointer { buffer, count throws(Errno) in
                _ = try call(138, word(descriptor), UInt(bitPattern: buffer.baseAddress))
                count = 120
            }
        }
        var reader = ByteReader(bytes)
        return (0..<7).map { _ in reader.take(UInt64.self) }
    }

    /// The file mode creation mask of this process.
    package static func setFileModeMask(_ mask: UInt32) { _ = try? call(95, UInt(mask)) }
}
