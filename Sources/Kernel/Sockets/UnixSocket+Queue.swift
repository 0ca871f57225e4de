internal import LinuxABI
internal import VFS

/// One message in a socket's queue; on streams a stretch of bytes with one sender.
final class UnixMessage {
    let bytes: [UInt8]
    /// Taken already, of a stream's.
    var taken = 0
    var rights: [OpenFile]
    var credentials: SocketCredentials?
    let source: UnixAddress?
    /// What it costs its sender, in bytes.
    let charge: Int
    private weak var sender: UnixSocket?

    init(
        bytes: [UInt8], rights: [OpenFile], credentials: SocketCredentials?, charge: Int, sender: UnixSocket
    ) {
        self.bytes = bytes
        self.rights = rights
        self.credentials = credentials
        source = sender.address
        self.charge = charge
        self.sender = sender
        sender.bytesUnderWay += charge
    }

    /// Bytes that are left.
    var count: Int { bytes.count - taken }

    /// The message has left the queue: its sender may send as much again.
    func discharge() {
        guard let sender else { return }
        sender.bytesUnderWay -= charge
        if sender.bytesUnderWay * 4 <= sender.options.sendBuffer { sender.readiness.wake(.writable) }
    }

    /// What Linux counts for a buffer: the bytes before `paged` in one allocation with a trailer of 320 bytes, rounded up
    /// to a power of two; the others in pages; 256 for the descriptor.
    static func charge(_ count: Int, paged: Int) -> Int {
        var block = 512
        while block < count - paged + 320 { block *= 2 }
        return block + 256 + paged
    }

    private static func pages(_ count: Int) -> Int { (count + 4095) & ~4095 }

    /// A stretch of a stream: all but what fits into one page with the trailer lies in pages.
    static func streamCharge(_ count: Int) -> Int {
        charge(count, paged: min(count, pages(max(0, count - 3776))))
    }

    /// The most that one stretch of a stream holds.
    static func streamPiece(_ sendBuffer: Int) -> Int { max(1, min(sendBuffer / 2 - 64, 3776 + 32768)) }

    static func datagramCharge(_ count: Int) -> Int {
        guard count > 16064 else { return charge(count, paged: 0) }
        return charge(count, paged: min(count, pages(min(count - 16064, 17 * 4096))))
    }
}

extension UnixSocket {
    var queueIsEmpty: Bool { queueHead >= queue.count }
    var firstMessage: UnixMessage? { queueIsEmpty ? nil : queue[queueHead] }
    /// As many messages as Linux queues for a socket that does not answer.
    var isQueueFull: Bool { queue.count - queueHead > UnixSockets.maximumQueue }

    /// Puts a message into this socket's queue.
    func enqueue(_ message: UnixMessage) {
        queue.append(message)
        queuedBytes += message.count
        readiness.wake(.readable)
    }

    /// Takes the first message out.
    func dequeue() -> UnixMessage? {
        guard let message = firstMessage else { return nil }
        let wasFull = isQueueFull
        queueHead += 1
        if queueHead > 32, queueHead * 2 > queue.count {
            queue.removeFirst(queueHead)
            queueHead = 0
        } else if queueIsEmpty {
            queue.removeAll(keepingCapacity: true)
            queueHead = 0
        }
        queuedBytes -= message.count
        message.discharge()
        if !room.isEmpty { room.wakeAll() }
        guard wasFull else { return message }
        for follower in followers.values where follower.socket?.peer === self {
            follower.socket?.readiness.wake(.writable)
        }
        return message
    }

    /// Forgets what nobody will receive.
    func dropQueue() {
        while let message = dequeue() {
            let rights = message.rights
            message.rights = []
            kernel.unixSockets.arrive(rights)
            kernel.unixSockets.release(rights)
        }
    }

    /// Open files in the queue, and in those of connections that were not accepted.
    var filesInQueue: [OpenFile] {
        var files: [OpenFile] = []
        for message in queue[queueHead...] { files += message.rights }
        for socket in pending { files += socket.filesInQueue }
        return files
    }
}
