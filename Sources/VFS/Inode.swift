package import LinuxABI

/// What a path leads to. Linux's `inode` with its operations; the members that a kind of file lacks have defaults that
/// give Linux's errno.
///
/// Permissions, mounts and symbolic links are the path walk's: an inode does what it is told.
package protocol Inode: AnyObject {
    var kind: FileKind { get }
    func attributes() throws(Errno) -> FileAttributes
    func setAttributes(_ change: AttributeChange) throws(Errno)
    /// False where names come and go without anybody's call (`/proc`): nothing may be remembered of a look-up.
    var remembersNames: Bool { get }
    /// Somebody is told the attributes. True if only calls change them, and any change ends the epoch; but for a file that
    /// others than guests change, too, whose attributes were seen in this moment (see `Outside`).
    func tellsAttributes(until epoch: LocalEpoch) -> Bool
    /// Who writes the file without asking, if anybody does.
    var writer: (any PostingWriter)? { get }

    // Directories.
    /// Throws ENOENT.
    func lookup(_ name: FileName) throws(Errno) -> any Inode
    /// Makes a regular file, FIFO, socket or device node.
    func create(_ name: FileName, _ new: NewInode) throws(Errno) -> any Inode
    func makeDirectory(_ name: FileName, _ new: NewInode) throws(Errno) -> any Inode
    func makeSymbolicLink(_ name: FileName, to target: [UInt8], _ new: NewInode) throws(Errno) -> any Inode
    func link(_ inode: any Inode, as name: FileName) throws(Errno)
    func unlink(_ name: FileName) throws(Errno)
    func removeDirectory(_ name: FileName) throws(Errno)
    /// Moves `name` to `newName` in another directory of the same file system, over whatever is there; with `exchange`
    /// the two change places. The kinds were checked.
    func rename(_ name: FileName, to directory: any Inode, as newName: FileName, exchange: Bool) throws(Errno)
    /// Everything but `.` and `..`, in an order that stays the same while nothing changes.
    func entries() throws(Errno) -> [DirectoryEntry]
    /// The same, packed as `getdents64(2)` has it.
    func listing() throws(Errno) -> DirectoryListing
    /// A nameless regular file (`O_TMPFILE`).
    func createNameless(_ new: NewInode) throws(Errno) -> any Inode

    // Symbolic links.
    func readLink() throws(Errno) -> [UInt8]
    /// Where a magic link of `/proc` leads without a path; nil for every other link.
    func magicTarget() throws(Errno) -> MagicTarget?

    // Files.
    /// What an open file description of the inode does.
    func open(_ flags: OpenFlags) throws(Errno) -> any FileOperations
    func truncate(to size: Int64) throws(Errno)

    // Extended attributes, by full name.
    func extendedAttribute(_ name: [UInt8]) throws(Errno) -> [UInt8]
    func setExtendedAttribute(_ name: [UInt8], to value: [UInt8], flags: Int32) throws(Errno)
    func extendedAttributeNames() throws(Errno) -> [[UInt8]]
    func removeExtendedAttribute(_ name: [UInt8]) throws(Errno)

    func fileSystemStatistics() -> FileSystemStatistics
    /// Locks of the file, shared by all its descriptions.
    var locks: FileLocks { get }
}

/// Where a link of `/proc` leads by itself.
package enum MagicTarget {
    case dentry(Dentry)
    /// An open file without a name: opening the link gives a new description of the same inode.
    case inode(any Inode)
}

/// What a new inode begins with.
package struct NewInode: Sendable {
    package var mode: FileMode
    package var userID: UInt32
    package var groupID: UInt32
    package var device: UInt64 = 0
    /// A nameless file that never gets a name: `O_TMPFILE | O_EXCL`.
    package var isPermanentlyNameless = false

    package init(
        mode: FileMode, userID: UInt32, groupID: UInt32, device: UInt64 = 0, isPermanentlyNameless: Bool = false
    ) {
        self.isPermanentlyNameless = isPermanentlyNameless
        self.mode = mode
        self.userID = userID
        self.groupID = groupID
        self.device = device
    }
}

/// One line of a directory.
package struct DirectoryEntry: Sendable {
    package let name: FileName
    package let inode: UInt64
    package let kind: FileKind

    package init(name: FileName, inode: UInt64, kind: FileKind) {
        self.name = name
        self.inode = inode
        self.kind = kind
    }
}

/// What `chmod(2)`, `chown(2)` and `utimensat(2)` change; nil leaves it.
package struct AttributeChange: Sendable {
    package var permissions: UInt32?
    package var userID: UInt32?
    package var groupID: UInt32?
    package var accessTime: Timestamp?
    package var modificationTime: Timestamp?

    package init() {}
}

/// What `statfs(2)` reports.
package struct FileSystemStatistics: Sendable {
    package var type: UInt64
    package var blockSize: UInt64 = 4096
    package var blocks: UInt64 = 0
    package var freeBlocks: UInt64 = 0
    package var files: UInt64 = 0
    package var freeFiles: UInt64 = 0
    package var flags: UInt64 = 0x20

    package init(type: UInt64) { self.type = type }
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

extension Inode {
    package var remembersNames: Bool { true }
    package func tellsAttributes(until epoch: LocalEpoch) -> Bool { false }
    package var writer: (any PostingWriter)? { nil }

    package func setAttributes(_ change: AttributeChange) throws(Errno) { throw .EPERM }

    package func lookup(_ name: FileName) throws(Errno) -> any Inode { throw .ENOTDIR }

    package func create(_ name: FileName, _ new: NewInode) throws(Errno) -> any Inode { throw .EACCES }

    package func makeDirectory(_ name: FileName, _ new: NewInode) throws(Errno) -> any Inode { throw .EPERM }

    package func makeSymbolicLink(
        _ name: FileName, to target: [UInt8], _ new: NewInode
    ) throws(Errno) -> any Inode { throw .EPERM }

    package func link(_ inode: any Inode, as name: FileName) throws(Errno) { throw .EPERM }

    package func unlink(_ name: FileName) throws(Errno) { throw .EPERM }

    package func removeDirectory(_ name: FileName) throws(Errno) { throw .EPERM }

    package func rename(
        _ name: FileName, to directory: any Inode, as newName: FileName, exchange: Bool
    ) throws(Errno) { throw .EPERM }

    package func entries() throws(Errno) -> [DirectoryEntry] { throw .ENOTDIR }

    package func listing() throws(Errno) -> DirectoryListing { DirectoryListing(try entries()) }

    package func createNameless(_ new: NewInode) throws(Errno) -> any Inode { throw .EOPNOTSUPP }

    package func readLink() throws(Errno) -> [UInt8] { throw .EINVAL }

    package func magicTarget() throws(Errno) -> MagicTarget? { nil }

    package func open(_ flags: OpenFlags) throws(Errno) -> any FileOperations {
        if kind == .directory { return DirectoryFile(self) }
        throw .ENXIO
    }

    package func truncate(to size: Int64) throws(Errno) { throw kind == .directory ? .EISDIR : .EINVAL }

    package func extendedAttribute(_ name: [UInt8]) throws(Errno) -> [UInt8] { throw .EOPNOTSUPP }

    package func setExtendedAttribute(_ name: [UInt8], to value: [UInt8], flags: Int32) throws(Errno) {
        throw .EOPNOTSUPP
    }

    package func extendedAttributeNames() throws(Errno) -> [[UInt8]] { [] }

    package func removeExtendedAttribute(_ name: [UInt8]) throws(Errno) { throw .EOPNOTSUPP }

    package func fileSystemStatistics() -> FileSystemStatistics { FileSystemStatistics(type: 0x0102_1994) }
}

/// A file whose ranges can be zeroed, or given memory, without writing: `fallocate(2)`.
package protocol HolePunching: AnyObject {
    func punch(at offset: Int64, count: Int64) throws(Errno)
    /// The size stays.
    func allocate(at offset: Int64, count: Int64) throws(Errno)
}

/// A memory file that can be sealed: see `F_ADD_SEALS` in `fcntl(2)`. `seals` is nil where that does not apply.
package protocol Sealable: AnyObject {
    var seals: UInt32? { get set }
}

/// A directory that may be a process's own in `/proc`: open, it stands for the process as a pidfd does.
package protocol ProcessDirectory: Inode {
    /// Throws EBADF if it is no process's, ESRCH if the process has gone.
    func process() throws(Errno) -> ProcessID
}
