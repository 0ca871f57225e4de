internal import Kernel
internal import LinuxABI
internal import VFS

/// open(2), openat(2), openat2(2), creat(2), memfd_create(2).
extension GuestThread {
    /// What `openat` and `openat2` come to.
    struct OpenRequest {
        var flags: OpenFlags
        var mode: FileMode
        var options: WalkOptions = .followLast
    }

    func openAt(
        _ directory: FileNumber, _ pointer: UserString, _ flags: OpenFlags, _ mode: FileMode
    ) throws(Errno) -> Int {
        // Unknown bits are ignored by the old calls, and O_PATH leaves but a few.
        var flags = OpenFlags(rawValue: flags.rawValue & 0o37_777_703)
        if flags.contains(.pathOnly) {
            flags.formIntersection([.directory, .noFollow, .pathOnly, .closeOnExec])
        }
        let path = try copyInPath(from: pointer)
        let number = try open(directory, path, OpenRequest(flags: flags, mode: mode))
        if flags.contains(.noFollow) { leaveStatusName(directory, path) }
        return number
    }

    /// See `openat2(2)`.
    func openAt2(_ directory: FileNumber, _ pointer: UserString, _ how: UInt, _ size: UInt) throws(Errno) -> Int {
        guard size >= 24 else { throw .EINVAL }
        guard size <= 4096 else { throw .E2BIG }
        let bytes = try copyIn(Int(size), from: how)
        guard bytes.dropFirst(24).allSatisfy({ $0 == 0 }) else { throw .E2BIG }
        var reader = ByteReader(bytes)
        let flags: UInt64 = reader.take()
        let mode: UInt64 = reader.take()
        let resolve: UInt64 = reader.take()
        guard flags & ~0o37_777_703 == 0, resolve & ~0x3f == 0, mode & ~0o7777 == 0 else { throw .EINVAL }
        let open = OpenFlags(rawValue: UInt32(flags))
        guard mode == 0 || open.contains(.create) || open.contains(.temporaryFileBit) else { throw .EINVAL }
        guard resolve & 0x18 != 0x18 else { throw .EINVAL }
        if open.contains(.pathOnly), flags & ~0o12_600_000 != 0 { throw .EINVAL }
        if resolve & 0x20 != 0 { throw .EAGAIN }
        var options: WalkOptions = .followLast
        if resolve & 1 != 0 { options.insert(.noCrossing) }
        if resolve & 2 != 0 { options.insert(.noMagicLinks) }
        if resolve & 4 != 0 { options.insert(.noLinks) }
        if resolve & 8 != 0 { options.insert(.beneath) }
        if resolve & 16 != 0 { options.insert(.inRoot) }
        let path = try copyInPath(from: pointer)
        return try self.open(
            directory, path, OpenRequest(flags: open, mode: FileMode(rawValue: UInt32(mode)), options: options))
    }

    private func open(_ directory: FileNumber, _ path: [UInt8], _ request: OpenRequest) throws(Errno) -> Int {
        let flags = request.flags
        if flags.contains(.temporaryFileBit) {
            guard flags.contains(.directory), flags.mayWrite, !flags.contains(.create) else { throw .EINVAL }
            return try openNameless(directory, path, request)
        }
        if flags.contains(.create), flags.contains(.directory) { throw .EINVAL }
        if isRetry, let waiting = restart.object as? PendingOpening { return try finishOpening(waiting) }
        // Before anything is made or emptied.
        guard files.hasRoom(limit: process.openFilesLimit) else { throw .EMFILE }
        let dentry: Dentry
        var isNew = false
        if flags.contains(.create) {
            (dentry, isNew) = try findOrCreate(directory, path, request)
        } else {
            var options = request.options
            if flags.contains(.noFollow) { options.remove(.followLast) }
            dentry = try resolve(directory, path, options)
        }
        return try open(dentry, flags, isNew: isNew)
    }

    /// The file at the path, made if nothing is there.
    private func findOrCreate(
        _ directory: FileNumber, _ path: [UInt8], _ request: OpenRequest
    ) throws(Errno) -> (Dentry, isNew: Bool) {
        let flags = request.flags
        var walk = try walk(directory, path, request.options)
        var parent = try walk.resolveParent(path)
        let follows = !flags.contains(.noFollow) && !flags.contains(.exclusive)
        // A dangling link leads on to where the file will be made.
        while true {
            guard let name = parent.name else { throw flags.contains(.exclusive) ? .EEXIST : .EISDIR }
            if parent.mustBeDirectory { throw .EISDIR }
            guard let existing = try existing(name, in: parent.directory) else { break }
            if flags.contains(.exclusive) { throw .EEXIST }
            guard existing.inode.kind == .symbolicLink, follows else {
                return (try walk.end(of: parent, follow: false), false)
            }
            if try existing.inode.magicTarget() != nil { return (try walk.end(of: parent, follow: true), false) }
            parent = try walk.parentThroughLink(existing, from: parent.directory)
        }
        let mode = FileMode(.regular, masked(request.mode))
        return (try TreeChanges.create(parent, mode: mode, fileCredentials), true)
    }

    private func existing(_ name: FileName, in directory: Dentry) throws(Errno) -> Dentry? {
        do throws(Errno) {
            return try directory.child(name)
        } catch {
            guard error == .ENOENT else { throw error }
            return nil
        }
    }

    /// `O_TMPFILE`.
    private func openNameless(_ directory: FileNumber, _ path: [UInt8], _ request: OpenRequest) throws(Errno) -> Int {
        let dentry = try resolve(directory, path, request.options)
        guard dentry.inode.kind == .directory else { throw .ENOTDIR }
        guard !dentry.mount.isReadOnly else { throw .EROFS }
        let credentials = fileCredentials
        try credentials.check([.write, .execute], try dentry.inode.attributes())
        let inode = try dentry.inode.createNameless(
            NewInode(
                mode: FileMode(.regular, masked(request.mode)), userID: credentials.userID,
                groupID: credentials.groupID, isPermanentlyNameless: request.flags.contains(.exclusive)))
        let number = try inode.attributes().inode
        let nameless = Dentry(
            name: FileName(Array("#\(number)".utf8)), parent: dentry, inode: inode, mount: dentry.mount,
            isDeleted: true)
        let flags = request.flags.subtracting([.directory, .temporaryFileBit])
        let kept = request.flags.subtracting([.exclusive, .noControllingTerminal, .truncate, .closeOnExec])
        return try open(nameless, flags, isNew: true, kept: kept)
    }

    /// `kept`: the flags that `F_GETFL` will show, if they are not those of `flags`.
    private func open(_ dentry: Dentry, _ flags: OpenFlags, isNew: Bool, kept: OpenFlags? = nil) throws(Errno) -> Int {
        let inode = dentry.inode
        let closeOnExec = flags.contains(.closeOnExec)
        if flags.contains(.pathOnly) {
            if flags.contains(.directory), inode.kind != .directory { throw .ENOTDIR }
            let kept = flags.intersection([.pathOnly, .directory, .noFollow])
            return try install(OpenFile(PathOnlyFile(inode), flags: kept, location: dentry), closeOnExec: closeOnExec)
        }
        try checkOpening(dentry, flags, isNew: isNew)
        if flags.contains(.truncate), inode.kind == .regular, !isNew {
            if flags.mayWrite { try checkExecuting(inode) }
            try inode.truncate(to: 0)
        }
        let operations = try inode.open(flags)
        if inode.kind == .characterDevice, !flags.contains(.noControllingTerminal),
            let opened = operations as? any TerminalFile, !opened.isMaster, let terminal = opened.terminal
        {
            adopt(terminal)
        }
        // Creation flags are not status flags.
        var status = kept ?? flags.subtracting([.create, .exclusive, .noControllingTerminal, .truncate, .closeOnExec])
        status.insert(.largeFile)
        // Something without a place but in /proc (a pipe, say) stays without one.
        let file = OpenFile(operations, flags: status, location: dentry.isPlaceless ? nil : dentry)
        file.hasCreated = isNew && kept == nil
        if operations is PipeEnd, let named = (inode as? any NamedPipeHolder)?.namedPipe {
            return try waitForPeer(file, named, flags)
        }
        let number = try install(file, closeOnExec: closeOnExec)
        file.location?.notify(.open)
        if flags.contains(.truncate), inode.kind == .regular, !isNew { file.location?.notify(.modify) }
        leaveStatus(file, number) { (try? operations.inode.attributes()).map { StatBuffer.words(of: $0) } }
        if inode.kind == .directory { leaveEntries(file, number, StatBuffer.words) }
        return number
    }

    /// What Linux's `do_open` and `may_open` check.
    private func checkOpening(_ dentry: Dentry, _ flags: OpenFlags, isNew: Bool) throws(Errno) {
        let kind = dentry.inode.kind
        if kind == .directory, flags.contains(.create) { throw .EISDIR }
        if flags.contains(.directory), kind != .directory { throw .ENOTDIR }
        if kind == .symbolicLink { throw .ELOOP }
        if kind == .directory, flags.accessMode != 0 || flags.contains(.truncate) { throw .EISDIR }
        guard !isNew else { return }
        let writes = flags.accessMode != 0 || flags.contains(.truncate)
        let access = Access(
            rawValue: (flags.accessMode != 1 ? Access.read.rawValue : 0) | (writes ? Access.write.rawValue : 0))
        let attributes = try dentry.inode.attributes()
        let isOnDisk = kind == .regular || kind == .directory
        if access.contains(.write), dentry.mount.isReadOnly, isOnDisk { throw .EROFS }
        let credentials = fileCredentials
        try credentials.check(access, attributes)
        if flags.contains(.noAccessTime), !credentials.owns(attributes) { throw .EPERM }
        if flags.mayWrite { try checkExecuting(dentry.inode) }
    }

    /// What runs is not written: ETXTBSY.
    func checkExecuting(_ inode: any Inode) throws(Errno) {
        guard inode.kind == .regular else { return }
        let runs = kernel.processes.values.contains { $0.executable?.inode === inode && !$0.threads.isEmpty }
        if runs { throw .ETXTBSY }
    }

    // MARK: FIFOs

    /// A FIFO's opening waits for the other end.
    private func waitForPeer(_ file: OpenFile, _ pipe: NamedPipe, _ flags: OpenFlags) throws(Errno) -> Int {
        let opening = PendingOpening(file, closeOnExec: flags.contains(.closeOnExec), seen: pipe.peerOpens(flags))
        restart.object = opening
        return try finishOpening(opening)
    }

    private func finishOpening(_ opening: PendingOpening) throws(Errno) -> Int {
        let file = opening.file
        if let pipe = (file.operations.inode as? any NamedPipeHolder)?.namedPipe,
            pipe.mustWait(file.flags, seen: opening.seen)
        {
            let wait = park(on: [pipe.pipe.waitQueue])
            if wait != .parked { restart.object = nil }
            throw wait
        }
        return try install(file, closeOnExec: opening.closeOnExec)
    }

    /// See `memfd_create(2)`.
    func memfdCreate(_ pointer: UserString, _ flags: UInt32) throws(Errno) -> Int {
        guard flags & ~0x1f == 0, flags & 0x18 != 0x18 else { throw .EINVAL }
        guard flags & 4 == 0 else { throw .ENOSYS }
        let name = try copyInString(from: pointer.address, limit: 250, tooLong: .EINVAL)
        let (inode, mount) = try kernel.newMemoryFile(flags: flags, credentials: fileCredentials)
        let dentry = Dentry(
            name: FileName(Array("memfd:".utf8) + name), parent: nil, inode: inode, mount: mount, isDeleted: true)
        let open: OpenFlags = [.readWrite, .largeFile]
        let file = OpenFile(try inode.open(open), flags: open, location: dentry)
        return try install(file, closeOnExec: flags & 1 != 0)
    }
}

/// One end of a FIFO that is open and waits for the other. It goes when nobody waits any more, whether the opening has
/// succeeded, was interrupted, or its thread has died.
private final class PendingOpening {
    let file: OpenFile
    let closeOnExec: Bool
    /// How often the other end had been opened before.
    let seen: Int

    init(_ file: OpenFile, closeOnExec: Bool, seen: Int) {
        self.file = file
        self.closeOnExec = closeOnExec
        self.seen = seen
        file.retain()
    }

    deinit { file.release() }
}
