internal import LinuxABI
internal import VFS

/// What guests have changed of files that the sandbox was given from outside: owner, permissions, times. Only guests see it;
/// the host's file or device stays as it is.
package final class HostStreamAttributes {
    private struct Change {
        var permissions: UInt32?
        var userID: UInt32?
        var groupID: UInt32?
        var accessTime: Timestamp?
        var modificationTime: Timestamp?
        /// The host's, when the times were set: who writes later moves them again.
        var written = Timestamp()
    }

    private var changes: [FileIdentity: Change] = [:]

    package init() {}

    func note(_ change: AttributeChange, of attributes: FileAttributes) {
        var known = changes[FileIdentity(attributes), default: Change()]
        known.permissions = change.permissions ?? known.permissions
        known.userID = change.userID ?? known.userID
        known.groupID = change.groupID ?? known.groupID
        if change.accessTime != nil || change.modificationTime != nil {
            known.accessTime = change.accessTime ?? known.accessTime
            known.modificationTime = change.modificationTime ?? known.modificationTime
            known.written = attributes.modificationTime
        }
        changes[FileIdentity(attributes)] = known
    }

    func applied(to attributes: FileAttributes) -> FileAttributes {
        guard !changes.isEmpty, let change = changes[FileIdentity(attributes)] else { return attributes }
        var attributes = attributes
        if let permissions = change.permissions {
            attributes.mode = FileMode(rawValue: attributes.mode.rawValue & ~0o7777 | permissions & 0o7777)
        }
        attributes.userID = change.userID ?? attributes.userID
        attributes.groupID = change.groupID ?? attributes.groupID
        if change.written == attributes.modificationTime {
            attributes.accessTime = change.accessTime ?? attributes.accessTime
            attributes.modificationTime = change.modificationTime ?? attributes.modificationTime
        }
        return attributes
    }
}
