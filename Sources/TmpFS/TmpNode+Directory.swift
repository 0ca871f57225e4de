package import LinuxABI
package import VFS

/// Directories in memory, and the changes of their names.
extension TmpNode {
    package func lookup(_ name: FileName) throws(Errno) -> any Inode { try child(name) }

    private func listed() throws(Errno) -> TmpDirectory {
        guard let directory else { throw .ENOTDIR }
        return directory
    }

    private func child(_ name: FileName) throws(Errno) -> TmpNode {
        let directory = try listed()
        if let known = directory[name] {
            guard fileSystem.outside != nil, let lower, known.lower != nil, !directory.owns(name) else { return known }
            if let confirmed = try confirm(known, name, in: lower) { return confirmed }
            directory.forget(name)
            known.vanish()
        }
        guard directory.showsLower, !directory.hidden.contains(name), let lower else { throw .ENOENT }
        let found = try lower.lookup(name)
        let child = fileSystem.node(over: found.node, found.attributes)
        directory.remember(name, child)
        return child
    }

    /// The node, if the lower directory's name still leads to the file that it shows, or if guests have changed something
    /// in it: as in every overlay, what is above counts. Otherwise nil.
    private func confirm(_ known: TmpNode, _ name: FileName, in lower: any LowerNode) throws(Errno) -> TmpNode? {
        do throws(Errno) {
            let attributes = try lower.attributes(of: name)
            if known.shows(attributes) {
                if !known.isChanged { known.show(attributes) }
                return known
            }
            guard known.holdsChanges else { return nil }
            // Another directory below the guests' changes.
            if known.kind == .directory, attributes.mode.kind == .directory {
                known.lower = try lower.lookup(name).node
                if !known.isChanged { known.show(attributes) }
            }
            return known
        } catch {
            guard error == .ENOENT || error == .ENOTDIR else { throw error }
            return known.holdsChanges ? known : nil
        }
    }

    /// True if guests have changed the file, or anything below the directory.
    private var holdsChanges: Bool {
        var rest = [self]
        while let node = rest.popLast() {
            if node.isChanged || node.contents != nil || node.attachment != nil { return true }
            guard let directory = node.directory else { continue }
            if directory.isChanged { return true }
            rest += directory.known
        }
        return false
    }

    private func insert(_ name: FileName, _ node: TmpNode) {
        directory?.insert(name, node)
        touchModification()
    }

    private func take(_ name: FileName) {
        directory?.remove(name)
        touchModification()
    }

    /// True if the directory shows no name.
    private func isEmpty() throws(Errno) -> Bool {
        guard let directory else { return true }
        guard directory.count == 0 else { return false }
        guard directory.showsLower, let lower else { return true }
        return try lowerEntries(of: lower).allSatisfy { directory.hidden.contains($0.name) }
    }

    // MARK: Making

    package func create(_ name: FileName, _ new: NewInode) throws(Errno) -> any Inode {
        try load()
        let node = try TmpNode.make(fileSystem, new)
        insert(name, node)
        return node
    }

    package func makeDirectory(_ name: FileName, _ new: NewInode) throws(Errno) -> any Inode {
        try load()
        let node = try TmpNode.make(fileSystem, new)
        insert(name, node)
        stored.links += 1
        return node
    }

    package func makeSymbolicLink(_ name: FileName, to target: [UInt8], _ new: NewInode) throws(Errno) -> any Inode {
        try load()
        let node = try TmpNode.make(fileSystem, new, extra: target.count)
        node.setTarget(target)
        insert(name, node)
        return node
    }

    /// Shows a lower directory or file under a name.
    package func graft(_ name: FileName, _ lower: any LowerNode) throws(Errno) {
        try load()
        insert(name, TmpNode(fileSystem, lower: lower))
        if lower.kind == .directory { stored.links += 1 }
    }

    package func createNameless(_ new: NewInode) throws(Errno) -> any Inode {
        let node = try TmpNode.make(fileSystem, new)
        node.stored.links = 0
        node.mayGetName = !new.isPermanentlyNameless
        return node
    }

    /// What ext4 allows.
    private static let maximumLinks: UInt64 = 65000

    package func link(_ inode: any Inode, as name: FileName) throws(Errno) {
        guard let node = inode as? TmpNode, node.fileSystem === fileSystem else { throw .EXDEV }
        try load()
        try node.load()
        // A file whose last name went cannot come back; one made with O_TMPFILE can.
        guard node.stored.links > 0 || node.mayGetName else { throw .ENOENT }
        guard node.stored.links < TmpNode.maximumLinks else { throw .EMLINK }
        node.mayGetName = false
        node.stored.links += 1
        node.touchChange()
        insert(name, node)
    }

    // MARK: Removing

    package func unlink(_ name: FileName) throws(Errno) {
        let node = try child(name)
        try load()
        try node.loseName()
        take(name)
    }

    /// One name less.
    private func loseName() throws(Errno) {
        try load()
        stored.links -= min(stored.links, 1)
        touchChange()
        if stored.links == 0 { fileSystem.forget(self) }
    }

    package func removeDirectory(_ name: FileName) throws(Errno) {
        let node = try child(name)
        guard try node.isEmpty() else { throw .ENOTEMPTY }
        try load()
        try node.loseDirectory()
        stored.links -= min(stored.links, 1)
        take(name)
    }

    private func loseDirectory() throws(Errno) {
        try load()
        stored.links = 0
        touchChange()
    }

    // MARK: Moving

    package func rename(
        _ name: FileName, to directory: any Inode, as newName: FileName, exchange: Bool
    ) throws(Errno) {
        guard let target = directory as? TmpNode, target.fileSystem === fileSystem else { throw .EXDEV }
        let node = try child(name)
        try load()
        try target.load()
        try node.load()
        if exchange {
            let other = try target.child(newName)
            try other.load()
            take(name)
            target.take(newName)
            insert(name, other)
            target.insert(newName, node)
            node.touchChange()
            other.touchChange()
            if node.kind == .directory, other.kind != .directory { moveLink(to: target) }
            if node.kind != .directory, other.kind == .directory { target.moveLink(to: self) }
            return
        }
        if let replaced = try target.existing(newName) {
            if replaced.kind == .directory {
                guard try replaced.isEmpty() else { throw .ENOTEMPTY }
                try replaced.loseDirectory()
                target.stored.links -= min(target.stored.links, 1)
            } else {
                try replaced.loseName()
            }
        }
        take(name)
        target.insert(newName, node)
        node.touchChange()
        if node.kind == .directory { moveLink(to: target) }
    }

    private func existing(_ name: FileName) throws(Errno) -> TmpNode? {
        do throws(Errno) {
            return try child(name)
        } catch {
            guard error == .ENOENT else { throw error }
            return nil
        }
    }

    /// A subdirectory's `..` counts for another directory now.
    private func moveLink(to other: TmpNode) {
        guard other !== self else { return }
        stored.links -= min(stored.links, 1)
        other.stored.links += 1
    }

    // MARK: Listing

    /// A lower directory that has gone has no entries any more.
    private func lowerEntries(of lower: any LowerNode) throws(Errno) -> [DirectoryEntry] {
        do throws(Errno) {
            return try lower.entries()
        } catch {
            guard error == .ENOENT || error == .ENOTDIR else { throw error }
            return []
        }
    }

    package func entries() throws(Errno) -> [DirectoryEntry] {
        let directory = try listed()
        try load()
        var entries: [DirectoryEntry] = []
        if directory.showsLower, let lower {
            entries = try lowerEntries(of: lower)
            if !directory.hidden.isEmpty { entries.removeAll { directory.hidden.contains($0.name) } }
        }
        for (name, node) in directory.own {
            try node.load()
            entries.append(DirectoryEntry(name: name, inode: node.stored.inode, kind: node.kind))
        }
        return entries
    }

    package func listing() throws(Errno) -> DirectoryListing {
        let directory = try listed()
        guard directory.showsLower, !directory.isChanged, let lower else { return DirectoryListing(try entries()) }
        do throws(Errno) {
            return try lower.listing()
        } catch {
            guard error == .ENOENT || error == .ENOTDIR else { throw error }
            return DirectoryListing()
        }
    }
}
