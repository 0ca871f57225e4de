package import LinuxABI

/// Calls of other processes that wait for this one's word: `seccomp_unotify(2)`.
extension Host {
    /// One call that waits.
    package struct Notification {
        package let id: UInt64
        /// The host's number of the thread that makes it: the host's word, not the thread's.
        package let thread: Int32
        package let number: Int32
        package let arguments: InlineArray<6, UInt64>
    }

    /// A descriptor of a child, taken over as one of this process's own: `pidfd_getfd(2)`.
    package static func takeDescriptor(_ number: Int32, of child: Int32) throws(Errno) -> Int32 {
        let handle = Int32(truncatingIfNeeded: try call(434, word(child), 0))
        defer { close(handle) }
        return Int32(truncatingIfNeeded: try call(438, word(handle), word(number), 0))
    }

    /// Whether a call waits, without waiting for one.
    package static func hasNotification(_ listener: Int32) -> Bool {
        // One `struct pollfd`: the descriptor, POLLIN, and room for what has come.
        var entry: InlineArray<1, UInt64> = [UInt64(UInt32(bitPattern: listener)) | 1 << 32]
        var span = entry.mutableSpan
        // The host writes the last two of the eight bytes.
        let count = unsafe span.withUnsafeMutableBytes { bytes in
            (try? call(7, UInt(bitPattern: bytes.baseAddress), 1, 0)) ?? 0
        }
        return count > 0 && entry[0] >> 48 & 1 != 0
    }

    /// The call that waits longest, of which `hasNotification` has told. It may have gone meanwhile (ENOENT); the host then
    /// does not wait for another.
    package static func takeNotification(_ listener: Int32) throws(Errno) -> Notification {
        // `struct seccomp_notif`, which must be zero before.
        var words: InlineArray<10, UInt64> = .init(repeating: 0)
        var span = words.mutableSpan
        // The host writes the 80 bytes. SECCOMP_IOCTL_NOTIF_RECV
        _ = try unsafe span.withUnsafeMutableBytes { bytes throws(Errno) in
            try call(16, word(listener), 0xc050_2100, UInt(bitPattern: bytes.baseAddress))
        }
        return Notification(
            id: words[0], thread: Int32(truncatingIfNeeded: words[1]), number: Int32(truncatingIfNeeded: words[2]),
            arguments: [words[4], words[5], words[6], words[7], words[8], words[9]])
    }

    /// Lets the host carry the call out. Throws ENOENT when the caller is gone.
    package static func letPass(_ notification: Notification, _ listener: Int32) throws(Errno) {
        // `struct seccomp_notif_resp`, with SECCOMP_USER_NOTIF_FLAG_CONTINUE.
        let words: InlineArray<3, UInt64> = [notification.id, 0, 1 << 32]
        // The host reads the 24 bytes. SECCOMP_IOCTL_NOTIF_SEND
        _ = try unsafe words.span.withUnsafeBytes { bytes throws(Errno) in
            try call(16, word(listener), 0xc018_2101, UInt(bitPattern: bytes.baseAddress))
        }
    }
}
