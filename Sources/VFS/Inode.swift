package import LinuxABI

/// What a path leads to. Linux's `inode` with its operations; the members that a kind of file lacks have defaults that
/// give Linux's errno.
package protocol Inode: AnyObject {
    /// Throws EIO and the like, never for want of permission.
    func attributes() throws(Errno) -> FileAttributes
}

/// What `stat(2)` reports of a file.
package struct FileAttributes: Sendable {
    package var inode: UInt64 = 0
    /// As Linux's `makedev(3)` packs it.
    package var device: UInt64 = 0
    package var mode = FileMode(rawValue: 0)
    package var links: UInt64 = 1
    package var userID: UInt32 = 0
    package var groupID: UInt32 = 0
    /// The device that a device node stands for.
    package var representedDevice: UInt64 = 0
    /// In bytes.
    package var size: Int64 = 0
    package var blockSize: Int64 = 4096
    /// In units of 512 bytes.
    package var blocks: Int64 = 0
    package var accessTime = Timestamp()
    package var modificationTime = Timestamp()
    package var changeTime = Timestamp()
    package var birthTime: Timestamp?

    package init() {}
}

/// Where in the tree of mounts something is: filled in by the path walk.
package final class Location {
    package init() {}
}
