internal import VFS

/// Who a thread is. See `credentials(7)`, `capabilities(7)`.
package struct Credentials: Sendable, Equatable {
    package var userID: UInt32 = 0
    package var effectiveUserID: UInt32 = 0
    package var savedUserID: UInt32 = 0
    package var fileSystemUserID: UInt32 = 0
    package var groupID: UInt32 = 0
    package var effectiveGroupID: UInt32 = 0
    package var savedGroupID: UInt32 = 0
    package var fileSystemGroupID: UInt32 = 0
    package var groups: [UInt32] = []
    package var effectiveCapabilities: UInt64 = 0
    package var permittedCapabilities: UInt64 = 0
    package var inheritableCapabilities: UInt64 = 0
    package var boundingCapabilities: UInt64 = (1 << 41) - 1
    package var ambientCapabilities: UInt64 = 0
    package var noNewPrivileges = false
    package var secureBits: SecureBits = []

    /// Every capability that Linux 6.12 knows.
    package static let allCapabilities: UInt64 = (1 << 41) - 1

    package init() {}

    package func has(capability: Int) -> Bool { effectiveCapabilities & (1 << UInt64(capability)) != 0 }

    package func isInGroup(_ group: UInt32) -> Bool { group == fileSystemGroupID || groups.contains(group) }
}

extension FileCredentials {
    /// What file systems look at of a thread's credentials.
    init(_ credentials: Credentials) {
        self.init(
            userID: credentials.fileSystemUserID, groupID: credentials.fileSystemGroupID, groups: credentials.groups,
            capabilities: credentials.effectiveCapabilities)
    }
}
