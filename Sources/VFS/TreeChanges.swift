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
        if let existing = try? parent.directory.child(name) {
            _ = existing
            throw .EEXIST
        }
        if parent.mustBeDirectory, !forDirectory { throw .ENOENT }
        return name
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
        return parent.directory.add(name, try parent.directory.inode.create(name, new))
    }

    /// See `mkdir(2)`.
    package static func makeDirectory(
        _ parent: Parent, permissions: UInt32, _ credentials: FileCredentials
    ) throws(Errno) {
        let name = try freeName(parent, forDirectory: true)
        try checkWritable(parent.directory, credentials)
        let new = try new(parent, FileMode(.directory, permissions & 0o1777), credentials)
        _ = parent.directory.add(name, try parent.directory.inode.makeDirectory(name, new))
    }

    /// See `symlink(2)`.
    package static func makeSymbolicLink(
        _ parent: Parent, to target: [UInt8], _ credentials: FileCredentials
    ) throws(Errno) {
        let name = try freeName(parent)
        try checkWritable(parent.directory, credentials)
        let new = try new(parent, FileMode(.symbolicLink, 0o777), credentials)
        _ = parent.directory.add(name, try parent.directory.inode.makeSymbolicLink(name, to: target, new))
    }

    /// See `link(2)`.
    package static func link(_ old: Dentry, as parent: Parent, _ credentials: FileCredentials) throws(Errno) {
        let name = try freeName(parent)
        guard old.mount === parent.directory.mount else { throw .EXDEV }
        try checkWritable(parent.directory, credentials)
        guard old.inode.kind != .directory else { throw .EPERM }
        try parent.directory.inode.link(old.inode, as: name)
        _ = parent.directory.add(name, old.inode)
    }

    /// See `unlink(2)`.
    package static func unlink(_ parent: Parent, _ credentials: FileCredentials) throws(Errno) -> Dentry {
        guard let name = parent.name else { throw parent.lastKind == .root ? .EISDIR : .EISDIR }
        let victim = try parent.directory.child(name)
        if parent.mustBeDirectory { throw victim.inode.kind == .directory ? .EISDIR : .ENOTDIR }
        try checkWritable(parent.directory, credentials)
        try checkSticky(parent.directory, victim, credentials)
        guard victim.inode.kind != .directory else { throw .EISDIR }
        guard victim.mounted == nil else { throw .EBUSY }
        try parent.directory.inode.unlink(name)
        parent.directory.forget(victim)
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
        let victim = try parent.directory.child(name)
        try checkWritable(parent.directory, credentials)
        try checkSticky(parent.directory, victim, credentials)
        guard victim.inode.kind == .directory else { throw .ENOTDIR }
        guard victim.mounted == nil else { throw .EBUSY }
        try parent.directory.inode.removeDirectory(name)
        parent.directory.forget(victim)
        return victim
    }

    package static let noReplace: UInt32 = 1
    package static let exchange: UInt32 = 2

    /// See `rename(2)`, `renameat2(2)`.
    package static func rename(
        _ from: Parent, to: Parent, flags: UInt32, _ credentials: FileCredentials
    ) throws(Errno) {
        guard let oldName = from.name, let newName = to.name else {
            throw flags & noReplace != 0 && to.name == nil ? .EEXIST : .EBUSY
        }
        guard from.directory.mount === to.directory.mount else { throw .EXDEV }
        let moved = try from.directory.child(oldName)
        var replaced: Dentry?
        do throws(Errno) {
            replaced = try to.directory.child(newName)
        } catch {
            guard error == .ENOENT, flags & exchange == 0 else { throw error }
        }
        if replaced != nil, flags & noReplace != 0 { throw .EEXIST }
        let isDirectory = moved.inode.kind == .directory
        if !isDirectory {
            if from.mustBeDirectory || (to.mustBeDirectory && flags & exchange == 0) { throw .ENOTDIR }
        }
        if flags & exchange != 0, to.mustBeDirectory, replaced?.inode.kind != .directory { throw .ENOTDIR }
        // Neither end may lie inside the other.
        guard !to.directory.isBelow(moved) else { throw .EINVAL }
        if let replaced, from.directory.isBelow(replaced) { throw flags & exchange != 0 ? .EINVAL : .ENOTEMPTY }
        try checkWritable(from.directory, credentials)
        try checkSticky(from.directory, moved, credentials)
        try checkWritable(to.directory, credentials)
        if let replaced {
            try checkSticky(to.directory, replaced, credentials)
            guard replaced.inode !== moved.inode else { return }
            if flags & exchange == 0 {
                if isDirectory, replaced.inode.kind != .directory { throw .ENOTDIR }
                if !isDirectory, replaced.inode.kind == .directory { throw .EISDIR }
            }
            guard replaced.mounted == nil else { throw .EBUSY }
        }
        guard moved.mounted == nil else { throw .EBUSY }
        try from.directory.inode.rename(
            oldName, to: to.directory.inode, as: newName, exchange: flags & exchange != 0)
        if flags & exchange != 0, let replaced {
            from.directory.exchange(moved, with: replaced)
        } else {
            from.directory.move(moved, to: to.directory, as: newName)
        }
    }
}
