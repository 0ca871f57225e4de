package import LinuxABI
internal import VFS

/// send(2) and recv(2) of `AF_UNIX`.
extension UnixSocket {
    package func send(_ message: OutgoingMessage, by thread: GuestThread?) throws(Errno) -> Int {
        guard !message.flags.contains(.outOfBand) else { throw .EOPNOTSUPP }
        blockedOn = readiness
        try kernel.unixSockets.checkDeparture(message.rights.count, by: thread)
        return type == .stream ? try sendStream(message, by: thread) : try sendWhole(message, by: thread)
    }

    /// Credentials go along where one end has asked for them.
    private func credentials(
        _ message: OutgoingMessage, to other: UnixSocket, by thread: GuestThread?
    ) -> SocketCredentials? {
        if let given = message.credentials { return given }
        guard options.passesCredentials || other.options.passesCredentials else { return nil }
        return thread?.messageCredentials
    }

    private func sendStream(_ message: OutgoingMessage, by thread: GuestThread?) throws(Errno) -> Int {
        if !message.address.isEmpty { throw state == .established ? .EISCONN : .EOPNOTSUPP }
        guard let peer else { throw .ENOTCONN }
        guard !isShutForSending else { throw .EPIPE }
        var sent = 0
        let limit = UnixMessage.streamPiece(options.sendBuffer)
        while sent < message.bytes.count {
            guard !peer.isDead, !peer.isShutForReceiving else {
                if sent > 0 { return sent }
                throw .EPIPE
            }
            guard bytesUnderWay < options.sendBuffer else {
                if sent > 0 { return sent }
                throw .EAGAIN
            }
            let count = min(limit, message.bytes.count - sent)
            let isAll = count == message.bytes.count
            // The files go with the first stretch.
            let rights = sent == 0 ? message.rights : []
            kernel.unixSockets.depart(rights)
            peer.enqueue(
                UnixMessage(
                    bytes: isAll ? message.bytes : Array(message.bytes[sent..<sent + count]), rights: rights,
                    credentials: credentials(message, to: peer, by: thread), charge: UnixMessage.streamCharge(count),
                    sender: self))
            sent += count
        }
        return sent
    }

    /// Datagrams and sequenced packets go as one.
    private func sendWhole(_ message: OutgoingMessage, by thread: GuestThread?) throws(Errno) -> Int {
        if type == .sequencedPackets {
            if let error {
                self.error = nil
                throw error
            }
            guard state == .established else { throw .ENOTCONN }
        }
        let other: UnixSocket
        if type == .datagram, !message.address.isEmpty {
            guard let thread else { throw .ENOTCONN }
            let target = try UnixAddress(message.address)
            guard message.bytes.count <= options.sendBuffer - 32 else { throw .EMSGSIZE }
            other = try find(target, by: thread)
        } else {
            guard let peer else { throw .ENOTCONN }
            guard message.bytes.count <= options.sendBuffer - 32 else { throw .EMSGSIZE }
            other = peer
        }
        guard !isShutForSending else { throw .EPIPE }
        guard bytesUnderWay < options.sendBuffer else { throw .EAGAIN }
        if other.isDead {
            guard type == .datagram else { throw .EPIPE }
            if other === peer { follow(nil) }
            throw .ECONNREFUSED
        }
        // Somebody who has chosen its peer hears nobody else.
        if type == .datagram, let chosen = other.peer, chosen !== self { throw .EPERM }
        guard !other.isShutForReceiving else { throw .EPIPE }
        if other.peer !== self, other.isQueueFull {
            blockedOn = other.room
            throw .EAGAIN
        }
        kernel.unixSockets.depart(message.rights)
        other.enqueue(
            UnixMessage(
                bytes: message.bytes, rights: message.rights, credentials: credentials(message, to: other, by: thread),
                charge: UnixMessage.datagramCharge(message.bytes.count), sender: self))
        return message.bytes.count
    }

    // MARK: Receiving

    package func receive(
        into output: inout OutputSpan<UInt8>, _ flags: MessageFlags
    ) throws(Errno) -> ReceivedMessage {
        guard !flags.contains(.outOfBand) else { throw .EOPNOTSUPP }
        blockedOn = readiness
        return type == .stream ? try receiveStream(into: &output, flags) : try receiveWhole(into: &output, flags)
    }

    /// What a queue without messages gives: the error, the end, or EAGAIN.
    private func endOfQueue() throws(Errno) {
        if let error {
            self.error = nil
            throw error
        }
        guard isShutForReceiving else { throw .EAGAIN }
    }

    private func receiveStream(
        into output: inout OutputSpan<UInt8>, _ flags: MessageFlags
    ) throws(Errno) -> ReceivedMessage {
        guard state == .established else { throw .EINVAL }
        var result = ReceivedMessage()
        guard !queueIsEmpty else {
            try endOfQueue()
            return result
        }
        let peeks = flags.contains(.peek)
        var index = queueHead
        var isFirst = true
        while output.freeCapacity > 0, index < queue.count {
            let message = queue[index]
            if isFirst {
                if options.passesCredentials { result.credentials = message.credentials ?? .unknown }
                result.source = message.source?.encoded
            } else if options.passesCredentials, (message.credentials ?? .unknown) != result.credentials {
                // Bytes of different writers are not glued together.
                result.endsHere = true
                break
            }
            isFirst = false
            let count = min(output.freeCapacity, message.count)
            let stored = message.bytes
            let bytes = stored.span
            for place in message.taken..<message.taken + count { output.append(bytes[place]) }
            result.length += count
            let rights = message.rights
            result.rights += rights
            if peeks {
                for file in rights { file.retain() }
                index += 1
            } else {
                message.rights = []
                kernel.unixSockets.arrive(rights)
                message.taken += count
                queuedBytes -= count
                guard message.count == 0 else { break }
                _ = dequeue()
                index = queueHead
            }
            if !rights.isEmpty {
                result.endsHere = true
                break
            }
        }
        return result
    }

    private func receiveWhole(
        into output: inout OutputSpan<UInt8>, _ flags: MessageFlags
    ) throws(Errno) -> ReceivedMessage {
        if type == .sequencedPackets, state != .established { throw .ENOTCONN }
        if let error {
            self.error = nil
            throw error
        }
        var result = ReceivedMessage()
        guard let message = firstMessage else {
            // Datagrams have no end: whoever does not wait is told to come again.
            if type == .datagram, flags.contains(.dontWait) { throw .EAGAIN }
            try endOfQueue()
            return result
        }
        let count = min(output.freeCapacity, message.count)
        let stored = message.bytes
        let bytes = stored.span
        for place in 0..<count { output.append(bytes[place]) }
        result.length = message.count
        result.isTruncated = count < message.count
        if options.passesCredentials { result.credentials = message.credentials ?? .unknown }
        result.source = message.source?.encoded
        result.rights = message.rights
        if flags.contains(.peek) {
            for file in result.rights { file.retain() }
        } else {
            _ = dequeue()
            message.rights = []
            kernel.unixSockets.arrive(result.rights)
        }
        return result
    }
}
