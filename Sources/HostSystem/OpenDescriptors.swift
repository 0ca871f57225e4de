internal import CHost
package import LinuxABI

/// What the host does with an open file that may be `O_PATH`, or whose name is gone: by the link that the host's `/proc` has
/// for each descriptor of this process. Nothing but that very file is reached so.
extension Host {
    private static func withLink<T>(_ descriptor: Int32, _ body: (UInt) throws(Errno) -> T) throws(Errno) -> T {
        let name = Array(processPath("self/fd/\(descriptor)").utf8) + [0]
        // The host reads the string, which outlives the call.
        return try unsafe name.span.withUnsafeBytes { bytes throws(Errno) in
            try body(UInt(bitPattern: bytes.baseAddress))
        }
    }

    private static func withString<T>(_ text: [UInt8], _ body: (UInt) throws(Errno) -> T) throws(Errno) -> T {
        guard !text.contains(0) else { throw .EINVAL }
        let string = text + [0]
        // The host reads the string, which outlives the call.
        return try unsafe string.span.withUnsafeBytes { bytes throws(Errno) in
            try body(UInt(bitPattern: bytes.baseAddress))
        }
    }

    /// Another description of the file: `openat(2)`.
    package static func reopen(_ descriptor: Int32, flags: OpenFlags) throws(Errno) -> Int32 {
        try withLink(descriptor) { link throws(Errno) in
            Int32(truncatingIfNeeded: try call(257, word(-100), link, UInt(flags.union(.closeOnExec).rawValue)))
        }
    }

    /// A new name for the file: `linkat(2)`. Throws ENOENT if it has none any more, unless it was made without one.
    package static func link(_ descriptor: Int32, to directory: Int32, _ name: [UInt8]) throws(Errno) {
        guard !name.isEmpty, !name.contains(0x2f) else { throw .EINVAL }
        try withLink(descriptor) { link throws(Errno) in
            try withString(name) { name throws(Errno) in
                // AT_SYMLINK_FOLLOW
                _ = try call(265, word(-100), link, word(directory), name, 0x400)
            }
        }
    }

    /// `getxattr(2)`.
    package static func extendedAttribute(_ descriptor: Int32, _ name: [UInt8]) throws(Errno) -> [UInt8] {
        try withLink(descriptor) { link throws(Errno) in
            try withString(name) { name throws(Errno) in
                try read { buffer, size throws(Errno) in try call(191, link, name, buffer, size) }
            }
        }
    }

    /// `listxattr(2)`: the names, without their zeros.
    package static func extendedAttributeNames(_ descriptor: Int32) throws(Errno) -> [[UInt8]] {
        let names = try withLink(descriptor) { link throws(Errno) in
            try read { buffer, size throws(Errno) in try call(194, link, buffer, size) }
        }
        return names.split(separator: 0).map(Array.init)
    }

    /// `setxattr(2)`.
    package static func setExtendedAttribute(
        _ descriptor: Int32, _ name: [UInt8], to value: [UInt8], flags: Int32
    ) throws(Errno) {
        try withLink(descriptor) { link throws(Errno) in
            try withString(name) { name throws(Errno) in
                // The host reads the value, which outlives the call.
                try unsafe value.span.withUnsafeBytes { value throws(Errno) in
                    let source = UInt(bitPattern: value.baseAddress)
                    _ = try call(188, link, name, source, UInt(value.count), word(flags))
                }
            }
        }
    }

    /// `removexattr(2)`.
    package static func removeExtendedAttribute(_ descriptor: Int32, _ name: [UInt8]) throws(Errno) {
        try withLink(descriptor) { link throws(Errno) in
            try withString(name) { name throws(Errno) in _ = try call(197, link, name) }
        }
    }

    /// As much as the host has to say, at most the 64 KiB that Linux allows attributes and their lists.
    private static func read(_ body: (_ buffer: UInt, _ size: UInt) throws(Errno) -> Int) throws(Errno) -> [UInt8] {
        try [UInt8](capacity: 65536) { output throws(Errno) in
            // The host writes at most the buffer's size and says how much.
            try unsafe output.withUnsafeMutableBufferPointer { buffer, count throws(Errno) in
                count = try body(UInt(bitPattern: buffer.baseAddress), UInt(buffer.count))
            }
        }
    }
}
