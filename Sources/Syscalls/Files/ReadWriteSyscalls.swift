internal import GuestMemory
internal import Kernel
internal import LinuxABI
internal import Platform
internal import VFS

/// read(2), write(2), pread(2), pwrite(2), readv(2), writev(2) and lseek(2).
extension GuestThread {
    /// What Linux calls `MAX_RW_COUNT`: a longer transfer is shortened, not refused.
    static let maximumTransfer: UInt = 0x7fff_f000
    /// Bytes that pass through the kernel at a time.
    private static let piece = 1 << 20

    /// Reads up to `count` bytes from an open file into guest memory. See `read(2)`.
    func read(_ number: FileNumber, _ buffer: UserPointer<UInt8>, _ count: UInt) throws(Errno) -> Int {
        let file = try file(number)
        guard file.flags.mayRead else { throw .EBADF }
        return try read(file, [try Segment(buffer.address, count)], at: nil)
    }

    func pread(_ number: FileNumber, _ buffer: UserPointer<UInt8>, _ count: UInt, _ offset: Int) throws(Errno) -> Int {
        guard offset >= 0 else { throw .EINVAL }
        let file = try file(number)
        guard file.operations.isSeekable else { throw .ESPIPE }
        guard file.flags.mayRead else { throw .EBADF }
        return try read(file, [try Segment(buffer.address, count)], at: Int64(offset))
    }

    func write(_ number: FileNumber, _ buffer: UserPointer<UInt8>, _ count: UInt) throws(Errno) -> Int {
        let file = try file(number)
        guard file.flags.mayWrite else { throw .EBADF }
        return try write(file, [try Segment(buffer.address, count)], at: nil)
    }

    func pwrite(_ number: FileNumber, _ buffer: UserPointer<UInt8>, _ count: UInt, _ offset: Int) throws(Errno) -> Int {
        guard offset >= 0 else { throw .EINVAL }
        let file = try file(number)
        guard file.operations.isSeekable else { throw .ESPIPE }
        guard file.flags.mayWrite else { throw .EBADF }
        return try write(file, [try Segment(buffer.address, count)], at: Int64(offset))
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

    /// A stretch of guest memory of one vector entry.
    struct Segment {
        var address: UInt
        var count: Int

        /// Throws EFAULT for what no guest can have.
        init(_ address: UInt, _ count: UInt) throws(Errno) {
            let (end, overflow) = address.addingReportingOverflow(count)
            guard !overflow, end <= GuestLayout.taskSize else { throw .EFAULT }
            self.address = address
            self.count = Int(min(count, GuestThread.maximumTransfer))
        }
    }

    /// Copies an `iovec` array in. Throws EINVAL for more than 1024 entries or a negative length.
    func segments(_ vector: UInt, _ count: UInt) throws(Errno) -> [Segment] {
        guard count <= 1024 else { throw .EINVAL }
        var reader = ByteReader(try copyIn(Int(count) * 16, from: vector))
        var pairs: [(address: UInt, length: UInt)] = []
        for _ in 0..<count {
            let pair: (address: UInt, length: UInt) = (reader.take(), reader.take())
            guard Int(bitPattern: pair.length) >= 0 else { throw .EINVAL }
            pairs.append(pair)
        }
        var segments: [Segment] = []
        var total: UInt = 0
        for (address, length) in pairs {
            var segment = try Segment(address, length)
            segment.count = Int(min(length, GuestThread.maximumTransfer - total))
            total += UInt(segment.count)
            segments.append(segment)
        }
        return segments
    }

    /// No transfer may reach past the largest offset: EINVAL, as Linux's `rw_verify_area` has it.
    private func checkRange(_ start: Int64, _ segments: [Segment]) throws(Errno) {
        let total = segments.reduce(Int64(0)) { $0 + Int64($1.count) }
        // An address of /proc/pid/mem may look negative; nothing else starts there.
        guard start < 0 || !start.addingReportingOverflow(total).overflow else { throw .EINVAL }
    }

    // MARK: Transfers

    private func read(
        _ file: OpenFile, _ segments: [Segment], at offset: Int64?, noWait: Bool = false
    ) throws(Errno) -> Int {
        let operations = file.operations
        if operations.inode.kind == .socket, let socket = operations as? any Socket {
            return try receive(from: socket, file, segments, noWait: noWait)
        }
        let isSeekable = operations.isSeekable
        if restart.bytesDone == 0 { try checkRange(offset ?? (isSeekable ? file.position : 0), segments) }
        var done = restart.bytesDone
        let end = done + GuestThread.turn
        var skip = done
        defer { if done > 0 { file.location?.notify(.access) } }
        for segment in segments {
            if skip >= segment.count {
                skip -= segment.count
                continue
            }
            var inside = skip
            skip = 0
            while inside < segment.count {
                if done >= end {
                    if hasPendingSignal { return done }
                    throw giveWay()
                }
                let wanted = min(segment.count - inside, GuestThread.piece)
                // Without an offset of the call's own the file knows its position: that of a host's descriptor is the host's.
                let position = offset.map { $0 &+ Int64(done) }
                do throws(Errno) {
                    let got = try waiting(for: file, .readable, noWait: noWait || done > 0) { () throws(Errno) in
                        try transfer(
                            wanted, to: segment.address &+ UInt(inside), checksFirst: !isSeekable
                        ) { output throws(Errno) in
                            try operations.read(file, into: &output, at: position)
                        }
                    }
                    if offset == nil, isSeekable { file.position &+= Int64(got) }
                    done += got
                    inside += got
                    restart.bytesDone = done
                    if got < wanted { return done }
                } catch {
                    // What was read already counts; the next call meets the error again.
                    if done > 0 { return done }
                    throw error
                }
            }
        }
        if segments.allSatisfy({ $0.count == 0 }), file.operations is DirectoryFile { throw .EISDIR }
        return done
    }

    /// Reads into a buffer and copies what came to the guest.
    private func transfer(
        _ count: Int, to address: UInt, checksFirst: Bool, _ body: (inout OutputSpan<UInt8>) throws(Errno) -> Void
    ) throws(Errno) -> Int {
        // What is taken from a pipe or socket cannot be put back when the guest's memory turns out not to be there.
        if checksFirst, let map, !map.areas.allows(.write, in: address..<(address &+ 1 == 0 ? address : address + 1)) {
            throw .EFAULT
        }
        let bytes = try [UInt8](capacity: count) { output throws(Errno) in try body(&output) }
        // From a pipe all that was taken must arrive; of a file what did not can be read again.
        guard checksFirst else { return try copyOutWhatFits(bytes, to: address) }
        try copyOut(bytes, to: address)
        return bytes.count
    }

    private func write(
        _ file: OpenFile, _ segments: [Segment], at offset: Int64?, noWait: Bool = false
    ) throws(Errno) -> Int {
        let operations = file.operations
        if operations.inode.kind == .socket, let socket = operations as? any Socket {
            return try send(to: socket, file, segments, noWait: noWait)
        }
        let isSeekable = operations.isSeekable
        if !isSeekable, segments.count > 1, !operations.discards {
            return try writeGathered(file, segments, noWait: noWait)
        }
        if restart.bytesDone == 0 { try checkRange(offset ?? (isSeekable ? file.position : 0), segments) }
        if isSeekable, segments.contains(where: { $0.count > 0 }) { try losePrivileges(operations.inode) }
        var done = restart.bytesDone
        defer { if done > 0 { file.location?.notify(.modify) } }
        let end = done + GuestThread.turn
        var skip = done
        for segment in segments {
            if skip >= segment.count {
                skip -= segment.count
                continue
            }
            var inside = skip
            skip = 0
            while inside < segment.count {
                if done >= end {
                    if hasPendingSignal { return done }
                    throw giveWay()
                }
                var wanted = min(segment.count - inside, GuestThread.piece)
                let position = offset.map { $0 &+ Int64(done) }
                do throws(Errno) {
                    if isSeekable { wanted = try limited(wanted, at: position, file, announcing: done == 0) }
                    let address = segment.address &+ UInt(inside)
                    let bytes = operations.discards ? [] : try copyInWhatIsThere(wanted, from: address)
                    let took =
                        operations.discards
                        ? wanted
                        : try waiting(for: file, .writable, noWait: noWait) { () throws(Errno) in
                            try operations.write(file, bytes.span, at: position)
                        }
                    if offset == nil, isSeekable, !file.flags.contains(.append) { file.position &+= Int64(took) }
                    done += took
                    inside += took
                    restart.bytesDone = done
                } catch {
                    if error == .EPIPE { raisePipeSignal() }
                    if done > 0, error != .parked { return done }
                    throw error
                }
            }
        }
        return done
    }

    /// `writev(2)` to a pipe or the like: its segments travel as one, so that a pipe fills its pages across them and keeps
    /// what it must not tear apart together.
    private func writeGathered(_ file: OpenFile, _ segments: [Segment], noWait: Bool) throws(Errno) -> Int {
        let total = segments.reduce(0) { $0 + $1.count }
        let end = restart.bytesDone + GuestThread.turn
        defer { if restart.bytesDone > 0 { file.location?.notify(.modify) } }
        while restart.bytesDone < total {
            let done = restart.bytesDone
            if done >= end {
                if hasPendingSignal { return done }
                throw giveWay()
            }
            do throws(Errno) {
                let bytes = try gather(segments, from: done, atMost: GuestThread.piece)
                restart.bytesDone += try waiting(for: file, .writable, noWait: noWait) { () throws(Errno) in
                    try file.operations.write(file, bytes.span, at: nil)
                }
            } catch {
                if error == .EPIPE { raisePipeSignal() }
                if done > 0, error != .parked { return done }
                throw error
            }
        }
        return total
    }

    /// The bytes of segments from an offset on, as far as the guest's memory reaches. Throws EFAULT when that is nowhere.
    private func gather(_ segments: [Segment], from offset: Int, atMost limit: Int) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        var skip = offset
        for segment in segments {
            guard skip < segment.count else {
                skip -= segment.count
                continue
            }
            let wanted = min(segment.count - skip, limit - bytes.count)
            guard wanted > 0 else { break }
            do throws(Errno) {
                let part = try copyInWhatIsThere(wanted, from: segment.address &+ UInt(skip))
                bytes += part
                if part.count < wanted { break }
            } catch {
                guard !bytes.isEmpty else { throw error }
                break
            }
            skip = 0
        }
        return bytes
    }

    /// What RLIMIT_FSIZE leaves of a write. Throws EFBIG at the limit, with SIGXFSZ if `announcing`: a write that has got
    /// some way ends there without a word, as Linux cuts off its length beforehand.
    func limited(_ count: Int, at position: Int64?, _ file: OpenFile, announcing: Bool = true) throws(Errno) -> Int {
        let limit = process.limits.fileSize.soft
        guard limit != .max, file.operations.inode.kind == .regular else { return count }
        let start =
            if file.flags.contains(.append) {
                try file.operations.inode.attributes().size
            } else if let position {
                position
            } else {
                try file.operations.seek(file, to: 0, whence: 1)
            }
        guard UInt64(start) < limit else {
            if announcing { sendToItself(.fileSizeExceeded) }
            throw .EFBIG
        }
        return Int(min(UInt64(count), limit - UInt64(start)))
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
