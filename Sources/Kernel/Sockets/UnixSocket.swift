package import LinuxABI
package import VFS

/// A socket of `AF_UNIX`. See `unix(7)`.
///
/// A connected pair points at each other until one is closed: then the other keeps the closed one, which points nowhere.
package final class UnixSocket: Socket {
    enum State { case closed, listening, established }

    package let type: SocketType
    unowned let kernel: Kernel
    private let node: SocketNode
    package var options = SocketOptions()

    var state = State.closed
    package internal(set) var address: UnixAddress?
    /// The name in the file system, while bound to one.
    var boundInode: (any Inode)?
    /// To whom messages go.
    var peer: UnixSocket?
    /// Datagram sockets whose peer this is: they wait for room in this one's queue.
    var followers: [ObjectIdentifier: Follower] = [:]
    package var peerCredentials: SocketCredentials?

    /// What has come and was not received.
    var queue: [UnixMessage] = []
    var queueHead = 0
    /// Bytes in the queue.
    var queuedBytes = 0
    /// What this socket has sent and nobody has received, as Linux charges it.
    var bytesUnderWay = 0
    /// Connections that wait to be accepted.
    var pending: [UnixSocket] = []
    var backlog = 0

    var isShutForReceiving = false
    var isShutForSending = false
    /// No descriptor is left.
    var isDead = false
    var error: Errno?

    /// Wakes whoever waits for this socket's own readiness.
    let readiness = WaitQueue()
    /// Wakes whoever waits for room in this socket's queue or backlog.
    let room = WaitQueue()
    package internal(set) var blockedOn: WaitQueue

    package var isConnected: Bool { peer != nil }

    struct Follower { weak var socket: UnixSocket? }

    package init(_ type: SocketType, kernel: Kernel, by thread: GuestThread) {
        self.type = type
        self.kernel = kernel
        node = SocketNode(
            number: kernel.newAnonymousInode(), userID: thread.credentials.fileSystemUserID,
            groupID: thread.credentials.fileSystemGroupID, now: kernel.clock.realTime)
        blockedOn = readiness
    }

    /// The server's end of a connection that a client makes.
    init(_ listener: UnixSocket, for client: UnixSocket, by thread: GuestThread) {
        type = listener.type
        kernel = listener.kernel
        node = SocketNode(
            number: kernel.newAnonymousInode(), userID: thread.credentials.fileSystemUserID,
            groupID: thread.credentials.fileSystemGroupID, now: kernel.clock.realTime)
        blockedOn = readiness
        options = listener.options
        options.receiveTimeout = nil
        options.sendTimeout = nil
        address = listener.address
        state = .established
        peer = client
        peerCredentials = thread.peerCredentials
    }

    /// See `socketpair(2)`.
    package static func makePair(_ type: SocketType, by thread: GuestThread) -> (UnixSocket, UnixSocket) {
        let first = UnixSocket(type, kernel: thread.kernel, by: thread)
        let second = UnixSocket(type, kernel: thread.kernel, by: thread)
        first.peer = second
        second.peer = first
        for socket in [first, second] {
            socket.peerCredentials = thread.peerCredentials
            if type.isConnectionBased { socket.state = .established }
        }
        if type == .datagram {
            first.followers[ObjectIdentifier(second)] = Follower(socket: second)
            second.followers[ObjectIdentifier(first)] = Follower(socket: first)
        }
        return (first, second)
    }

    package var domain: Int32 { Int32(UnixAddress.family) }
    package var protocolNumber: Int32 { 0 }
    package var inode: any Inode { node }
    package var waitQueue: WaitQueue? { readiness }
    package var isListening: Bool { state == .listening }

    package func takeError() -> Int32 {
        defer { error = nil }
        return error?.rawValue ?? 0
    }

    // MARK: FileOperations

    package func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        guard output.freeCapacity > 0 else { return }
        let message = try receive(into: &output, file.isNonBlocking ? .dontWait : [])
        // Nobody asked for them.
        for file in message.rights { file.release() }
    }

    package func write(_ file: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int {
        let copy = [UInt8](capacity: bytes.count) { output in
            for index in bytes.indices { output.append(bytes[index]) }
        }
        return try send(OutgoingMessage(bytes: copy), by: kernel.currentThread)
    }

    package var isReadyByKernel: Bool { true }

    package func poll(_ file: OpenFile) -> PollEvents {
        var events: PollEvents = []
        if error != nil { events.insert(.error) }
        if isShutForReceiving { events.formUnion([.readHangUp, .in, .readNormal]) }
        if isShutForReceiving, isShutForSending { events.insert(.hangUp) }
        if !queueIsEmpty || !pending.isEmpty { events.formUnion(.readable) }
        if type.isConnectionBased, state == .closed { events.insert(.hangUp) }
        if isWritable { events.formUnion([.out, .writeNormal, .writeBand]) }
        return events
    }

    /// A quarter of the buffer is what may be under way before a writer is told to wait for the rest to go.
    private var isWritable: Bool {
        guard state != .listening, bytesUnderWay * 4 <= options.sendBuffer else { return false }
        guard type == .datagram, let peer, peer.peer !== self else { return true }
        return !peer.isQueueFull
    }

    package func ioctl(
        _ file: OpenFile, command: UInt32, argument: UInt, memory: any IoctlMemory
    ) throws(Errno) -> Int {
        var writer = ByteWriter()
        switch command {
        // FIONREAD
        case 0x541b:
            guard state != .listening else { throw .EINVAL }
            let count = type == .datagram ? firstMessage?.count ?? 0 : queuedBytes
            writer.put(Int32(clamping: count))
        // TIOCOUTQ
        case 0x5411:
            guard state != .listening else { throw .EINVAL }
            writer.put(Int32(clamping: bytesUnderWay))
        default: throw .ENOTTY
        }
        try memory.write(writer.bytes, at: argument)
        return 0
    }

    package func release(_ file: OpenFile) {
        close(isEmbryo: false)
        kernel.unixSockets.collectSoon(kernel)
    }

    /// A descriptor was closed; if others still travel in messages, those may now be out of reach.
    package func flush(_ file: OpenFile) throws(Errno) {
        kernel.unixSockets.collectSoon(kernel)
    }

    // MARK: The end

    /// - Parameter isEmbryo: the connection was never accepted.
    func close(isEmbryo: Bool) {
        guard !isDead else { return }
        isDead = true
        let hadUnread = !queueIsEmpty || isEmbryo
        let wasListening = state == .listening
        state = .closed
        isShutForReceiving = true
        isShutForSending = true
        kernel.unixSockets.forget(self, address, boundInode)
        boundInode = nil
        let other = peer
        peer = nil
        other?.followers[ObjectIdentifier(self)] = nil
        if let other, type.isConnectionBased {
            other.isShutForReceiving = true
            other.isShutForSending = true
            if hadUnread { other.error = .ECONNRESET }
            other.readiness.wakeAll()
        }
        let waiting = pending
        pending = []
        if wasListening { for socket in waiting { socket.close(isEmbryo: true) } }
        dropQueue()
        room.wakeAll()
        readiness.wakeAll()
        for follower in followers.values { follower.socket?.readiness.wakeAll(.writable) }
        followers = [:]
    }
}
