package import LinuxABI
package import VFS

/// The inode of a socket, in the file system without a name that holds all of them.
package final class SocketNode: Inode {
    private var stored: FileAttributes
    package let locks = FileLocks()

    package init(number: UInt64, userID: UInt32, groupID: UInt32, now: Timestamp) {
        stored = FileAttributes()
        stored.inode = number
        stored.device = DeviceNumber(major: 0, minor: 8).rawValue
        stored.mode = FileMode(.socket, 0o777)
        stored.userID = userID
        stored.groupID = groupID
        stored.accessTime = now
        stored.modificationTime = now
        stored.changeTime = now
    }

    package var kind: FileKind { .socket }
    package func attributes() throws(Errno) -> FileAttributes { stored }

    package func setAttributes(_ change: AttributeChange) throws(Errno) {
        if let permissions = change.permissions { stored.mode = FileMode(.socket, permissions) }
        if let user = change.userID { stored.userID = user }
        if let group = change.groupID { stored.groupID = group }
    }

    package func truncate(to size: Int64) throws(Errno) { throw .EINVAL }
    package func fileSystemStatistics() -> FileSystemStatistics { FileSystemStatistics(type: 0x534f_434b) }
}
