internal import HostSystem
package import LinuxABI
package import TmpFS
package import VFS

/// A file below a directory of the host, read-only: the lower side of an overlay.
///
/// It is known by its name in the directory above, and so by its path below the root's descriptor. The host resolves both
/// without following any link and without leaving the root. Directories that were used lately are kept open, so that
/// looking a name up, or opening it, is one call with one component.
package final class HostNode: LowerNode, DescriptorKeeper {
    private let root: HostRoot
    /// Nil for the root.
    private let parent: HostNode?
    private let name: FileName
    /// Of the path below the root, in bytes.
    private let length: Int
    package let kind: FileKind
    /// Of a directory, while it is kept: with `O_PATH` as long as only names were looked up.
    private var descriptor: Int32 = -1
    private var isReadable = false
    private var keptNumber = 0

    /// The root itself.
    init(_ root: HostRoot) {
        self.root = root
        parent = nil
        name = FileName([])
        length = 0
        kind = .directory
    }

    private init(_ parent: HostNode, _ name: FileName, length: Int, kind: FileKind) {
        root = parent.root
        self.parent = parent
        self.name = name
        self.length = length
        self.kind = kind
    }

    /// Below the root.
    private var path: [UInt8] {
        var components: [[UInt8]] = []
        var next = self
        while let parent = next.parent {
            components.append(next.name.bytes)
            next = parent
        }
        return Array(components.reversed().joined(separator: [0x2f]))
    }

    /// Opens the file: by its name where the directory above stands open, wherever that has gone, else by its path.
    private func opened(_ flags: OpenFlags) throws(Errno) -> Int32 {
        if let parent, parent.parent == nil {
            return try Host.open(below: root.descriptor, name.bytes, flags: flags)
        }
        if let parent, parent.descriptor >= 0 {
            root.kept.use(parent.keptNumber)
            return try Host.open(below: parent.descriptor, name.bytes, flags: flags)
        }
        return try Host.open(below: root.descriptor, path, flags: flags)
    }

    /// `O_PATH | O_NOFOLLOW`
    private static let look = OpenFlags(rawValue: 0o10_400_000)

    private func withDescriptor<T>(_ body: (Int32) throws(Errno) -> T) throws(Errno) -> T {
        if kind == .directory { return try body(try directory()) }
        let descriptor = try opened(HostNode.look)
        defer { Host.close(descriptor) }
        return try body(descriptor)
    }

    /// The directory's descriptor, which stays open for now.
    private func directory() throws(Errno) -> Int32 {
        guard kind == .directory else { throw .ENOTDIR }
        if parent == nil { return root.descriptor }
        if descriptor >= 0 {
            root.kept.use(keptNumber)
            return descriptor
        }
        let flags = OpenFlags(rawValue: HostNode.look.rawValue | OpenFlags.directory.rawValue)
        keep(try opened(flags), isReadable: false)
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
            keep(try opened([.directory, .noFollow]), isReadable: true)
        }
        return descriptor
    }

    package func attributes() throws(Errno) -> FileAttributes {
        try withDescriptor { descriptor throws(Errno) in FileAttributes(try Host.status(descriptor)) }
    }

    package func attributes(of name: FileName) throws(Errno) -> FileAttributes {
        FileAttributes(try Host.status(in: try directory(), name.bytes))
    }

    package func lookup(_ name: FileName) throws(Errno) -> (node: any LowerNode, attributes: FileAttributes) {
        let attributes = try attributes(of: name)
        let below = length + (parent == nil ? 0 : 1) + name.bytes.count
        // A path of the host's that is longer than the host takes cannot be shown.
        guard below < 4096 else { throw .ENOENT }
        return (HostNode(self, name, length: below, kind: attributes.mode.kind ?? .regular), attributes)
    }

    private func withOpenDirectory(_ body: (Int32) throws(Errno) -> Void) throws(Errno) {
        guard parent == nil else { return try body(try readableDirectory()) }
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
                let kind = FileKind(rawValue: UInt32(entry.type) << 12) ?? (try? attributes(of: name))?.mode.kind
                return DirectoryEntry(name: name, inode: entry.inode, kind: kind ?? .regular)
            }
        }
        return entries
    }

    package func listing() throws(Errno) -> DirectoryListing {
        var listing = DirectoryListing()
        var isComplete = true
        var read: [UInt8] = []
        swap(&read, &root.entries)
        defer { swap(&read, &root.entries) }
        try withOpenDirectory { opened throws(Errno) in
            var isLast = false
            repeat {
                try Host.readPackedEntries(opened, into: &read)
                let added = listing.append(packed: read.span)
                if !added.isComplete { isComplete = false }
                isLast = added.isLast
            } while !read.isEmpty && !isLast
        }
        return isComplete ? listing : DirectoryListing(try entries())
    }

    package func readLink() throws(Errno) -> [UInt8] {
        try withDescriptor { descriptor throws(Errno) in try Host.readLink(descriptor) }
    }

    package func open() throws(Errno) -> Int32 {
        // Never a device or FIFO of the host: their opening may wait or do something.
        guard kind == .regular else { throw .ENXIO }
        return try opened([.nonBlocking, .noControllingTerminal])
    }
}

/// A directory of the host that a tree of nodes begins at.
package final class HostRoot {
    let descriptor: Int32
    let kept: KeptDescriptors
    /// What a directory is read into.
    fileprivate var entries: [UInt8] = []

    /// Takes the descriptor over; it may be `O_PATH`.
    package init(descriptor: Int32, kept: KeptDescriptors = KeptDescriptors()) {
        self.descriptor = descriptor
        self.kept = kept
    }

    package var node: HostNode { HostNode(self) }
}
