internal import Kernel
internal import LinuxABI
internal import VFS

/// splice(2), tee(2), vmsplice(2). Bytes are copied, not moved: a guest cannot tell.
extension GuestThread {
    /// `SPLICE_F_MOVE`, `_NONBLOCK`, `_MORE`, `_GIFT`.
    private static let knownFlags: UInt32 = 0xf
    private static let noWait: UInt32 = 2
    private static let piece = 64 << 10

    private func pipe(_ file: OpenFile) -> Pipe? { (file.operations as? PipeEnd)?.pipe }

    /// What a pipe has, to be looked at before it is taken. Empty at the end of file; parks, or throws EAGAIN.
    private func bytes(in pipe: Pipe, of file: OpenFile, _ count: Int, _ flags: UInt32) throws(Errno) -> [UInt8] {
        if pipe.count > 0 { return pipe.peek(min(count, GuestThread.piece)) }
        if pipe.writers == 0 { return [] }
        guard flags & GuestThread.noWait == 0, !file.isNonBlocking else { throw .EAGAIN }
        throw park(on: [pipe.waitQueue], for: [.readable, .hangUp])
    }

    /// How many bytes a pipe takes now, at least 1. Throws EPIPE with SIGPIPE; parks, or throws EAGAIN.
    private func room(in pipe: Pipe, of file: OpenFile, _ flags: UInt32) throws(Errno) -> Int {
        try checkReaders(of: pipe)
        if pipe.room > 0 { return pipe.room }
        guard flags & GuestThread.noWait == 0, !file.isNonBlocking else { throw .EAGAIN }
        throw park(on: [pipe.waitQueue], for: [.writable, .error])
    }

    /// Throws EPIPE with SIGPIPE where nobody can read, be there anything to write or not.
    private func checkReaders(of pipe: Pipe) throws(Errno) {
        guard pipe.readers == 0 else { return }
        raisePipeSignal()
        throw .EPIPE
    }

    /// True for files that give and take whole numbers or events, which nobody can splice.
    private func isUnspliceable(_ file: OpenFile) -> Bool {
        let operations = file.operations
        return operations is EventFile || operations is Epoll || operations is TimerFile || operations is SignalFile
            || operations is Inotify || operations is PidFile
    }

    /// Takes bytes that were looked at and have gone elsewhere.
    private func take(_ count: Int, from pipe: Pipe) throws(Errno) {
        _ = try [UInt8](capacity: count) { output throws(Errno) in try pipe.read(into: &output) }
    }

    /// See `splice(2)`.
    func splice(
        _ input: FileNumber, _ inputOffset: UInt, _ output: FileNumber, _ outputOffset: UInt, _ count: UInt,
        _ flags: UInt32
    ) throws(Errno) -> Int {
        guard count > 0 else { return 0 }
        guard flags & ~GuestThread.knownFlags == 0 else { throw .EINVAL }
        let source = try file(input)
        let target = try file(output)
        guard source.flags.mayRead, target.flags.mayWrite else { throw .EBADF }
        let from = pipe(source)
        let to = pipe(target)
        if from != nil, inputOffset != 0 { throw .ESPIPE }
        if to != nil, outputOffset != 0 { throw .ESPIPE }
        let limit = Int(min(count, GuestThread.maximumTransfer))
        switch (from, to) {
        case (nil, nil): throw .EINVAL
        case (let from?, let to?):
            guard from !== to else { throw .EINVAL }
            let bytes = try bytes(in: from, of: source, limit, flags)
            try checkReaders(of: to)
            guard !bytes.isEmpty else { return 0 }
            let space = try room(in: to, of: target, flags)
            let sent = try to.write(bytes.span.extracting(first: min(space, bytes.count)))
            try take(sent, from: from)
            return sent
        case (let from?, nil): return try splice(from, source, to: target, outputOffset, limit, flags)
        case (nil, let to?): return try splice(source, inputOffset, to: to, target, limit, flags)
        }
    }

    /// Out of a pipe into a file or socket.
    private func splice(
        _ from: Pipe, _ source: OpenFile, to target: OpenFile, _ offset: UInt, _ limit: Int, _ flags: UInt32
    ) throws(Errno) -> Int {
        let operations = target.operations
        guard !isUnspliceable(target) else { throw .EINVAL }
        let position = try spliceOffset(of: target, offset, limit)
        guard !target.flags.contains(.append) else { throw .EINVAL }
        let bytes = try bytes(in: from, of: source, limit, flags)
        guard !bytes.isEmpty else { return 0 }
        let noWait = flags & GuestThread.noWait != 0
        let wanted = try limited(bytes.count, at: position, target)
        let sent = try waiting(for: target, .writable, noWait: noWait) { () throws(Errno) in
            try operations.write(target, bytes.span.extracting(first: wanted), at: position)
        }
        try take(sent, from: from)
        if let position {
            try copyOut(integer: position + Int64(sent), to: offset)
        } else if operations.isSeekable {
            target.position &+= Int64(sent)
        }
        return sent
    }

    /// Out of a file or socket into a pipe.
    private func splice(
        _ source: OpenFile, _ offset: UInt, to: Pipe, _ target: OpenFile, _ limit: Int, _ flags: UInt32
    ) throws(Errno) -> Int {
        let operations = source.operations
        guard operations.inode.kind != .directory, !isUnspliceable(source) else { throw .EINVAL }
        let position = try spliceOffset(of: source, offset, limit)
        let space = min(try room(in: to, of: target, flags), limit, GuestThread.piece)
        let noWait = flags & GuestThread.noWait != 0
        let bytes = try waiting(for: source, .readable, noWait: noWait) { () throws(Errno) in
            try [UInt8](capacity: space) { output throws(Errno) in
                try operations.read(source, into: &output, at: position)
            }
        }
        guard !bytes.isEmpty else { return 0 }
        let sent = try to.write(bytes.span)
        if let position {
            try copyOut(integer: position + Int64(sent), to: offset)
        } else if operations.isSeekable {
            source.position &+= Int64(sent)
        }
        return sent
    }

    /// The offset that a call gives for `count` bytes; nil where it gives none. Throws ESPIPE, EINVAL, EFAULT.
    private func spliceOffset(of file: OpenFile, _ address: UInt, _ count: Int) throws(Errno) -> Int64? {
        guard address != 0 else { return nil }
        guard file.operations.isSeekable else { throw .ESPIPE }
        let offset: Int64 = try copyIn(Int64.self, from: address)
        guard offset >= 0, !offset.addingReportingOverflow(Int64(count)).overflow else { throw .EINVAL }
        return offset
    }

    /// See `tee(2)`.
    func tee(_ input: FileNumber, _ output: FileNumber, _ count: UInt, _ flags: UInt32) throws(Errno) -> Int {
        guard flags & ~GuestThread.knownFlags == 0 else { throw .EINVAL }
        guard count > 0 else { return 0 }
        let source = try file(input)
        let target = try file(output)
        guard source.flags.mayRead, target.flags.mayWrite else { throw .EBADF }
        guard let from = pipe(source), let to = pipe(target), from !== to else { throw .EINVAL }
        let bytes = try bytes(in: from, of: source, Int(min(count, GuestThread.maximumTransfer)), flags)
        try checkReaders(of: to)
        guard !bytes.isEmpty else { return 0 }
        let space = try room(in: to, of: target, flags)
        return try to.write(bytes.span.extracting(first: min(space, bytes.count)))
    }

    /// See `vmsplice(2)`: which way follows from the end of the pipe.
    func vmsplice(_ number: FileNumber, _ vector: UInt, _ count: UInt, _ flags: UInt32) throws(Errno) -> Int {
        guard flags & ~GuestThread.knownFlags == 0 else { throw .EINVAL }
        let file = try file(number)
        guard pipe(file) != nil else { throw .EBADF }
        let wait: Int32 = flags & GuestThread.noWait != 0 ? 8 : 0
        return file.flags.mayWrite
            ? try writeVector(number, vector, count, nil, wait) : try readVector(number, vector, count, nil, wait)
    }
}
