internal import Kernel
internal import LinuxABI
internal import VFS

/// socket(2), socketpair(2), bind(2), listen(2), connect(2), accept(2), getsockname(2), getpeername(2), shutdown(2).
extension GuestThread {
    /// `sizeof(struct sockaddr_storage)`.
    static let maximumAddress = 128
    private static let unixFamily: Int32 = 1
    /// `AF_MAX`.
    private static let families: Range<Int32> = 0..<46
    /// `SOCK_MAX`.
    private static let types: Range<Int32> = 0..<11
    private static let nonBlocking: Int32 = 0o4000
    private static let closeOnExec: Int32 = 0o2_000_000

    /// The socket behind a descriptor. Throws EBADF, ENOTSOCK.
    func socket(_ number: FileNumber) throws(Errno) -> (file: OpenFile, socket: any Socket) {
        let file = try file(number)
        guard let socket = file.operations as? any Socket else { throw .ENOTSOCK }
        return (file, socket)
    }

    /// Checks what `socket` and `socketpair` are asked for; `AF_UNIX` is what there is so far.
    private func unixType(_ family: Int32, _ raw: Int32, _ protocolNumber: Int32) throws(Errno) -> SocketType {
        guard raw & ~(0xf | GuestThread.nonBlocking | GuestThread.closeOnExec) == 0 else { throw .EINVAL }
        let kind = raw & 0xf
        guard GuestThread.families.contains(family) else { throw .EAFNOSUPPORT }
        guard GuestThread.types.contains(kind) else { throw .EINVAL }
        guard family == GuestThread.unixFamily else { throw .EAFNOSUPPORT }
        guard protocolNumber == 0 || protocolNumber == GuestThread.unixFamily else { throw .EPROTONOSUPPORT }
        // Raw sockets are datagram sockets here.
        guard let type = SocketType(rawValue: kind == 3 ? 2 : kind) else { throw .ESOCKTNOSUPPORT }
        return type
    }

    private func openFile(_ socket: any Socket, _ flags: Int32) -> OpenFile {
        var status: OpenFlags = [.readWrite]
        if flags & GuestThread.nonBlocking != 0 { status.insert(.nonBlocking) }
        return OpenFile(socket, flags: status)
    }

    func socket(_ family: Int32, _ type: Int32, _ protocolNumber: Int32) throws(Errno) -> Int {
        let kind = try unixType(family, type, protocolNumber)
        let file = openFile(UnixSocket(kind, kernel: kernel, by: self), type)
        return try install(file, closeOnExec: type & GuestThread.closeOnExec != 0)
    }

    func socketpair(_ family: Int32, _ type: Int32, _ protocolNumber: Int32, _ pair: UInt) throws(Errno) -> Int {
        let kind = try unixType(family, type, protocolNumber)
        let (first, second) = UnixSocket.makePair(kind, by: self)
        return try installPair(
            openFile(first, type), openFile(second, type), closeOnExec: type & GuestThread.closeOnExec != 0, pair)
    }

    // MARK: Addresses

    /// Throws EINVAL for a length that no address has, EFAULT.
    func copyInAddress(_ address: UInt, _ length: Int32) throws(Errno) -> [UInt8] {
        guard length >= 0, length <= GuestThread.maximumAddress else { throw .EINVAL }
        return try copyIn(Int(length), from: address)
    }

    /// Stores as much of an address as there is room for, and its whole length.
    func copyOut(address bytes: [UInt8], to address: UInt, _ length: UInt) throws(Errno) {
        let room: Int32 = try copyIn(Int32.self, from: length)
        guard room >= 0 else { throw .EINVAL }
        try copyOut(Array(bytes.prefix(Int(room))), to: address)
        try copyOut(integer: Int32(bytes.count), to: length)
    }

    func bind(_ number: FileNumber, _ address: UInt, _ length: Int32) throws(Errno) -> Int {
        let (_, socket) = try socket(number)
        try socket.bind(try copyInAddress(address, length), by: self)
        return 0
    }

    func listen(_ number: FileNumber, _ backlog: Int32) throws(Errno) -> Int {
        try socket(number).socket.listen(backlog, by: self)
        return 0
    }

    func connect(_ number: FileNumber, _ address: UInt, _ length: Int32) throws(Errno) -> Int {
        let (file, socket) = try socket(number)
        let target = try copyInAddress(address, length)
        try waiting(for: socket, file, socket.options.sendTimeout) { () throws(Errno) in
            try socket.connect(target, by: self)
        }
        return 0
    }

    func accept(_ number: FileNumber, _ address: UInt, _ length: UInt, _ flags: Int32) throws(Errno) -> Int {
        guard flags & ~(GuestThread.nonBlocking | GuestThread.closeOnExec) == 0 else { throw .EINVAL }
        let (file, socket) = try socket(number)
        let limit = process.limits.openFiles
        let accepted = try waiting(for: socket, file, socket.options.receiveTimeout) { () throws(Errno) in
            try socket.accept()
        }
        let new = openFile(accepted, flags)
        do throws(Errno) {
            if address != 0 {
                // A client that has left already has no address any more.
                let peer = (try? accepted.peerAddress()) ?? []
                guard !peer.isEmpty else { throw .ECONNABORTED }
                try copyOut(address: peer, to: address, length)
            }
            let closeOnExec = flags & GuestThread.closeOnExec != 0
            return Int(try files.install(new, closeOnExec: closeOnExec, limit: limit).rawValue)
        } catch {
            new.retain()
            new.release()
            throw error
        }
    }

    func getsockname(_ number: FileNumber, _ address: UInt, _ length: UInt) throws(Errno) -> Int {
        try copyOut(address: try socket(number).socket.localAddress(), to: address, length)
        return 0
    }

    func getpeername(_ number: FileNumber, _ address: UInt, _ length: UInt) throws(Errno) -> Int {
        try copyOut(address: try socket(number).socket.peerAddress(), to: address, length)
        return 0
    }

    func shutdown(_ number: FileNumber, _ how: Int32) throws(Errno) -> Int {
        let socket = try socket(number).socket
        guard (0...2).contains(how) else { throw .EINVAL }
        try socket.shutdown(receiving: how != 1, sending: how != 0)
        return 0
    }

    // MARK: Waiting

    /// Runs an operation of a socket that may find nothing to do: parks unless the file or the call says not to wait. With a
    /// timeout (`SO_RCVTIMEO`, `SO_SNDTIMEO`) the wait ends in EAGAIN, and an interrupted one is not restarted.
    func waiting<T>(
        for socket: any Socket, _ file: OpenFile, _ timeout: Timestamp?, events: PollEvents = .all,
        noWait: Bool = false, _ body: () throws(Errno) -> T
    ) throws(Errno) -> T {
        do throws(Errno) {
            return try body()
        } catch {
            guard error == .EAGAIN, !noWait, !file.isNonBlocking else { throw error }
            var deadline: MonotonicTime?
            if let timeout {
                let end = restart.deadline ?? kernel.clock.now.advanced(by: timeout)
                restart.deadline = end
                guard kernel.clock.now < end else { throw .EAGAIN }
                deadline = end
            }
            throw park(
                on: [socket.blockedOn], for: events, until: deadline,
                interrupted: timeout == nil ? .ERESTARTSYS : .EINTR, exclusive: false)
        }
    }
}
