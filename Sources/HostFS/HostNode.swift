internal import HostSystem
package import LinuxABI
package import TmpFS
package import VFS

/// A file below a directory of the host, read-only: the lower side of an overlay.
///
/// It is known by its path below the root's descriptor. The host resolves the path without following any link and without
/// leaving the root. Directories that were used lately are kept open, so that looking a name up is one call.
package final class HostNode: LowerNode, DescriptorKeeper {
    private let root: HostRoot
    private let path: [UInt8]
    package let kind: FileKind
    /// Of a directory, while it is kept: with `O_PATH` as long as only names were looked up.
    private var descriptor: Int32 = -1
    private var isReadable = false
    private var keptNumber = 0

    init(_ root: HostRoot, path: [UInt8], kind: FileKind) {
        self.root = root
        self.path = path
        self.kind = kind
    }

    /// `O_PATH | O_NOFOLLOW`
    private static let look = OpenFlags(rawValue: 0o10_400_000)

    private func withDescriptor<T>(_ body: (Int32) throws(Errno) -> T) throws(Errno) -> T {
        if kind == .directory { return try body(try directory()) }
        let descriptor = try Host.open(below: root.descriptor, path, flags: HostNode.look)
        defer { Host.close(descriptor) }
        return try body(descriptor)
    }

    /// The directory's descriptor, which stays open for now.
    private func directory() throws(Errno) -> Int32 {
        guard kind == .directory else { throw .ENOTDIR }
        if path.isEmpty { return root.descriptor }
        if descriptor >= 0 {
            root.kept.use(keptNumber)
            return descriptor
        }
        let flags = OpenFlags(rawValue: HostNode.look.rawValue | OpenFlags.directory.rawValue)
        keep(try Host.open(below: root.descriptor, path, flags: flags), isReadable: false)
        return descriptor
    }

    private func keep(_ opened: Int32, isReadable: Bool) {
        if descriptor >= 0 { Host.close(descriptor) } else { keptNumber = root.kept.keep(self) }
        descriptor = opened
        self.isReadable = isReadable
    }

    package func closeKept() {
        Host.close(descriptor)
        descriptor = -1
    }

    /// The directory opened for reading, at its beginning. It stays open, too: what is read is mostly walked into next.
    private func readableDirectory() throws(Errno) -> Int32 {
        if descriptor >= 0, isReadable {
            root.kept.use(keptNumber)
            _ = try Host.seek(descriptor, to: 0, whence: 0)
            return descriptor
        }
        if descriptor >= 0 {
            // The same directory, wherever it has gone.
            keep(try Host.open(below: descriptor, [], flags: [.directory]), isReadable: true)
        } else {
            let flags: OpenFlags = [.directory, .noFollow]
            keep(try Host.open(below: root.descriptor, path, flags: flags), isReadable: true)
        }
        return descriptor
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

    package func attributes(of name: FileName) throws(Errno) -> FileAttributes {
        FileAttributes(try Host.status(in: try directory(), name.bytes))
    }

    package func lookup(_ name: FileName) throws(Errno) -> any LowerNode {
        let status = try Host.status(in: try directory(), name.bytes)
        let below = path.isEmpty ? name.bytes : path + [0x2f] + name.bytes
        // A path of the host's that is longer than the host takes cannot be shown.
        guard below.count < 4096 else { throw .ENOENT }
        let node = HostNode(root, path: below, kind: FileMode(rawValue: status.mode).kind ?? .regular)
        node.firstStatus = status
        return node
    }

    private func withOpenDirectory(_ body: (Int32) throws(Errno) -> Void) throws(Errno) {
        guard path.isEmpty else { return try body(try readableDirectory()) }
        let opened = try Host.open(below: root.descriptor, [], flags: [.directory])
        defer { Host.close(opened) }
        try body(opened)
    }

    package func entries() throws(Errno) -> [DirectoryEntry] {
        var entries: [DirectoryEntry] = []
        try withOpenDirectory { opened throws(Errno) in
            entries = try Host.entries(opened).map { entry in
                let name = FileName(entry.name)
                // Some file systems do not say in their directories what a name leads to.
                let kind = FileKind(rawValue: UInt32(entry.type) << 12) ?? (try? lookup(name))?.kind ?? .regular
                return DirectoryEntry(name: name, inode: entry.inode, kind: kind)
            }
        }
        return entries
    }

    package func listing() throws(Errno) -> DirectoryListing {
        var listing = DirectoryListing()
        var isComplete = true
        try withOpenDirectory { opened throws(Errno) in
            try Host.readEntries(opened) { inode, type, name in
                guard let kind = FileKind(rawValue: UInt32(type) << 12) else { return isComplete = false }
                listing.append(name, inode: inode, kind: kind)
            }
        }
        return isComplete ? listing : DirectoryListing(try entries())
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
    let kept: KeptDescriptors

    /// Takes the descriptor over; it may be `O_PATH`.
    package init(descriptor: Int32, kept: KeptDescriptors = KeptDescriptors()) {
        self.descriptor = descriptor
        self.kept = kept
    }

    package var node: HostNode { HostNode(self, path: [], kind: .directory) }
}
