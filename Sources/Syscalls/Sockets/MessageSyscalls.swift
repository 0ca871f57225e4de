internal import Kernel
internal import LinuxABI
internal import VFS

/// sendto(2), sendmsg(2), sendmmsg(2), recvfrom(2), recvmsg(2), recvmmsg(2).
extension GuestThread {
    /// Of a `struct msghdr`.
    private static let headerSize = 56
    /// Of a `struct mmsghdr`.
    private static let vectorEntrySize: UInt = 64

    /// `struct msghdr`, without its vector's contents.
    private struct MessageHeader {
        var name: UInt
        var nameLength: Int32
        var segments: [Segment]
        var control: UInt
        var controlLength: UInt

        var capacity: Int { segments.reduce(0) { $0 + $1.count } }
    }

    /// Throws EFAULT, EMSGSIZE for a vector of more than 1024 entries, EINVAL.
    private func copyInHeader(_ address: UInt) throws(Errno) -> MessageHeader {
        var reader = ByteReader(try copyIn(GuestThread.headerSize, from: address))
        let name: UInt = reader.take()
        let nameLength: Int32 = reader.take()
        reader.skip(4)
        let vector: UInt = reader.take()
        let count: UInt = reader.take()
        let control: UInt = reader.take()
        let controlLength: UInt = reader.take()
        guard nameLength >= 0 else { throw .EINVAL }
        guard count <= 1024 else { throw .EMSGSIZE }
        return MessageHeader(
            name: name, nameLength: nameLength, segments: try segments(vector, count), control: control,
            controlLength: controlLength)
    }

    // MARK: Sending

    /// What one call sends at a time on a stream, which can be continued.
    private static let piece = 256 << 10

    func sendto(
        _ number: FileNumber, _ buffer: UInt, _ count: UInt, _ flags: UInt32, _ address: UInt, _ length: Int32
    ) throws(Errno) -> Int {
        let (file, socket) = try socket(number)
        let target = address == 0 ? [] : try copyInAddress(address, length)
        return try send(socket, file, [Segment(buffer, count)], MessageFlags(rawValue: flags)) { message in
            message.address = target
        }
    }

    func sendmsg(_ number: FileNumber, _ address: UInt, _ flags: UInt32) throws(Errno) -> Int {
        let (file, socket) = try socket(number)
        return try send(socket, file, address, MessageFlags(rawValue: flags))
    }

    private func send(
        _ socket: any Socket, _ file: OpenFile, _ address: UInt, _ flags: MessageFlags
    ) throws(Errno) -> Int {
        let header = try copyInHeader(address)
        let length = min(header.nameLength, Int32(GuestThread.maximumAddress))
        let target = header.name == 0 ? [] : try copyInAddress(header.name, length)
        return try send(socket, file, header.segments, flags) { (message) throws(Errno) in
            message.address = target
            if header.controlLength > 0 { try readControl(header.control, header.controlLength, into: &message) }
        }
    }

    /// Sends segments of guest memory as one message, or as much of them as the stream takes.
    private func send(
        _ socket: any Socket, _ file: OpenFile, _ segments: [Segment], _ flags: MessageFlags,
        _ complete: (inout OutgoingMessage) throws(Errno) -> Void
    ) throws(Errno) -> Int {
        let total = segments.reduce(0) { $0 + $1.count }
        let isStream = !socket.isMessageBased
        if !isStream, total > socket.options.sendBuffer { throw .EMSGSIZE }
        var head = OutgoingMessage(bytes: [])
        head.flags = flags
        try complete(&head)
        do throws(Errno) {
            repeat {
                let done = bytesDone
                var message = head
                message.bytes = try gather(segments, from: done, limit: isStream ? GuestThread.piece : total)
                // The files have gone with the first bytes.
                if done > 0 { message.rights = [] }
                let noWait = flags.contains(.dontWait)
                let sent = try waiting(for: socket, file, socket.options.sendTimeout, noWait: noWait) {
                    () throws(Errno) in
                    try socket.send(message, by: self)
                }
                restart.bytesDone = done + sent
            } while bytesDone < total
            return bytesDone
        } catch {
            // SIGPIPE is for streams of which nothing went; the others report EPIPE and no more.
            if error == .EPIPE, isStream, bytesDone == 0, !flags.contains(.noSignal) { raisePipeSignal() }
            // What went already counts; the next call meets the error again.
            if bytesDone > 0, error != .parked { return bytesDone }
            throw error
        }
    }

    /// Copies the bytes of the segments in, from an offset over all of them on.
    private func gather(_ segments: [Segment], from offset: Int, limit: Int) throws(Errno) -> [UInt8] {
        var skip = offset
        var bytes: [UInt8] = []
        for segment in segments where bytes.count < limit {
            guard skip < segment.count else {
                skip -= segment.count
                continue
            }
            let count = min(segment.count - skip, limit - bytes.count)
            let piece = try copyIn(count, from: segment.address &+ UInt(skip))
            if bytes.isEmpty { bytes = piece } else { bytes += piece }
            skip = 0
        }
        return bytes
    }

    /// See `sendmmsg(2)`.
    func sendmmsg(_ number: FileNumber, _ vector: UInt, _ count: UInt32, _ flags: UInt32) throws(Errno) -> Int {
        let (file, socket) = try socket(number)
        let count = min(count, 1024)
        while restart.value < Int(count) {
            let entry = vector &+ UInt(restart.value) * GuestThread.vectorEntrySize
            do throws(Errno) {
                let sent = try send(socket, file, entry, MessageFlags(rawValue: flags))
                try copyOut(integer: UInt32(sent), to: entry &+ UInt(GuestThread.headerSize))
            } catch {
                if restart.value > 0, error != .parked { return restart.value }
                throw error
            }
            restart.value += 1
            restart.bytesDone = 0
        }
        return Int(count)
    }

    /// What write(2) and writev(2) do to a socket.
    func send(to socket: any Socket, _ file: OpenFile, _ segments: [Segment], noWait: Bool) throws(Errno) -> Int {
        try send(socket, file, segments, noWait ? .dontWait : []) { (_) throws(Errno) in }
    }

    // MARK: Receiving

    /// What read(2) and readv(2) do to a socket. Nothing at all is received into no room at all.
    func receive(
        from socket: any Socket, _ file: OpenFile, _ segments: [Segment], noWait: Bool
    ) throws(Errno) -> Int {
        guard segments.contains(where: { $0.count > 0 }) else { return 0 }
        let (result, message, _) = try receive(socket, file, segments, noWait ? .dontWait : [])
        for file in message.rights { file.release() }
        return result
    }

    func recvfrom(
        _ number: FileNumber, _ buffer: UInt, _ count: UInt, _ flags: UInt32, _ address: UInt, _ length: UInt
    ) throws(Errno) -> Int {
        let (file, socket) = try socket(number)
        let (result, message, _) = try receive(
            socket, file, [Segment(buffer, count)], MessageFlags(rawValue: flags))
        for file in message.rights { file.release() }
        if address != 0 {
            if let source = message.source, socket.type == .datagram || bytesDone == 0 || source.count > 2 {
                try copyOut(address: source, to: address, length)
            } else {
                try copyOut(integer: Int32(0), to: length)
            }
        }
        return result
    }

    func recvmsg(_ number: FileNumber, _ address: UInt, _ flags: UInt32) throws(Errno) -> Int {
        let (file, socket) = try socket(number)
        return try receive(socket, file, address, MessageFlags(rawValue: flags))
    }

    private func receive(
        _ socket: any Socket, _ file: OpenFile, _ address: UInt, _ flags: MessageFlags
    ) throws(Errno) -> Int {
        let header = try copyInHeader(address)
        let (result, message, isTruncated) = try receive(socket, file, header.segments, flags)
        var reported = flags.intersection(.closeOnExec)
        if isTruncated { reported.insert(.truncated) }
        let room = header.control == 0 ? 0 : Int(min(header.controlLength, 1 << 20))
        let (used, isCut) = try writeControl(
            message, to: header.control, room: room, closeOnExec: flags.contains(.closeOnExec))
        if isCut { reported.insert(.controlTruncated) }
        if header.name != 0 {
            let source = message.source ?? []
            try copyOut(Array(source.prefix(Int(header.nameLength))), to: header.name)
            try copyOut(integer: UInt32(source.count), to: address &+ 8)
        }
        try copyOut(integer: UInt64(used), to: address &+ 40)
        try copyOut(integer: reported.rawValue, to: address &+ 48)
        return result
    }

    /// Receives into segments of guest memory.
    /// - Returns: what the call returns, what came, and whether a message was cut off.
    private func receive(
        _ socket: any Socket, _ file: OpenFile, _ segments: [Segment], _ flags: MessageFlags
    ) throws(Errno) -> (result: Int, message: ReceivedMessage, isTruncated: Bool) {
        if flags.contains(.errorQueue) { throw .EAGAIN }
        let total = segments.reduce(0) { $0 + $1.count }
        let isStream = !socket.isMessageBased
        let wantsAll = isStream && flags.contains(.waitAll) && !flags.contains(.peek)
        let target = wantsAll ? total : min(total, Int(max(1, socket.options.receiveLowWater)))
        var asked = flags
        if file.isNonBlocking { asked.insert(.dontWait) }
        var message = ReceivedMessage()
        do throws(Errno) {
            repeat {
                let done = bytesDone
                try checkRoom(segments, from: done)
                let limit = min(total - done, isStream ? GuestThread.piece : 16 << 20)
                let noWait = flags.contains(.dontWait) || (done > 0 && done >= target)
                var piece = ReceivedMessage()
                // Not for room: each of its own messages that is taken makes some.
                let events = PollEvents.readable.union([.error, .hangUp])
                let timeout = socket.options.receiveTimeout
                let bytes = try waiting(for: socket, file, timeout, events: events, noWait: noWait) {
                    () throws(Errno) in
                    try [UInt8](capacity: limit) { output throws(Errno) in
                        piece = try socket.receive(into: &output, asked)
                    }
                }
                message.rights += piece.rights
                piece.rights = message.rights
                message = piece
                try scatter(bytes, to: segments, from: done)
                restart.bytesDone = done + bytes.count
                if !isStream {
                    let result = flags.contains(.truncated) ? piece.length : bytes.count
                    return (result, message, piece.isTruncated)
                }
                if bytes.isEmpty || flags.contains(.peek) || piece.endsHere { break }
                if bytes.count < limit, !wantsAll { break }
            } while bytesDone < total
            return (bytesDone, message, false)
        } catch {
            if bytesDone > 0, error != .parked { return (bytesDone, message, false) }
            for file in message.rights { file.release() }
            throw error
        }
    }

    /// Nothing is taken for memory that is not there. Throws EFAULT.
    private func checkRoom(_ segments: [Segment], from offset: Int) throws(Errno) {
        guard let map else { return }
        var skip = offset
        for segment in segments {
            guard skip < segment.count else {
                skip -= segment.count
                continue
            }
            let start = segment.address &+ UInt(skip)
            guard start != .max, map.areas.allows(.write, in: start..<start + 1) else { throw .EFAULT }
            return
        }
    }

    private func scatter(_ bytes: [UInt8], to segments: [Segment], from offset: Int) throws(Errno) {
        var skip = offset
        var done = 0
        for segment in segments where done < bytes.count {
            guard skip < segment.count else {
                skip -= segment.count
                continue
            }
            let count = min(segment.count - skip, bytes.count - done)
            let isAll = count == bytes.count
            try copyOut(isAll ? bytes : Array(bytes[done..<done + count]), to: segment.address &+ UInt(skip))
            done += count
            skip = 0
        }
    }

    /// See `recvmmsg(2)`. As in Linux, the timeout is looked at between messages only.
    func recvmmsg(
        _ number: FileNumber, _ vector: UInt, _ count: UInt32, _ flags: UInt32, _ timeout: UInt
    ) throws(Errno) -> Int {
        let (file, socket) = try socket(number)
        var end: MonotonicTime?
        if timeout != 0 {
            let interval = try copyIn(Timestamp.self, from: UserPointer<Opaque>(timeout))
            guard interval.isValidInterval else { throw .EINVAL }
            end = kernel.clock.now.advanced(by: interval)
        }
        let count = min(count, 1024)
        var asked = MessageFlags(rawValue: flags).subtracting(.waitForOne)
        while restart.value < Int(count) {
            let entry = vector &+ UInt(restart.value) * GuestThread.vectorEntrySize
            do throws(Errno) {
                if restart.value > 0, flags & MessageFlags.waitForOne.rawValue != 0 { asked.insert(.dontWait) }
                let got = try receive(socket, file, entry, asked)
                try copyOut(integer: UInt32(got), to: entry &+ UInt(GuestThread.headerSize))
            } catch {
                if restart.value > 0, error != .parked { return restart.value }
                throw error
            }
            restart.value += 1
            restart.bytesDone = 0
            if let end, kernel.clock.now >= end { break }
        }
        return restart.value
    }
}
