internal import HostSystem
package import LinuxABI
package import VFS

/// One file of a `HostTree`. It holds the host's inode open with `O_PATH`, and knows the place at which it was last seen:
/// what cannot be done through such a descriptor is done by that name, if the same file still stands there.
package final class HostInode: Inode, NamedPipeHolder, HolePunching {
    let descriptor: Int32
    let key: HostTree.Key
    package let kind: FileKind
    let tree: HostTree
    private var parent: HostInode?
    private var name: FileName
    package let locks = FileLocks()
    package private(set) var namedPipe: NamedPipe?

    init(_ tree: HostTree, descriptor: Int32, _ status: Host.Status, parent: HostInode?, name: FileName) {
        self.tree = tree
        self.descriptor = descriptor
        key = HostTree.Key(device: status.device, inode: status.inode)
        kind = FileMode(rawValue: status.mode).kind ?? .regular
        self.parent = parent
        self.name = name
    }

    /// As with dentries, what is above goes step by step.
    deinit {
        Host.close(descriptor)
        var above = parent
        parent = nil
        while isKnownUniquelyReferenced(&above) {
            let next = above?.parent
            above?.parent = nil
            above = next
        }
    }

    func isAt(_ parent: HostInode, _ name: FileName) {
        // The root of the tree stays where it was bound.
        guard self.parent != nil, parent !== self else { return }
        self.parent = parent
        self.name = name
    }

    package func attributes() throws(Errno) -> FileAttributes {
        tree.outside?.cameIn()
        return FileAttributes(try Host.status(descriptor))
    }

    /// Opens the file anew, by its name if it still stands there.
    private func reopen(_ flags: OpenFlags) throws(Errno) -> Int32 {
        let opened: Int32
        if let parent {
            do throws(Errno) {
                opened = try Host.open(below: parent.descriptor, name.bytes, flags: flags.union(.noFollow))
            } catch {
                guard [.ENOENT, .ENOTDIR, .ELOOP].contains(error) else { throw error }
                return try reopenNameless(flags)
            }
        } else if kind == .directory {
            return try Host.open(below: descriptor, [], flags: flags)
        } else {
            guard let file = tree.rootFile else { throw .EACCES }
            let opened = try Host.statusFlags(file)
            guard !flags.mayWrite || opened.mayWrite else { throw .EACCES }
            return try Host.duplicate(file)
        }
        do throws(Errno) {
            let status = try Host.status(opened)
            if HostTree.Key(device: status.device, inode: status.inode) == key { return opened }
        } catch {
            Host.close(opened)
            throw error
        }
        Host.close(opened)
        return try reopenNameless(flags)
    }

    /// Opens anew what is not found by its name any more.
    private func reopenNameless(_ flags: OpenFlags) throws(Errno) -> Int32 {
        guard kind == .regular || kind == .directory else { throw .ESTALE }
        return try Host.reopen(descriptor, flags: flags)
    }

    // MARK: Attributes

    package func setAttributes(_ change: AttributeChange) throws(Errno) {
        if change.userID != nil || change.groupID != nil {
            try Host.setOwner(descriptor, user: change.userID ?? .max, group: change.groupID ?? .max)
        }
        // A link has no permissions of its own.
        if let permissions = change.permissions, kind != .symbolicLink { try setMode(permissions) }
        if change.accessTime != nil || change.modificationTime != nil {
            try Host.setTimes(descriptor, access: change.accessTime, modification: change.modificationTime)
        }
    }

    private func setMode(_ mode: UInt32) throws(Errno) {
        do throws(Errno) {
            return try Host.setMode(descriptor, mode & 0o7777)
        } catch {
            guard error == .ENOSYS, kind == .regular || kind == .directory else { throw error }
        }
        let opened = try reopen(.nonBlocking)
        defer { Host.close(opened) }
        try Host.setModeOfOpenFile(opened, mode & 0o7777)
    }

    // MARK: Directories

    package func lookup(_ name: FileName) throws(Errno) -> any Inode { try child(name) }

    private func child(_ name: FileName) throws(Errno) -> HostInode {
        guard kind == .directory else { throw .ENOTDIR }
        tree.outside?.cameIn()
        // O_PATH | O_NOFOLLOW
        let opened = try Host.open(below: descriptor, name.bytes, flags: [.pathOnly, .noFollow])
        return try tree.inode(opened, in: self, as: name)
    }

    package func entries() throws(Errno) -> [DirectoryEntry] {
        tree.outside?.cameIn()
        let opened = try Host.open(below: descriptor, [], flags: [.directory])
        defer { Host.close(opened) }
        return try Host.entries(opened).map { entry in
            let name = FileName(entry.name)
            // Some file systems do not say in their directories what a name leads to.
            let kind = FileKind(rawValue: UInt32(entry.type) << 12) ?? (try? child(name))?.kind ?? .regular
            return DirectoryEntry(name: name, inode: entry.inode, kind: kind)
        }
    }

    /// What was just made, with the owner and the mode that the guest gives it as far as the host allows.
    private func made(_ name: FileName, _ new: NewInode) throws(Errno) -> any Inode {
        try finished(try child(name), new)
    }

    private func finished(_ node: HostInode, _ new: NewInode) throws(Errno) -> any Inode {
        let attributes = try node.attributes()
        if attributes.userID != new.userID || attributes.groupID != new.groupID {
            // A host user without privileges owns what its guests make.
            try? Host.setOwner(node.descriptor, user: new.userID, group: new.groupID)
        }
        if node.kind != .symbolicLink, attributes.mode.permissions != new.mode.permissions {
            try? node.setMode(new.mode.permissions)
        }
        return node
    }

    package func create(_ name: FileName, _ new: NewInode) throws(Errno) -> any Inode {
        if new.mode.kind == .regular {
            let flags: OpenFlags = [.create, .exclusive, .writeOnly, .noFollow]
            Host.close(
                try Host.open(below: descriptor, name.bytes, flags: flags, mode: new.mode.permissions))
        } else {
            try Host.makeNode(in: descriptor, name.bytes, mode: new.mode)
        }
        return try made(name, new)
    }

    package func createNameless(_ new: NewInode) throws(Errno) -> any Inode {
        var flags: OpenFlags = [.temporaryFileBit, .directory, .readWrite]
        if new.isPermanentlyNameless { flags.insert(.exclusive) }
        let opened = try Host.open(below: descriptor, [], flags: flags, mode: new.mode.permissions)
        // No file has this name: it is looked for there, not found, and opened by its descriptor.
        return try finished(try tree.inode(opened, in: self, as: FileName("#nameless")), new)
    }

    package func makeDirectory(_ name: FileName, _ new: NewInode) throws(Errno) -> any Inode {
        try Host.makeDirectory(in: descriptor, name.bytes, mode: new.mode.permissions)
        return try made(name, new)
    }

    package func makeSymbolicLink(_ name: FileName, to target: [UInt8], _ new: NewInode) throws(Errno) -> any Inode {
        try Host.makeLink(in: descriptor, name.bytes, to: target)
        return try made(name, new)
    }

    package func link(_ inode: any Inode, as name: FileName) throws(Errno) {
        guard let node = inode as? HostInode, node.tree === tree, let parent = node.parent else { throw .EXDEV }
        // By name if it has that still, which asks nothing of the host's /proc.
        if let there = try? parent.child(node.name), there === node {
            try Host.link(from: parent.descriptor, node.name.bytes, to: descriptor, name.bytes)
        } else {
            try Host.link(node.descriptor, to: descriptor, name.bytes)
        }
        node.isAt(self, name)
    }

    package func unlink(_ name: FileName) throws(Errno) {
        try Host.unlink(in: descriptor, name.bytes, isDirectory: false)
    }

    package func removeDirectory(_ name: FileName) throws(Errno) {
        try Host.unlink(in: descriptor, name.bytes, isDirectory: true)
    }

    package func rename(
        _ name: FileName, to directory: any Inode, as newName: FileName, exchange: Bool
    ) throws(Errno) {
        guard let target = directory as? HostInode, target.tree === tree else { throw .EXDEV }
        let node = try child(name)
        let other = exchange ? try target.child(newName) : nil
        try Host.rename(
            from: descriptor, name.bytes, to: target.descriptor, newName.bytes, flags: exchange ? 2 : 0)
        node.isAt(target, newName)
        other?.isAt(self, name)
    }

    // MARK: The rest

    package func readLink() throws(Errno) -> [UInt8] {
        guard kind == .symbolicLink else { throw .EINVAL }
        return try Host.readLink(descriptor)
    }

    package func open(_ flags: OpenFlags) throws(Errno) -> any FileOperations {
        switch kind {
        case .regular:
            // A shared mapping for writing reads, too.
            var wanted: OpenFlags = flags.mayWrite ? .readWrite : []
            wanted.formUnion([.nonBlocking, .noControllingTerminal])
            wanted.formUnion(flags.intersection(.noAccessTime))
            do throws(Errno) {
                return HostFile(self, try reopen(wanted))
            } catch {
                guard error == .EACCES, flags.accessMode == 1 else { throw error }
            }
            return HostFile(self, try reopen([.writeOnly, .nonBlocking, .noControllingTerminal]))
        case .directory: return DirectoryFile(self)
        case .fifo:
            // A FIFO of the host would reach out of the sandbox: the name leads to one of the sandbox's own.
            let pipe = namedPipe ?? NamedPipe(self)
            namedPipe = pipe
            return try pipe.open(flags)
        case .characterDevice, .blockDevice:
            return try tree.devices.open(DeviceNumber(rawValue: try attributes().representedDevice), self, flags)
        case .socket: throw .ENXIO
        case .symbolicLink: throw .ELOOP
        }
    }

    package func truncate(to size: Int64) throws(Errno) {
        guard kind == .regular else { throw kind == .directory ? .EISDIR : .EINVAL }
        let opened = try reopen([.writeOnly, .nonBlocking])
        defer { Host.close(opened) }
        try Host.truncate(opened, to: Int(size))
    }

    package func punch(at offset: Int64, count: Int64) throws(Errno) {
        let opened = try reopen([.readWrite, .nonBlocking])
        defer { Host.close(opened) }
        try Host.punchHole(opened, at: offset, count: count)
    }

    package func allocate(at offset: Int64, count: Int64) throws(Errno) {
        let opened = try reopen([.readWrite, .nonBlocking])
        defer { Host.close(opened) }
        // FALLOC_FL_KEEP_SIZE
        try Host.allocate(opened, mode: 1, at: offset, count: count)
    }

    package func fileSystemStatistics() -> FileSystemStatistics {
        guard let found = try? Host.fileSystem(descriptor) else { return FileSystemStatistics(type: 0) }
        var statistics = FileSystemStatistics(type: found[0])
        statistics.blockSize = found[1]
        statistics.blocks = found[2]
        statistics.freeBlocks = found[4]
        statistics.files = found[5]
        statistics.freeFiles = found[6]
        return statistics
    }
}
