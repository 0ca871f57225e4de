package import LinuxABI

/// Changing the capability sets. See `capabilities(7)`.
extension Credentials {
    /// See `capset(2)`. Throws EPERM.
    package mutating func setCapabilities(
        effective: UInt64, permitted: UInt64, inheritable: UInt64
    ) throws(Errno) {
        let effective = effective & Credentials.allCapabilities
        let permitted = permitted & Credentials.allCapabilities
        let inheritable = inheritable & Credentials.allCapabilities
        if !has(capability: CapabilityNumber.setCapabilities) {
            guard inheritable & ~(inheritableCapabilities | permittedCapabilities) == 0 else { throw .EPERM }
        }
        guard inheritable & ~(inheritableCapabilities | boundingCapabilities) == 0 else { throw .EPERM }
        guard permitted & ~permittedCapabilities == 0, effective & ~permitted == 0 else { throw .EPERM }
        effectiveCapabilities = effective
        permittedCapabilities = permitted
        inheritableCapabilities = inheritable
        ambientCapabilities &= permitted & inheritable
    }

    /// `PR_CAPBSET_DROP`. Throws EPERM, EINVAL.
    package mutating func dropFromBoundingSet(_ capability: UInt) throws(Errno) {
        guard has(capability: CapabilityNumber.setCapabilities) else { throw .EPERM }
        guard capability <= UInt(CapabilityNumber.last) else { throw .EINVAL }
        boundingCapabilities &= ~(1 << UInt64(capability))
    }

    /// `PR_CAP_AMBIENT_RAISE`. Throws EPERM for what is not both permitted and inheritable.
    package mutating func raiseAmbient(_ capability: UInt) throws(Errno) {
        let bit = UInt64(1) << UInt64(capability)
        guard permittedCapabilities & inheritableCapabilities & bit != 0, !secureBits.contains(.noAmbientRaise) else {
            throw .EPERM
        }
        ambientCapabilities |= bit
    }

    /// `PR_SET_SECUREBITS`. Throws EPERM for a locked bit, a lock taken away, unknown bits, or without `CAP_SETPCAP`.
    package mutating func setSecureBits(_ bits: UInt) throws(Errno) {
        let old = secureBits.rawValue
        guard bits & ~UInt(SecureBits.all) == 0 else { throw .EPERM }
        let new = UInt32(bits)
        let locked = (old & SecureBits.locks) >> 1
        guard (old ^ new) & locked == 0, old & SecureBits.locks & ~new == 0 else { throw .EPERM }
        guard has(capability: CapabilityNumber.setCapabilities) else { throw .EPERM }
        secureBits = SecureBits(rawValue: new)
    }

    /// What an `execve(2)` of a file with these attributes makes of the credentials: "Transformation of capabilities during
    /// execve" of `capabilities(7)`, for files without capabilities of their own.
    ///
    /// `mayGain` is false where set-id bits count for nothing: `no_new_privs`, or a mount with `nosuid`.
    /// - Returns: the new credentials, and whether the program must distrust its caller (AT_SECURE).
    package func afterExec(
        mode: FileMode, owner: UInt32, group: UInt32, mayGain: Bool
    ) -> (credentials: Credentials, isSecure: Bool) {
        var new = self
        if mayGain, mode.permissions & 0o4000 != 0 { new.effectiveUserID = owner }
        // Set-group-id without group execution asks for mandatory locks, and means nothing here.
        if mayGain, mode.permissions & 0o2010 == 0o2010 { new.effectiveGroupID = group }
        let isSetID = new.effectiveUserID != userID || new.effectiveGroupID != groupID
        let gainsIdentity = new.effectiveUserID != effectiveUserID || new.effectiveGroupID != effectiveGroupID
        if gainsIdentity { new.ambientCapabilities = 0 }
        var permitted = new.ambientCapabilities
        var isEffective = false
        if !secureBits.contains(.noRoot) {
            if new.effectiveUserID == 0 || userID == 0 { permitted = boundingCapabilities | inheritableCapabilities }
            isEffective = new.effectiveUserID == 0
        }
        new.permittedCapabilities = permitted
        new.effectiveCapabilities = isEffective ? permitted : new.ambientCapabilities
        new.savedUserID = new.effectiveUserID
        new.fileSystemUserID = new.effectiveUserID
        new.savedGroupID = new.effectiveGroupID
        new.fileSystemGroupID = new.effectiveGroupID
        new.secureBits.remove(.keepCapabilities)
        let gainsCapabilities = userID != 0 && new.permittedCapabilities & ~new.ambientCapabilities != 0
        return (new, isSetID || gainsCapabilities)
    }
}
