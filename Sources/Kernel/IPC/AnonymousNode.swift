package import LinuxABI
package import VFS

/// The inode of an open file that has no file system: eventfd, epoll, timerfd and the like.
package final class AnonymousNode: Inode {
    private let number: UInt64
    /// As `/proc/pid/fd` shows it: `anon_inode:[eventfd]`.
    package let label: StaticString
    package let locks = FileLocks()

    package init(_ number: UInt64, label: StaticString) {
        self.number = number
        self.label = label
    }

    package var kind: FileKind { .regular }

    package func attributes() throws(Errno) -> FileAttributes {
        var attributes = FileAttributes()
        attributes.inode = number
        attributes.device = DeviceNumber(major: 0, minor: 15).rawValue
        // Linux gives such files no type at all.
        attributes.mode = FileMode(rawValue: 0o600)
        return attributes
    }

    package func truncate(to size: Int64) throws(Errno) { throw .EINVAL }
}
