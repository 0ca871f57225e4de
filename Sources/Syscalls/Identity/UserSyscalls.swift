internal import Kernel
internal import LinuxABI

/// getuid(2), setuid(2), setresuid(2), setfsuid(2), their relatives for groups, getgroups(2), setgroups(2).
extension GuestThread {
    /// `NGROUPS_MAX`.
    private static let maximumGroups: Int32 = 65536

    /// The -1 that leaves an id as it is.
    private func optional(_ id: UInt32) -> UInt32? { id == .max ? nil : id }

    /// Takes new credentials on. A changed identity, or one with capabilities that the old one had not, makes the process
    /// undumpable and forgets its parent-death signal. Linux's `commit_creds`.
    func commit(_ new: Credentials) {
        let old = credentials
        credentials = new
        let isSame =
            old.effectiveUserID == new.effectiveUserID && old.effectiveGroupID == new.effectiveGroupID
            && old.fileSystemUserID == new.fileSystemUserID && old.fileSystemGroupID == new.fileSystemGroupID
            && new.permittedCapabilities & ~old.permittedCapabilities == 0
        guard !isSame else { return }
        process.dumpable = false
        process.parentDeathSignal = 0
    }

    private func change(_ body: (inout Credentials) throws(Errno) -> Void) throws(Errno) -> Int {
        var new = credentials
        try body(&new)
        commit(new)
        return 0
    }

    // MARK: Users

    func setuid(_ id: UInt32) throws(Errno) -> Int {
        guard id != .max else { throw .EINVAL }
        return try change { (new) throws(Errno) in try new.setUser(id) }
    }

    func setreuid(_ real: UInt32, _ effective: UInt32) throws(Errno) -> Int {
        try change { (new) throws(Errno) in
            try new.setUsers(real: optional(real), effective: optional(effective))
        }
    }

    func setresuid(_ real: UInt32, _ effective: UInt32, _ saved: UInt32) throws(Errno) -> Int {
        try change { (new) throws(Errno) in
            try new.setUsers(real: optional(real), effective: optional(effective), saved: optional(saved))
        }
    }

    func getresuid(_ real: UInt, _ effective: UInt, _ saved: UInt) throws(Errno) -> Int {
        try copyOut(integer: credentials.userID, to: real)
        try copyOut(integer: credentials.effectiveUserID, to: effective)
        try copyOut(integer: credentials.savedUserID, to: saved)
        return 0
    }

    /// - Returns: the user as it was before, whether it has changed or not.
    func setfsuid(_ id: UInt32) throws(Errno) -> Int {
        let old = credentials.fileSystemUserID
        if id != .max { _ = try change { (new) throws(Errno) in new.setFileSystemUser(id) } }
        return Int(old)
    }

    // MARK: Groups

    func setgid(_ id: UInt32) throws(Errno) -> Int {
        guard id != .max else { throw .EINVAL }
        return try change { (new) throws(Errno) in try new.setGroup(id) }
    }

    func setregid(_ real: UInt32, _ effective: UInt32) throws(Errno) -> Int {
        try change { (new) throws(Errno) in
            try new.setGroups(real: optional(real), effective: optional(effective))
        }
    }

    func setresgid(_ real: UInt32, _ effective: UInt32, _ saved: UInt32) throws(Errno) -> Int {
        try change { (new) throws(Errno) in
            try new.setGroups(real: optional(real), effective: optional(effective), saved: optional(saved))
        }
    }

    func getresgid(_ real: UInt, _ effective: UInt, _ saved: UInt) throws(Errno) -> Int {
        try copyOut(integer: credentials.groupID, to: real)
        try copyOut(integer: credentials.effectiveGroupID, to: effective)
        try copyOut(integer: credentials.savedGroupID, to: saved)
        return 0
    }

    func setfsgid(_ id: UInt32) throws(Errno) -> Int {
        let old = credentials.fileSystemGroupID
        if id != .max { _ = try change { (new) throws(Errno) in new.setFileSystemGroup(id) } }
        return Int(old)
    }

    /// See `getgroups(2)`; a size of 0 only asks for the number.
    func getgroups(_ size: Int32, _ list: UInt) throws(Errno) -> Int {
        guard size >= 0 else { throw .EINVAL }
        let groups = credentials.groups
        guard size > 0 else { return groups.count }
        guard groups.count <= Int(size) else { throw .EINVAL }
        var writer = ByteWriter(capacity: groups.count * 4)
        for group in groups { writer.put(group) }
        try copyOut(writer.bytes, to: list)
        return groups.count
    }

    func setgroups(_ size: Int32, _ list: UInt) throws(Errno) -> Int {
        guard credentials.has(capability: CapabilityNumber.setGroupID) else { throw .EPERM }
        guard size >= 0, size <= GuestThread.maximumGroups else { throw .EINVAL }
        var reader = ByteReader(try copyIn(Int(size) * 4, from: list))
        var groups: [UInt32] = []
        groups.reserveCapacity(Int(size))
        for _ in 0..<size { groups.append(reader.take()) }
        guard !groups.contains(.max) else { throw .EINVAL }
        // Linux keeps them sorted, and shows them so.
        credentials.groups = groups.sorted()
        return 0
    }
}
