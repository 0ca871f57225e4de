package import LinuxABI

/// Changing the user and group ids; `nil` is the -1 that leaves one as it is. See `credentials(7)`, and "Effect of user ID
/// changes on capabilities" in `capabilities(7)`.
extension Credentials {
    /// See `setuid(2)`. Throws EPERM.
    package mutating func setUser(_ id: UInt32) throws(Errno) {
        let old = self
        if has(capability: CapabilityNumber.setUserID) {
            userID = id
            savedUserID = id
        } else if id != userID, id != savedUserID {
            throw .EPERM
        }
        effectiveUserID = id
        fileSystemUserID = id
        followUsers(old)
    }

    /// See `setreuid(2)`. Throws EPERM.
    package mutating func setUsers(real: UInt32?, effective: UInt32?) throws(Errno) {
        let old = self
        let mayAny = has(capability: CapabilityNumber.setUserID)
        if let real {
            guard mayAny || real == userID || real == effectiveUserID else { throw .EPERM }
        }
        if let effective {
            let known = [userID, effectiveUserID, savedUserID].contains(effective)
            guard mayAny || known else { throw .EPERM }
        }
        userID = real ?? userID
        effectiveUserID = effective ?? effectiveUserID
        if real != nil || effective != nil && effective != old.userID { savedUserID = effectiveUserID }
        fileSystemUserID = effectiveUserID
        followUsers(old)
    }

    /// See `setresuid(2)`. Throws EPERM.
    package mutating func setUsers(real: UInt32?, effective: UInt32?, saved: UInt32?) throws(Errno) {
        let old = self
        if !has(capability: CapabilityNumber.setUserID) {
            for wanted in [real, effective, saved] {
                guard let wanted else { continue }
                guard [userID, effectiveUserID, savedUserID].contains(wanted) else { throw .EPERM }
            }
        }
        userID = real ?? userID
        effectiveUserID = effective ?? effectiveUserID
        savedUserID = saved ?? savedUserID
        fileSystemUserID = effectiveUserID
        followUsers(old)
    }

    /// See `setfsuid(2)`, which cannot fail.
    package mutating func setFileSystemUser(_ id: UInt32) {
        let mayAny = has(capability: CapabilityNumber.setUserID)
        guard mayAny || [userID, effectiveUserID, savedUserID, fileSystemUserID].contains(id) else { return }
        let old = fileSystemUserID
        fileSystemUserID = id
        guard !secureBits.contains(.noSetIDFixup) else { return }
        if old == 0, id != 0 { effectiveCapabilities &= ~CapabilityNumber.fileSystemSet }
        if old != 0, id == 0 { effectiveCapabilities |= permittedCapabilities & CapabilityNumber.fileSystemSet }
    }

    /// What the capability sets become when the users change.
    private mutating func followUsers(_ old: Credentials) {
        guard !secureBits.contains(.noSetIDFixup) else { return }
        let wasRoot = [old.userID, old.effectiveUserID, old.savedUserID].contains(0)
        let isRoot = [userID, effectiveUserID, savedUserID].contains(0)
        if wasRoot, !isRoot {
            if !secureBits.contains(.keepCapabilities) {
                permittedCapabilities = 0
                effectiveCapabilities = 0
            }
            ambientCapabilities = 0
        }
        if old.effectiveUserID == 0, effectiveUserID != 0 { effectiveCapabilities = 0 }
        if old.effectiveUserID != 0, effectiveUserID == 0 { effectiveCapabilities = permittedCapabilities }
    }

    // MARK: Groups

    /// See `setgid(2)`. Throws EPERM.
    package mutating func setGroup(_ id: UInt32) throws(Errno) {
        if has(capability: CapabilityNumber.setGroupID) {
            groupID = id
            savedGroupID = id
        } else if id != groupID, id != savedGroupID {
            throw .EPERM
        }
        effectiveGroupID = id
        fileSystemGroupID = id
    }

    /// See `setregid(2)`. Throws EPERM.
    package mutating func setGroups(real: UInt32?, effective: UInt32?) throws(Errno) {
        let old = self
        let mayAny = has(capability: CapabilityNumber.setGroupID)
        if let real {
            guard mayAny || real == groupID || real == effectiveGroupID else { throw .EPERM }
        }
        if let effective {
            let known = [groupID, effectiveGroupID, savedGroupID].contains(effective)
            guard mayAny || known else { throw .EPERM }
        }
        groupID = real ?? groupID
        effectiveGroupID = effective ?? effectiveGroupID
        if real != nil || effective != nil && effective != old.groupID { savedGroupID = effectiveGroupID }
        fileSystemGroupID = effectiveGroupID
    }

    /// See `setresgid(2)`. Throws EPERM.
    package mutating func setGroups(real: UInt32?, effective: UInt32?, saved: UInt32?) throws(Errno) {
        if !has(capability: CapabilityNumber.setGroupID) {
            for wanted in [real, effective, saved] {
                guard let wanted else { continue }
                guard [groupID, effectiveGroupID, savedGroupID].contains(wanted) else { throw .EPERM }
            }
        }
        groupID = real ?? groupID
        effectiveGroupID = effective ?? effectiveGroupID
        savedGroupID = saved ?? savedGroupID
        fileSystemGroupID = effectiveGroupID
    }

    /// See `setfsgid(2)`, which cannot fail.
    package mutating func setFileSystemGroup(_ id: UInt32) {
        let mayAny = has(capability: CapabilityNumber.setGroupID)
        guard mayAny || [groupID, effectiveGroupID, savedGroupID, fileSystemGroupID].contains(id) else { return }
        fileSystemGroupID = id
    }
}
