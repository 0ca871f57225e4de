package import LinuxABI

/// The changes that calls make to the tree of names: each checks what Linux's VFS checks, asks the file system, and keeps
/// the dentries true.
package enum TreeChanges {
    /// May the caller add or remove names here? Throws EROFS, EACCES, ENOENT for a directory that is gone.
    private static func checkWritable(_ directory: Dentry, _ credentials: FileCredentials) throws(Errno) {
        guard !directory.isDeleted else { throw .ENOENT }
        guard !directory.mount.isReadOnly else { throw .EROFS }
        try credentials.check([.write, .execute], try directory.inode.attributes())
    }

    /// `t` on a directory: only owners remove. Throws EPERM.
    private static func checkSticky(
        _ directory: Dentry, _ victim: Dentry, _ credentials: FileCredentials
    ) throws(Errno) {
        let attributes = try directory.inode.attributes()
        guard attributes.mode.permissions & 0o1000 != 0, !credentials.has(.fileOwner),
            credentials.userID != attributes.userID,
            credentials.userID != (try victim.inode.attributes()).userID
        else { return }
        throw .EPERM
    }

    /// The name at which something new is made. Throws EEXIST when something is there.
    private static func freeName(_ parent: Parent, forDirectory: Bool = false) throws(Errno) -> FileName {
        guard let name = parent.name else { throw .EEXIST }
        do throws(Errno) {
            _ = try parent.directory.child(name)
        } catch {
            guard error == .ENOENT else { throw error }
            if parent.mustBeDirectory, !forDirectory { throw .ENOENT }
            return name
        }
        throw .EEXIST
    }

    private static func new(
        _ parent: Parent, _ mode: FileMode, _ credentials: FileCredentials, device: UInt64 = 0
    ) throws(Errno) -> NewInode {
        var new = NewInode(mode: mode, userID: credentials.userID, groupID: credentials.groupID, device: device)
        // A set-group-id directory gives its group to what is made in it, and the bit to directories.
        let directory = try parent.directory.inode.attributes()
        if directory.mode.permissions & 0o2000 != 0 {
            new.groupID = directory.groupID
            if mode.kind == .directory {
                new.mode.rawValue |= 0o2000
            } else if mode.permissions & 0o2010 == 0o2010, !credentials.isIn(directory.groupID),
                !credentials.has(.keepSetID)
            {
                new.mode.rawValue &= ~0o2000
            }
        }
        return new
    }

    /// Makes a regular file, FIFO, socket or device node.
    package static func create(
        _ parent: Parent, mode: FileMode, device: UInt64 = 0, _ credentials: FileCredentials
    ) throws(Errno) -> Dentry {
        let name = try freeName(parent)
        try checkWritable(parent.directory, credentials)
        let new = try new(parent, mode, credentials, device: device)
        let made = parent.directory.add(name, try parent.directory.inode.create(name, new))
        parent.directory.notify(.create, of: name, made.inode)
        return made
    }

    /// See `mkdir(2)`.
    package static func makeDirectory(
        _ parent: Parent, permissions: UInt32, _ credentials: FileCredentials
    ) throws(Errno) {
        let name = try freeName(parent, forDirectory: true)
        try checkWritable(parent.directory, credentials)
        let new = try new(parent, FileMode(.directory, permissions & 0o1777), credentials)
        let made = parent.directory.add(name, try parent.directory.inode.makeDirectory(name, new))
        parent.directory.notify(.create, of: name, made.inode)
    }

    /// See `symlink(2)`.
    package static func makeSymbolicLink(
        _ parent: Parent, to target: [UInt8], _ credentials: FileCredentials
    ) throws(Errno) {
        let name = try freeName(parent)
        try checkWritable(parent.directory, credentials)
        let new = try new(parent, FileMode(.symbolicLink, 0o777), credentials)
        let made = parent.directory.add(name, try parent.directory.inode.makeSymbolicLink(name, to: target, new))
        parent.directory.notify(.create, of: name, made.inode)
    }

    /// See `link(2)`.
    package static func link(_ old: Dentry, as parent: Parent, _ credentials: FileCredentials) throws(Errno) {
        let name = try freeName(parent)
        guard !parent.directory.mount.isReadOnly else { throw .EROFS }
        guard old.mount === parent.directory.mount else { throw .EXDEV }
        try checkLinkable(old, credentials)
        try checkWritable(parent.directory, credentials)
        guard old.inode.kind != .directory else { throw .EPERM }
        try parent.directory.inode.link(old.inode, as: name)
        _ = parent.directory.add(name, old.inode)
        old.notifySelf(.attributes)
        parent.directory.notify(.create, of: name, old.inode)
    }

    /// `fs.protected_hardlinks`: who does not own a file links it only if it is a plain one that they may read and write.
    /// Throws EPERM.
    private static func checkLinkable(_ old: Dentry, _ credentials: FileCredentials) throws(Errno) {
        let attributes = try old.inode.attributes()
        if credentials.owns(attributes) { return }
        let permissions = attributes.mode.permissions
        guard old.inode.kind == .regular, permissions & 0o4000 == 0, permissions & 0o2010 != 0o2010,
            (try? credentials.check([.read, .write], attributes)) != nil
        else { throw .EPERM }
    }

    /// What Linux's `may_delete` checks, but for the kinds. Throws ENOENT, EACCES, EPERM.
    private static func checkRemovable(
        _ directory: Dentry, _ victim: Dentry, isDirectory: Bool, _ credentials: FileCredentials
    ) throws(Errno) {
        try checkWritable(directory, credentials)
        try checkSticky(directory, victim, credentials)
        if isDirectory {
            guard victim.inode.kind == .directory else { throw .ENOTDIR }
        } else {
            guard victim.inode.kind != .directory else { throw .EISDIR }
        }
    }

    /// See `unlink(2)`.
    package static func unlink(_ parent: Parent, _ credentials: FileCredentials) throws(Errno) -> Dentry {
        guard let name = parent.name else { throw .EISDIR }
        guard !parent.directory.mount.isReadOnly else { throw .EROFS }
        let victim = try parent.directory.child(name)
        if parent.mustBeDirectory { throw victim.inode.kind == .directory ? .EISDIR : .ENOTDIR }
        try checkRemovable(parent.directory, victim, isDirectory: false, credentials)
        guard victim.mounted == nil else { throw .EBUSY }
        try parent.directory.inode.unlink(name)
        parent.directory.forget(victim)
        victim.notifyRemoved()
        parent.directory.notify(.delete, of: name, victim.inode)
        return victim
    }

    /// See `rmdir(2)`.
    package static func removeDirectory(_ parent: Parent, _ credentials: FileCredentials) throws(Errno) -> Dentry {
        guard let name = parent.name else {
            switch parent.lastKind {
            case .dot: throw .EINVAL
            case .dotDot: throw .ENOTEMPTY
            default: throw .EBUSY
            }
        }
        guard !parent.directory.mount.isReadOnly else { throw .EROFS }
        let victim = try parent.directory.child(name)
        try checkRemovable(parent.directory, victim, isDirectory: true, credentials)
        guard victim.mounted == nil else { throw .EBUSY }
        try parent.directory.inode.removeDirectory(name)
        parent.directory.forget(victim)
        victim.notifyRemoved()
        parent.directory.notify(.delete, of: name, victim.inode)
        return victim
    }

    package static let noReplace: UInt32 = 1
    package static let exchange: UInt32 = 2

    /// See `rename(2)`, `renameat2(2)`; the checks stand in the order of Linux's `do_renameat2` and `vfs_rename`.
    package static func rename(
        _ from: Parent, to: Parent, flags: UInt32, _ credentials: FileCredentials
    ) throws(Errno) {
        let exchanges = flags & exchange != 0
        guard from.directory.mount === to.directory.mount else { throw .EXDEV }
        guard let oldName = from.name else { throw .EBUSY }
        guard let newName = to.name else { throw flags & noReplace != 0 ? .EEXIST : .EBUSY }
        guard !from.directory.mount.isReadOnly else { throw .EROFS }
        let moved = try from.directory.child(oldName)
        let replaced = try target(to, newName, flags)
        let isDirectory = moved.inode.kind == .directory
        if exchanges, to.mustBeDirectory, replaced?.inode.kind != .directory { throw .ENOTDIR }
        if !isDirectory {
            if from.mustBeDirectory || (to.mustBeDirectory && !exchanges) { throw .ENOTDIR }
        }
        // Neither end may lie inside the other.
        guard !to.directory.isBelow(moved) else { throw .EINVAL }
        if let replaced, from.directory.isBelow(replaced) { throw exchanges ? .EINVAL : .ENOTEMPTY }
        // Two names of one file: nothing to do.
        if let replaced, replaced.inode === moved.inode { return }
        try checkRemovable(from.directory, moved, isDirectory: isDirectory, credentials)
        if let replaced {
            let kind = exchanges ? replaced.inode.kind == .directory : isDirectory
            try checkRemovable(to.directory, replaced, isDirectory: kind, credentials)
        } else {
            try checkWritable(to.directory, credentials)
        }
        if from.directory.inode !== to.directory.inode {
            // A directory that changes its parent changes its `..`.
            if isDirectory { try credentials.check(.write, try moved.inode.attributes()) }
            if exchanges, let replaced, replaced.inode.kind == .directory {
                try credentials.check(.write, try replaced.inode.attributes())
            }
        }
        guard moved.mounted == nil, replaced?.mounted == nil else { throw .EBUSY }
        try from.directory.inode.rename(oldName, to: to.directory.inode, as: newName, exchange: exchanges)
        if exchanges, let replaced {
            from.directory.exchange(moved, with: replaced)
        } else {
            from.directory.move(moved, to: to.directory, as: newName)
        }
        Dentry.notifyMoved(
            moved, from: from.directory, oldName, to: to.directory, newName, over: exchanges ? nil : replaced)
        if exchanges, let replaced {
            Dentry.notifyMoved(replaced, from: to.directory, newName, to: from.directory, oldName, over: nil)
        }
    }

    /// What stands at the new name of a rename; nil for nothing.
    private static func target(_ to: Parent, _ name: FileName, _ flags: UInt32) throws(Errno) -> Dentry? {
        let found: Dentry
        do throws(Errno) {
            found = try to.directory.child(name)
        } catch {
            guard error == .ENOENT, flags & exchange == 0 else { throw error }
            return nil
        }
        guard flags & noReplace == 0 else { throw .EEXIST }
        return found
    }
}
