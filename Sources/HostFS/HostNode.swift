internal import HostSystem
package import LinuxABI
package import TmpFS
package import VFS

/// A file below a directory of the host, read-only: the lower side of an overlay.
///
/// It is known by its path below the root's descriptor and opened anew for each use, so that a large tree costs no
/// descriptors. The host resolves the path without following any link and without leaving the root.
package final class HostNode: LowerNode {
    private let root: HostRoot
    private let path: [UInt8]
    package let kind: FileKind

    init(_ root: HostRoot, path: [UInt8], kind: FileKind) {
        self.root = root
        self.path = path
        self.kind = kind
    }

    /// `O_PATH | O_NOFOLLOW`
    private static let look = OpenFlags(rawValue: 0o10_400_000)

    private func withDescriptor<T>(_ body: (Int32) throws(Errno) -> T) throws(Errno) -> T {
        let descriptor = try Host.open(below: root.descriptor, path, flags: HostNode.look)
        defer { Host.close(descriptor) }
        return try body(descriptor)
    }

    package func attributes() throws(Errno) -> FileAttributes {
        if let first = firstStatus {
            firstStatus = nil
            return FileAttributes(first)
        }
        return try withDescriptor { descriptor throws(Errno) in FileAttributes(try Host.status(descriptor)) }
    }

    /// What the look-up has read already.
    private var firstStatus: Host.Status?

    package func lookup(_ name: FileName) throws(Errno) -> any LowerNode {
        guard kind == .directory else { throw .ENOTDIR }
        let below = path.isEmpty ? name.bytes : path + [0x2f] + name.bytes
        let descriptor: Int32
        do throws(Errno) {
            descriptor = try Host.open(below: root.descriptor, below, flags: HostNode.look)
        } catch {
            // A path of the host's that is longer than the host takes cannot be shown.
            throw error == .ENAMETOOLONG ? .ENOENT : error
        }
        defer { Host.close(descriptor) }
        let status = try Host.status(descriptor)
        let node = HostNode(root, path: below, kind: FileMode(rawValue: status.mode).kind ?? .regular)
        node.firstStatus = status
        return node
    }

    package func entries() throws(Errno) -> [DirectoryEntry] {
        let descriptor = try Host.open(below: root.descriptor, path, flags: [.directory])
        defer { Host.close(descriptor) }
        return try Host.entries(descriptor).map { entry in
            let name = FileName(entry.name)
            // Some file systems do not say in their directories what a name leads to.
            let kind = FileKind(rawValue: UInt32(entry.type) << 12) ?? (try? lookup(name))?.kind ?? .regular
            return DirectoryEntry(name: name, inode: entry.inode, kind: kind)
        }
    }

    package func readLink() throws(Errno) -> [UInt8] {
        try withDescriptor { descriptor throws(Errno) in try Host.readLink(descriptor) }
    }

    package func open() throws(Errno) -> Int32 {
        // Never a device or FIFO of the host: their opening may wait or do something.
        guard kind == .regular else { throw .ENXIO }
        return try Host.open(below: root.descriptor, path, flags: [.nonBlocking, .noControllingTerminal])
    }
}

/// A directory of the host that a tree of nodes begins at.
package final class HostRoot {
    let descriptor: Int32

    /// Takes the descriptor over; it may be `O_PATH`.
    package init(descriptor: Int32) { self.descriptor = descriptor }

    package var node: HostNode { HostNode(self, path: [], kind: .directory) }
}

extension FileAttributes {
    init(_ status: Host.Status) {
        self.init()
        inode = status.inode
        device = status.device
        mode = FileMode(rawValue: status.mode)
        links = UInt64(status.links)
        userID = status.userID
        groupID = status.groupID
        representedDevice = status.representedDevice
        size = Int64(clamping: status.size)
        blockSize = Int64(status.blockSize)
        blocks = Int64(clamping: status.blocks)
        accessTime = status.access
        modificationTime = status.modification
        changeTime = status.change
        birthTime = status.birth
    }
}
