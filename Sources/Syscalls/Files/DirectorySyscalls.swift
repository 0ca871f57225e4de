internal import Kernel
internal import LinuxABI
internal import VFS

/// getdents64(2), mkdir(2), rmdir(2), unlink(2), rename(2), link(2), symlink(2), mknod(2), chdir(2), getcwd(2).
extension GuestThread {
    /// See `getdents64(2)`; the older form differs in where the type stands.
    func getDirectoryEntries(
        _ number: FileNumber, _ buffer: UInt, _ count: UInt32, old: Bool = false
    ) throws(Errno) -> Int {
        let file = try file(number)
        guard let directory = file.operations as? DirectoryFile else { throw .ENOTDIR }
        if let location = file.location, location.isDeleted { throw .ENOENT }
        let start = file.position
        let limit = min(Int(count), GuestThread.largestListing)
        var bytes = try directory.takeEntries(file, limit: limit) { () throws(Errno) in
            try file.parentInode
        }
        if old { GuestThread.makeOld(&bytes) }
        do throws(Errno) {
            try copyOut(bytes, to: buffer)
        } catch {
            // What nobody has seen is still to come.
            file.position = start
            throw error
        }
        file.location?.notify(.access)
        if start == 0 { hasReadEntries(file) }
        if directory.isAtEnd(file) { leaveEnd(file, number) }
        return bytes.count
    }

    /// However large the guest's buffer is: what one call gives at most.
    private static let largestListing = 65536

    /// The older form has the type in an entry's last byte, and the name where the type stands in the newer.
    private static func makeOld(_ bytes: inout [UInt8]) {
        var index = 0
        while index + DirectoryListing.headSize < bytes.count {
            let end = index + Int(bytes[index + 16]) + Int(bytes[index + 17]) << 8
            guard end > index + DirectoryListing.headSize, end <= bytes.count else { return }
            let type = bytes[index + 18]
            for place in index + 18..<end - 1 { bytes[place] = bytes[place + 1] }
            bytes[end - 1] = type
            index = end
        }
    }

    func makeDirectoryAt(_ directory: FileNumber, _ pointer: UserString, _ mode: FileMode) throws(Errno) -> Int {
        let parent = try resolveParent(directory, try copyInPath(from: pointer))
        try TreeChanges.makeDirectory(parent, permissions: masked(mode), fileCredentials)
        return 0
    }

    func unlinkAt(_ directory: FileNumber, _ pointer: UserString, _ flags: UInt32) throws(Errno) -> Int {
        guard flags & ~0x200 == 0 else { throw .EINVAL }
        let parent = try resolveParent(directory, try copyInPath(from: pointer))
        if flags & 0x200 != 0 {
            _ = try TreeChanges.removeDirectory(parent, fileCredentials)
        } else {
            _ = try TreeChanges.unlink(parent, fileCredentials)
        }
        return 0
    }

    func renameAt(
        _ oldDirectory: FileNumber, _ old: UserString, _ newDirectory: FileNumber, _ new: UserString,
        _ flags: UInt32 = 0
    ) throws(Errno) -> Int {
        guard flags & ~7 == 0, flags & 2 == 0 || flags & 5 == 0 else { throw .EINVAL }
        // RENAME_WHITEOUT makes sense to overlay file systems only.
        guard flags & 4 == 0 else { throw .EINVAL }
        let from = try resolveParent(oldDirectory, try copyInPath(from: old))
        let to = try resolveParent(newDirectory, try copyInPath(from: new))
        try TreeChanges.rename(from, to: to, flags: flags, fileCredentials)
        return 0
    }

    func linkAt(
        _ oldDirectory: FileNumber, _ old: UserString, _ newDirectory: FileNumber, _ new: UserString, _ flags: UInt32
    ) throws(Errno) -> Int {
        guard flags & ~0x1400 == 0 else { throw .EINVAL }
        var options: WalkOptions = []
        if flags & 0x400 != 0 { options.insert(.followLast) }
        if flags & 0x1000 != 0 { options.insert(.allowEmpty) }
        let source = try resolve(oldDirectory, try copyInPath(from: old), options)
        let parent = try resolveParent(newDirectory, try copyInPath(from: new))
        try TreeChanges.link(source, as: parent, fileCredentials)
        return 0
    }

    func symlinkAt(_ target: UserString, _ directory: FileNumber, _ pointer: UserString) throws(Errno) -> Int {
        let text = try copyInPath(from: target)
        guard !text.isEmpty else { throw .ENOENT }
        let parent = try resolveParent(directory, try copyInPath(from: pointer))
        try TreeChanges.makeSymbolicLink(parent, to: text, fileCredentials)
        return 0
    }

    func mknodAt(
        _ directory: FileNumber, _ pointer: UserString, _ mode: FileMode, _ device: UInt32
    ) throws(Errno) -> Int {
        let raw = mode.rawValue & 0o170000
        let kind = raw == 0 ? FileKind.regular : mode.kind
        guard let kind, kind != .symbolicLink else { throw .EINVAL }
        guard kind != .directory else { throw .EPERM }
        if kind == .characterDevice || kind == .blockDevice, !fileCredentials.has(.makeNode) { throw .EPERM }
        let parent = try resolveParent(directory, try copyInPath(from: pointer))
        // The old 32-bit number: 12 bits of major between 8 and 12 of minor.
        let number = DeviceNumber(major: device >> 8 & 0xfff, minor: device & 0xff | device >> 12 & 0xfff00)
        _ = try TreeChanges.create(
            parent, mode: FileMode(kind, masked(mode)), device: number.rawValue, fileCredentials)
        return 0
    }

    // MARK: Where the thread is

    private func enterable(_ dentry: Dentry) throws(Errno) -> Dentry {
        guard dentry.inode.kind == .directory else { throw .ENOTDIR }
        try fileCredentials.check(.execute, try dentry.inode.attributes())
        return dentry
    }

    func chdir(_ pointer: UserString) throws(Errno) -> Int {
        fileSystem.workingDirectory = try enterable(try resolve(.currentDirectory, try copyInPath(from: pointer)))
        return 0
    }

    func fchdir(_ number: FileNumber) throws(Errno) -> Int {
        guard let location = try files.file(number).location else { throw .ENOTDIR }
        fileSystem.workingDirectory = try enterable(location)
        return 0
    }

    func chroot(_ pointer: UserString) throws(Errno) -> Int {
        let dentry = try enterable(try resolve(.currentDirectory, try copyInPath(from: pointer)))
        guard credentials.has(capability: 18) else { throw .EPERM }
        fileSystem.root = dentry
        return 0
    }

    /// See `getcwd(2)`: the result counts the NUL.
    func getcwd(_ buffer: UserPointer<UInt8>, _ size: UInt) throws(Errno) -> Int {
        let directory = fileSystem.workingDirectory
        guard !directory.isDeleted else { throw .ENOENT }
        var top = directory
        while let above = top.parent ?? top.mount.point { top = above }
        let path =
            (directory.path(from: fileSystem.root) ?? Array("(unreachable)".utf8) + (directory.path(from: top) ?? []))
            + [0]
        guard UInt(path.count) <= size else { throw .ERANGE }
        try copyOut(path, to: buffer.address)
        return path.count
    }

    func setUmask(_ mask: Int32) throws(Errno) -> Int {
        defer { fileSystem.umask = UInt32(truncatingIfNeeded: mask) & 0o777 }
        return Int(fileSystem.umask)
    }
}
