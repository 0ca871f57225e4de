internal import CHost
package import LinuxABI

/// How the kernel process loses sight of the host's file system: what it was given as descriptors, and its stubs in `/proc`,
/// is all that it can name afterwards.
extension Host {
    private static func withString<T>(_ text: String, _ body: (UInt) throws(Errno) -> T) throws(Errno) -> T {
        let bytes = [UInt8](text.utf8) + [0]
        // The host reads the string, which outlives the call.
        return try unsafe bytes.span.withUnsafeBytes { bytes throws(Errno) in
            try body(UInt(bitPattern: bytes.baseAddress))
        }
    }

    /// A copy of what is mounted at a place of the host and below it, attached nowhere: `open_tree(2)`. No way leads up from
    /// it, no device opens in it, and with `isReadOnly` nothing changes in it. Needs CAP_SYS_ADMIN.
    package static func cloneTree(_ path: String, isReadOnly: Bool) throws(Errno) -> Int32 {
        // OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE
        let tree = try withString(path) { path throws(Errno) in
            Int32(truncatingIfNeeded: try call(428, word(-100), path, 0x8_8001))
        }
        do throws(Errno) {
            // `struct mount_attr`: MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, and MOUNT_ATTR_RDONLY.
            let attributes: InlineArray<4, UInt64> = [isReadOnly ? 7 : 6, 0, 0, 0]
            try withString("") { empty throws(Errno) in
                // The host reads the 32 bytes. AT_EMPTY_PATH | AT_RECURSIVE
                _ = try unsafe attributes.span.withUnsafeBytes { bytes throws(Errno) in
                    try call(442, word(tree), empty, 0x9000, UInt(bitPattern: bytes.baseAddress), 32)
                }
            }
        } catch {
            close(tree)
            throw error
        }
        return tree
    }

    /// The place as `cloneTree` gives it, or as it stands where that is not allowed; nil where there is no such place.
    package static func openTree(_ path: String, isReadOnly: Bool) -> (descriptor: Int32, isDetached: Bool)? {
        if let tree = try? cloneTree(path, isReadOnly: isReadOnly) { return (tree, true) }
        return (try? openPath(path)).map { ($0, false) }
    }

    /// A file system of its own, attached nowhere: `fsopen(2)`, `fsmount(2)`.
    private static func mount(
        _ type: String, _ key: String, _ value: String, isReadOnly: Bool
    ) throws(Errno) -> Int32 {
        let context = try withString(type) { type throws(Errno) in
            Int32(truncatingIfNeeded: try call(430, type, 1))
        }
        defer { close(context) }
        try withString(key) { key throws(Errno) in
            try withString(value) { value throws(Errno) in
                // FSCONFIG_SET_STRING
                _ = try call(431, word(context), 1, key, value, 0)
            }
        }
        // FSCONFIG_CMD_CREATE; NOSUID, NODEV, NOEXEC, and RDONLY.
        try call(431, word(context), 6, 0, 0, 0)
        return Int32(truncatingIfNeeded: try call(432, word(context), 1, isReadOnly ? 15 : 14))
    }

    /// From here on absolute paths of this process lead into an empty directory, and relative ones into a `/proc` of its
    /// process-number namespace that has nothing but processes: both attached nowhere, gone with the process. (Call sites are
    /// patched by way of `/proc/pid/mem`, so only the directory is read-only.)
    /// Needs CAP_SYS_ADMIN and CAP_SYS_CHROOT.
    package static func leaveFileSystem() throws(Errno) {
        let processes = try mount("proc", "subset", "pid", isReadOnly: false)
        defer { close(processes) }
        let empty = try mount("tmpfs", "size", "4k", isReadOnly: true)
        defer { close(empty) }
        try call(81, word(empty))
        try withString(".") { here throws(Errno) in _ = try call(161, here) }
        try call(81, word(processes))
        apus_host_stand_in_proc()
    }

    /// Relative paths lead to the host's `/proc` from here on: for a process that has to keep its view.
    package static func standInProcesses() throws(Errno) {
        try withString("/proc") { path throws(Errno) in _ = try call(80, path) }
        apus_host_stand_in_proc()
    }

    /// A path below `/proc`, as this process can name it now.
    package static func processPath(_ rest: String) -> String {
        (apus_host_stands_in_proc() != 0 ? "" : "/proc/") + rest
    }

    // MARK: Landlock

    /// What may be done below a descriptor, by Landlock's bits.
    package enum Right {
        case reading, changing
        /// An inherited stream, opened again.
        case streaming
        /// Files of processes.
        case memory
    }

    /// 0 where the host has no Landlock: `landlock(7)`.
    package static var landlockVersion: Int { max(0, (try? call(444, 0, 0, 1)) ?? 0) }

    /// Lets this process, and whatever it makes, open and change files below the descriptors alone. Needs no privilege, but
    /// `giveUpPrivileges` or CAP_SYS_ADMIN. Throws ENOSYS where the host cannot tell enough kinds of access apart.
    package static func restrictFiles(to given: [(descriptor: Int32, right: Right)]) throws(Errno) {
        let version = landlockVersion
        // Without REFER (13, version 2) no file could be moved to another directory. TRUNCATE is 14.
        guard version >= 2 else { throw .ENOSYS }
        let handled: UInt64 = version >= 3 ? 0x7fff : 0x3fff
        let attributes: InlineArray<1, UInt64> = [handled]
        // The host reads the eight bytes.
        let rules = try unsafe attributes.span.withUnsafeBytes { bytes throws(Errno) in
            Int32(truncatingIfNeeded: try call(444, UInt(bitPattern: bytes.baseAddress), 8, 0))
        }
        defer { close(rules) }
        for (descriptor, right) in given {
            let isDirectory = (try? status(descriptor)).map { FileMode(rawValue: $0.mode).kind == .directory } ?? false
            // Without programs to execute and devices to make.
            var bits: UInt64 =
                switch right {
                case .reading: 0xc
                case .changing: handled & ~0x841
                case .streaming: 0x4006
                case .memory: 0xe
                }
            // What directories alone have.
            if !isDirectory { bits &= 0x4006 }
            let rule: InlineArray<2, UInt64> = [bits & handled, UInt64(UInt32(bitPattern: descriptor))]
            // The host reads the 12 bytes of one packed `struct landlock_path_beneath_attr`. What has no path (a pipe, a
            // memory file) needs no rule.
            unsafe rule.span.withUnsafeBytes { bytes in
                _ = try? call(445, word(rules), 1, UInt(bitPattern: bytes.baseAddress), 0)
            }
        }
        try call(446, word(rules), 0)
    }
}
