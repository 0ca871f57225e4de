package import LinuxABI

/// Who asks for a file: the part of a thread's credentials that file systems look at.
package struct FileCredentials: Sendable {
    package var userID: UInt32
    package var groupID: UInt32
    package var groups: [UInt32]
    /// CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_CHOWN, CAP_MKNOD and so on, as a bit set.
    package var capabilities: UInt64

    package init(userID: UInt32, groupID: UInt32, groups: [UInt32], capabilities: UInt64) {
        self.userID = userID
        self.groupID = groupID
        self.groups = groups
        self.capabilities = capabilities
    }

    package func has(_ capability: Capability) -> Bool { capabilities & (1 << capability.rawValue) != 0 }

    package func isIn(_ group: UInt32) -> Bool { group == groupID || groups.contains(group) }

    /// Nobody in particular with every right: the kernel's own look-ups.
    package static let kernel = FileCredentials(userID: 0, groupID: 0, groups: [], capabilities: ~0)
}

/// The capabilities that file systems ask for. See `capabilities(7)`.
package enum Capability: UInt64 {
    case changeOwner = 0
    case overrideAccess = 1
    case readSearch = 2
    case fileOwner = 3
    case keepSetID = 4
    case systemAdministrator = 21
    case makeNode = 27
}

/// What access is asked for: `R_OK` 4, `W_OK` 2, `X_OK` 1.
package struct Access: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let execute = Access(rawValue: 1)
    package static let write = Access(rawValue: 2)
    package static let read = Access(rawValue: 4)
}

extension FileCredentials {
    /// Throws EACCES unless the file's mode and the capabilities allow the access. See `path_resolution(7)`.
    package func check(_ access: Access, _ attributes: FileAttributes) throws(Errno) {
        let mode = attributes.mode.permissions
        let granted: UInt32
        if userID == attributes.userID {
            granted = mode >> 6 & 7
        } else if isIn(attributes.groupID) {
            granted = mode >> 3 & 7
        } else {
            granted = mode & 7
        }
        if access.rawValue & ~granted == 0 { return }
        let isDirectory = attributes.mode.kind == .directory
        if has(.overrideAccess), isDirectory || !access.contains(.execute) || mode & 0o111 != 0 { return }
        if has(.readSearch) {
            if access == .read { return }
            if isDirectory, !access.contains(.write) { return }
        }
        throw .EACCES
    }

    /// True if the caller owns the file or may act as if.
    package func owns(_ attributes: FileAttributes) -> Bool { userID == attributes.userID || has(.fileOwner) }
}
