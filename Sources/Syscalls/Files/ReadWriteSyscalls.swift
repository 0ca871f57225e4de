internal import GuestMemory
internal import Kernel
internal import LinuxABI
internal import Platform
internal import VFS

/// read(2), write(2), pread(2), pwrite(2), readv(2), writev(2) and lseek(2).
extension GuestThread {
    /// Reads up to `count` bytes from an open file into guest memory. See `read(2)`.
    func read(_ number: FileNumber, _ buffer: UserPointer<UInt8>, _ count: UInt) throws(Errno) -> Int {
        let file = try file(number)
        guard file.flags.mayRead else { throw .EBADF }
        let segment = try Segment(buffer.address, count)
        defer { if !file.operations.hasPosition, file.isHot(for: files) { tellLocally(file, at: number) } }
        let isHotPipe = file.isPipe && isHotPipe(file, at: number, reads: true)
        if isHotPipe, linkPipes() { return 0 }
        if let done = try readAtOnce(file, segment, at: nil) {
            if isHotPipe, done > 0 { leavePipes() }
            return done
        }
        if count == 0, file.operations is DirectoryFile { throw .EISDIR }
        return try read(file, [segment], at: nil)
    }

    func pread(_ number: FileNumber, _ buffer: UserPointer<UInt8>, _ count: UInt, _ offset: Int) throws(Errno) -> Int {
        guard offset >= 0 else { throw .EINVAL }
        let file = try file(number)
        guard file.operations.isSeekable else { throw .ESPIPE }
        guard file.flags.mayRead else { throw .EBADF }
        let segment = try Segment(buffer.address, count)
        let isHot = file.isHot(for: files)
        if isHot, mapLocally(file, at: number) { return 0 }
        defer { if isHot { tellLocally(file, at: number) } }
        if let done = try readAtOnce(file, segment, at: Int64(offset)) { return done }
        if count == 0, file.operations is DirectoryFile { throw .EISDIR }
        return try read(file, [segment], at: Int64(offset))
    }

    func write(_ number: FileNumber, _ buffer: UserPointer<UInt8>, _ count: UInt) throws(Errno) -> Int {
        let file = try file(number)
        guard file.flags.mayWrite else { throw .EBADF }
        let segment = try Segment(buffer.address, count)
        if file.isPipe, isHotPipe(file, at: number, reads: false), linkPipes() { return 0 }
        if let pipe = file.operations as? PipeEnd, let done = try writeAtOnce(pipe, file, segment) { return done }
        defer { if file.operations.discards, file.isHot(for: files) { tellLocally(file, at: number) } }
        return try write(file, [segment], at: nil)
    }

    func pwrite(_ number: FileNumber, _ buffer: UserPointer<UInt8>, _ count: UInt, _ offset: Int) throws(Errno) -> Int {
        guard offset >= 0 else { throw .EINVAL }
        let file = try file(number)
        guard file.operations.isSeekable else { throw .ESPIPE }
        guard file.flags.mayWrite else { throw .EBADF }
        let done = try write(file, [try Segment(buffer.address, count)], at: Int64(offset))
        countPositionedWrite(file, at: number, done)
        return done
    }

    /// readv, preadv, preadv2: the flags are RWF_*.
    func readVector(
        _ number: FileNumber, _ vector: UInt, _ count: UInt, _ offset: Int?, _ flags: Int32 = 0
    ) throws(Errno) -> Int {
        let file = try file(number)
        if let offset, offset < 0 { throw .EINVAL }
        if offset != nil, !file.operations.isSeekable { throw .ESPIPE }
        guard file.flags.mayRead else { throw .EBADF }
        guard flags & ~0xf == 0 else { throw .EOPNOTSUPP }
        return try read(file, try segments(vector, count), at: offset.map(Int64.init), noWait: flags & 8 != 0)
    }

    func writeVector(
        _ number: FileNumber, _ vector: UInt, _ count: UInt, _ offset: Int?, _ flags: Int32 = 0
    ) throws(Errno) -> Int {
        let file = try file(number)
        if let offset, offset < 0 { throw .EINVAL }
        if offset != nil, !file.operations.isSeekable { throw .ESPIPE }
        guard file.flags.mayWrite else { throw .EBADF }
        guard flags & ~0x1f == 0 else { throw .EOPNOTSUPP }
        let segments = try segments(vector, count)
        let noWait = flags & 8 != 0
        // RWF_NOWAIT is not for writes to files, as on ext4.
        if noWait, file.operations.inode.kind == .regular { throw .EOPNOTSUPP }
        // RWF_APPEND: for this one call.
        guard flags & 0x10 != 0, !file.flags.contains(.append) else {
            return try write(file, segments, at: offset.map(Int64.init), noWait: noWait)
        }
        file.flags.insert(.append)
        defer { file.flags.remove(.append) }
        return try write(file, segments, at: offset.map(Int64.init), noWait: noWait)
    }

    /// No transfer may reach past the largest offset: EINVAL, as Linux's `rw_verify_area` has it.
    private func checkRange(_ start: Int64, _ segments: [Segment]) throws(Errno) {
        guard bytesDone == 0 else { return }
        let total = segments.reduce(Int64(0)) { $0 + Int64($1.count) }
        // An address of /proc/pid/mem may look negative; nothing else starts there.
        guard start < 0 || !start.addingReportingOverflow(total).overflow else { throw .EINVAL }
    }

    // MARK: Transfers

    /// The short way of most reads: the file puts its bytes where the stub takes them from. Nil where it must be the long
    /// way: nothing is ready, or the bytes do not fit there.
    private func readAtOnce(_ file: OpenFile, _ segment: Segment, at offset: Int64?) throws(Errno) -> Int? {
        let count = segment.count
        guard count > 0, bytesDone == 0, !file.isSocket else { return nil }
        let operations = file.operations
        let movesPosition = offset == nil && operations.hasPosition
        // What reaches past the largest offset is refused on the long way.
        let start = offset ?? (movesPosition ? file.position : 0)
        guard !start.addingReportingOverflow(Int64(count)).overflow else { return nil }
        let done: Int?
        do throws(Errno) {
            done = try memory.produce(count, at: segment.address) { output throws(Errno) in
                try operations.read(file, into: &output, at: offset)
            }
        } catch {
            guard error == .EAGAIN || error == .EINTR else { throw error }
            // What it would come to on the long way, which starts from the beginning.
            guard error == .EAGAIN, !operations.isSeekable else { return nil }
            if !isRetry { process.transfers.reads &+= 1 }
            throw blocked(file, .readable, by: error)
        }
        guard let done else { return nil }
        if !isRetry { process.transfers.reads &+= 1 }
        process.transfers.bytesRead &+= UInt64(done)
        if movesPosition { file.position &+= Int64(done) }
        if done > 0, let location = file.location { location.notify(.access) }
        return done
    }

    /// What every way of reading comes to: into the segments, from the offset or from where the file stands.
    private func read(
        _ file: OpenFile, _ segments: [Segment], at offset: Int64?, noWait: Bool = false
    ) throws(Errno) -> Int {
        let operations = file.operations
        if !isRetry { process.transfers.reads &+= 1 }
        if file.isSocket, let socket = operations as? any Socket {
            return try receive(from: socket, file, segments, noWait: noWait)
        }
        let isSeekable = operations.isSeekable
        try checkRange(offset ?? (isSeekable ? file.position : 0), segments)
        defer { if bytesDone > 0 { file.location?.notify(.access) } }
        let done = try transfer(segments, endsShort: true) { (address, count) throws(Errno) in
            // What has come already is not waited with for more.
            let done = bytesDone
            let got = try waiting(for: file, .readable, noWait: noWait || done > 0) { () throws(Errno) in
                try fill(count, at: address, mayReadAgain: isSeekable) { output throws(Errno) in
                    // Without an offset the file knows its position: that of a host's descriptor is the host's.
                    try operations.read(file, into: &output, at: offset.map { $0 &+ Int64(done) })
                }
            }
            if offset == nil, operations.hasPosition { file.position &+= Int64(got) }
            return got
        }
        process.transfers.bytesRead &+= UInt64(clamping: done)
        return done
    }

    /// Reads into a buffer and copies what came to the guest.
    private func fill(
        _ count: Int, at address: UInt, mayReadAgain: Bool, _ body: (inout OutputSpan<UInt8>) throws(Errno) -> Void
    ) throws(Errno) -> Int {
        // What is taken from a pipe or socket cannot be put back when the guest's memory turns out not to be there.
        if !mayReadAgain, let map, !map.areas.allows(.write, in: address..<(address &+ 1 == 0 ? address : address + 1))
        {
            throw .EFAULT
        }
        let bytes = try [UInt8](capacity: count) { output throws(Errno) in try body(&output) }
        // From a pipe all that was taken must arrive; of a file what did not can be read again.
        guard !mayReadAgain else { return try copyOutWhatFits(bytes, to: address) }
        try copyOut(bytes, to: address)
        return bytes.count
    }

    /// The short way of what a pipe takes as a whole. Nil where it must be the long way.
    private func writeAtOnce(_ pipe: PipeEnd, _ file: OpenFile, _ segment: Segment) throws(Errno) -> Int? {
        guard segment.count > 0, segment.count <= Pipe.atomicSize, bytesDone == 0 else { return nil }
        let bytes = try copyInWhatIsThere(segment.count, from: segment.address)
        guard bytes.count == segment.count else { return nil }
        let done: Int
        do throws(Errno) {
            done = try pipe.write(file, bytes.span, at: nil)
        } catch {
            if error == .EPIPE { raisePipeSignal() }
            guard error == .EAGAIN else { throw error }
            if !isRetry { process.transfers.writes &+= 1 }
            throw blocked(file, .writable, by: error)
        }
        if !isRetry { process.transfers.writes &+= 1 }
        process.transfers.bytesWritten &+= UInt64(done)
        file.location?.notify(.modify)
        return done
    }

    /// What every way of writing comes to: from the segments, at the offset or where the file stands.
    private func write(
        _ file: OpenFile, _ segments: [Segment], at offset: Int64?, noWait: Bool = false
    ) throws(Errno) -> Int {
        let operations = file.operations
        if !isRetry { process.transfers.writes &+= 1 }
        if file.isSocket, let socket = operations as? any Socket {
            return try send(to: socket, file, segments, noWait: noWait)
        }
        let isSeekable = operations.isSeekable
        try checkRange(offset ?? (isSeekable ? file.position : 0), segments)
        if isSeekable, segments.contains(where: { $0.count > 0 }) { try losePrivileges(operations.inode) }
        defer { if bytesDone > 0 { file.location?.notify(.modify) } }
        // To a pipe or the like segments travel as one, so that it fills its pages across them and keeps what it must not
        // tear apart together.
        let isGathered = !isSeekable && segments.count > 1 && !operations.discards
        let done = try transfer(isGathered ? [Segment(joining: segments)] : segments, endsShort: false) {
            (address, count) throws(Errno) in
            let done = bytesDone
            let position = offset.map { $0 &+ Int64(done) }
            let wanted = isSeekable ? try limited(count, at: position, file, announcing: done == 0) : count
            guard !operations.discards else { return wanted }
            let bytes =
                isGathered
                ? try gather(segments, from: done, atMost: wanted) : try copyInWhatIsThere(wanted, from: address)
            let took = try waiting(for: file, .writable, noWait: noWait) { () throws(Errno) in
                try operations.write(file, bytes.span, at: position)
            }
            if offset == nil, operations.hasPosition, !file.flags.contains(.append) { file.position &+= Int64(took) }
            return took
        }
        process.transfers.bytesWritten &+= UInt64(clamping: done)
        return done
    }

    /// What RLIMIT_FSIZE leaves of a write. Throws EFBIG at the limit, with SIGXFSZ if `announcing`: a write that has got
    /// some way ends there without a word, as Linux cuts off its length beforehand.
    func limited(_ count: Int, at position: Int64?, _ file: OpenFile, announcing: Bool = true) throws(Errno) -> Int {
        let limit = process.limits.fileSize.soft
        // What stands in /proc has no size that could grow.
        guard limit != .max, file.operations.inode.kind == .regular, file.location?.mount.type != "proc" else {
            return count
        }
        let start =
            if file.flags.contains(.append) {
                try file.operations.inode.attributes().size
            } else if let position {
                position
            } else {
                try file.operations.seek(file, to: 0, whence: 1)
            }
        let place = UInt64(clamping: start)
        guard place < limit else {
            if announcing { sendToItself(.fileSizeExceeded) }
            throw .EFBIG
        }
        return Int(min(UInt64(count), limit - place))
    }

    /// Writing to a pipe or socket that nobody reads.
    func raisePipeSignal() { sendToItself(SignalNumber(13)) }

    /// A signal for what the call did, which shows the thread's own process as its sender. Linux's `send_sig(…, 0)`.
    func sendToItself(_ signal: SignalNumber) {
        var info = SignalInfo(signal, code: SignalInfo.user)
        info.processID = process.id
        info.userID = credentials.userID
        kernel.send(info, to: self)
    }

    /// See `lseek(2)`.
    func lseek(_ number: FileNumber, _ offset: Int, _ whence: UInt32) throws(Errno) -> Int {
        let file = try file(number)
        guard whence <= 4 else { throw .EINVAL }
        guard file.operations.isSeekable else { throw .ESPIPE }
        return Int(try file.operations.seek(file, to: Int64(offset), whence: Int32(whence)))
    }
}
