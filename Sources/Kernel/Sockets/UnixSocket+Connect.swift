package import LinuxABI
internal import VFS

/// bind(2), listen(2), connect(2), accept(2), shutdown(2) of `AF_UNIX`.
extension UnixSocket {
    package func bind(_ bytes: [UInt8], by thread: GuestThread) throws(Errno) {
        switch try UnixAddress(bytes) {
        case .unnamed:
            guard address == nil else { throw .EINVAL }
            address = .abstract(try kernel.unixSockets.takeAutomatic(for: self))
        case .abstract(let name):
            guard address == nil else { throw .EINVAL }
            try kernel.unixSockets.take(name, for: self)
            address = .abstract(name)
        case .path(let path): try bind(toPath: path, by: thread)
        }
    }

    private func bind(toPath path: [UInt8], by thread: GuestThread) throws(Errno) {
        let context = thread.fileSystem
        var walk = PathWalk(
            root: context.root, start: context.workingDirectory, credentials: thread.lookupCredentials, options: [])
        let parent = try walk.resolveParent(path)
        let isThere = parent.name.map { (try? parent.directory.child($0)) != nil } ?? true
        guard !isThere else { throw .EADDRINUSE }
        guard address == nil else { throw .EINVAL }
        let mode = FileMode(.socket, 0o777 & ~context.umask)
        let dentry = try TreeChanges.create(parent, mode: mode, thread.lookupCredentials)
        boundInode = dentry.inode
        kernel.unixSockets.bind(dentry.inode, to: self)
        address = .path(path)
    }

    package func listen(_ wanted: Int32, by thread: GuestThread) throws(Errno) {
        guard type.isConnectionBased else { throw .EOPNOTSUPP }
        guard address != nil, state == .closed || state == .listening else { throw .EINVAL }
        let limit = UnixSockets.maximumBacklog
        let grown = wanted < 0 ? limit : min(limit, Int(wanted))
        if grown > backlog { room.wakeAll() }
        backlog = grown
        state = .listening
        peerCredentials = thread.peerCredentials
    }

    /// Whoever is bound to the address. Throws ECONNREFUSED, EPROTOTYPE, and what a path walk throws.
    func find(_ address: UnixAddress, by thread: GuestThread) throws(Errno) -> UnixSocket {
        let found: UnixSocket
        switch address {
        case .unnamed: throw .EINVAL
        case .abstract(let name):
            guard let socket = kernel.unixSockets.socket(named: name, type) else { throw .ECONNREFUSED }
            found = socket
        case .path(let path):
            var walk = PathWalk(
                root: thread.fileSystem.root, start: thread.fileSystem.workingDirectory,
                credentials: thread.lookupCredentials)
            let dentry = try walk.resolve(path)
            try thread.lookupCredentials.check(.write, try dentry.inode.attributes())
            guard dentry.inode.kind == .socket, let socket = kernel.unixSockets.socket(at: dentry.inode) else {
                throw .ECONNREFUSED
            }
            found = socket
        }
        guard found.type == type else { throw .EPROTOTYPE }
        return found
    }

    package func connect(_ bytes: [UInt8], by thread: GuestThread) throws(Errno) {
        if type == .datagram { return try connectDatagrams(bytes, by: thread) }
        let target = try UnixAddress(bytes)
        if options.passesCredentials, address == nil {
            address = .abstract(try kernel.unixSockets.takeAutomatic(for: self))
        }
        let listener = try find(target, by: thread)
        guard listener.state == .listening, !listener.isShutForReceiving else {
            throw state == .listening ? .EINVAL : .ECONNREFUSED
        }
        guard listener.pending.count <= listener.backlog else {
            blockedOn = listener.room
            throw .EAGAIN
        }
        switch state {
        case .closed: break
        case .established: throw .EISCONN
        case .listening: throw .EINVAL
        }
        let server = UnixSocket(listener, for: self, by: thread)
        peer = server
        peerCredentials = listener.peerCredentials
        state = .established
        listener.pending.append(server)
        listener.readiness.wake(.readable)
        readiness.wake(.writable)
    }

    /// Where datagrams go from now on; the family 0 takes that back.
    private func connectDatagrams(_ bytes: [UInt8], by thread: GuestThread) throws(Errno) {
        guard bytes.count >= 2 else { throw .EINVAL }
        if bytes[0] == 0, bytes[1] == 0 { return follow(nil) }
        let target = try UnixAddress(bytes)
        if options.passesCredentials, address == nil {
            address = .abstract(try kernel.unixSockets.takeAutomatic(for: self))
        }
        let other = try find(target, by: thread)
        guard other.peer == nil || other.peer === self else { throw .EPERM }
        follow(other)
    }

    /// Changes the peer of a datagram socket; what the old one sent is forgotten.
    func follow(_ other: UnixSocket?) {
        let old = peer
        old?.followers[ObjectIdentifier(self)] = nil
        peer = other
        other?.followers[ObjectIdentifier(self)] = Follower(socket: self)
        guard let old, old !== other else { return }
        if !queueIsEmpty {
            dropQueue()
            // Who was cut off hears of it, unless it has left by itself.
            if !old.isDead, old.peer === self {
                old.error = .ECONNRESET
                old.readiness.wakeAll()
            }
        }
    }

    package func accept() throws(Errno) -> any Socket {
        guard type.isConnectionBased else { throw .EOPNOTSUPP }
        guard state == .listening else { throw .EINVAL }
        guard !pending.isEmpty else {
            if isShutForReceiving { throw .EINVAL }
            blockedOn = readiness
            throw .EAGAIN
        }
        let accepted = pending.removeFirst()
        room.wakeAll()
        return accepted
    }

    package func localAddress() throws(Errno) -> [UInt8] { (address ?? .unnamed).encoded }

    package func peerAddress() throws(Errno) -> [UInt8] {
        guard let peer else { throw .ENOTCONN }
        return (peer.address ?? .unnamed).encoded
    }

    package func shutdown(receiving: Bool, sending: Bool) throws(Errno) {
        if receiving { isShutForReceiving = true }
        if sending { isShutForSending = true }
        if type.isConnectionBased, let peer, !peer.isDead {
            if receiving { peer.isShutForSending = true }
            if sending { peer.isShutForReceiving = true }
            peer.readiness.wakeAll()
        }
        readiness.wakeAll()
        if receiving { room.wakeAll() }
    }
}

extension GuestThread {
    /// What file systems look at of this thread.
    var lookupCredentials: FileCredentials {
        FileCredentials(
            userID: credentials.fileSystemUserID, groupID: credentials.fileSystemGroupID, groups: credentials.groups,
            capabilities: credentials.effectiveCapabilities)
    }
}
