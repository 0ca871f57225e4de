internal import CHost
package import LinuxABI

/// What the sandbox does to itself before it runs a guest.
extension Host {
    /// `unshare(2)`.
    package static func unshare(_ flags: UInt) throws(Errno) { try call(272, flags) }

    /// Two processes from here on: nil in the child, the child's number in the parent.
    package static func fork() throws(Errno) -> Int32? {
        let child = apus_host_fork()
        guard child >= 0 else { throw Errno(rawValue: -child) }
        return child == 0 ? nil : child
    }

    /// Waits for the child, passing signals on to it.
    /// - Returns: its wait status.
    package static func supervise(_ child: Int32) -> Int32 { apus_host_supervise(child) }

    /// Writes to a descriptor of this process, as much as it takes.
    package static func write(_ text: String, to descriptor: Int32) {
        let bytes = [UInt8](text.utf8)
        // The host reads the array's bytes.
        unsafe bytes.withUnsafeBytes { buffer in
            _ = try? call(1, word(descriptor), UInt(bitPattern: buffer.baseAddress), UInt(buffer.count))
        }
    }

    /// Gives this process, the first of a process-number namespace, a `/proc` that shows that namespace, in a mount
    /// namespace of its own: nothing of it is seen outside, and it goes with the process.
    package static func mountOwnProc() throws(Errno) {
        try check(apus_host_mount_proc())
    }

    private static func check(_ result: Int32) throws(Errno) {
        if result < 0 { throw Errno(rawValue: -result) }
    }
}
