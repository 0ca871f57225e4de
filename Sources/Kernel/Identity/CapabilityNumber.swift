/// The bits of a capability set. See `capabilities(7)`; VFS has its own list of those that file systems ask for.
package enum CapabilityNumber {
    package static let changeOwner = 0
    package static let overrideAccess = 1
    package static let kill = 5
    package static let setGroupID = 6
    package static let setUserID = 7
    package static let setCapabilities = 8
    package static let lockMemory = 14
    /// `CAP_IPC_OWNER`
    package static let ownIPC = 15
    package static let systemAdministration = 21
    package static let nice = 23
    package static let resource = 24
    package static let systemLog = 34
    /// The highest that Linux 6.12 knows: `CAP_CHECKPOINT_RESTORE`.
    package static let last = 40

    /// What a change of the file system's user between root and others takes and gives: `CAP_CHOWN`, `CAP_DAC_OVERRIDE`,
    /// `CAP_DAC_READ_SEARCH`, `CAP_FOWNER`, `CAP_FSETID`, `CAP_LINUX_IMMUTABLE`, `CAP_MKNOD`, `CAP_MAC_OVERRIDE`.
    package static let fileSystemSet: UInt64 =
        1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 9 | 1 << 27 | 1 << 32
}

/// `prctl(2)`'s securebits, each with its lock one bit higher.
package struct SecureBits: OptionSet, Sendable, Equatable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// User 0 gains nothing by an exec.
    package static let noRoot = SecureBits(rawValue: 1)
    /// Changes of user leave the capability sets alone.
    package static let noSetIDFixup = SecureBits(rawValue: 4)
    /// Leaving user 0 keeps the permitted set; an exec clears it.
    package static let keepCapabilities = SecureBits(rawValue: 16)
    package static let keepCapabilitiesLocked = SecureBits(rawValue: 32)
    package static let noAmbientRaise = SecureBits(rawValue: 64)

    package static let all: UInt32 = 0xff
    package static let locks: UInt32 = 0xaa
}
