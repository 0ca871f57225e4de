internal import Kernel
internal import LinuxABI
internal import VFS

/// sendfile(2), copy_file_range(2).
extension GuestThread {
    private static let piece = 256 << 10

    /// See `sendfile(2)`.
    func sendfile(_ output: FileNumber, _ input: FileNumber, _ offset: UInt, _ count: UInt) throws(Errno) -> Int {
        var start: Int64?
        if offset != 0 { start = try copyIn(Int64.self, from: offset) }
        let source = try file(input)
        guard source.flags.mayRead else { throw .EBADF }
        guard source.operations.isSeekable || offset == 0 else { throw .ESPIPE }
        let length = Int(min(count, GuestThread.maximumTransfer))
        if let start, start < 0 || start.addingReportingOverflow(Int64(length)).overflow { throw .EINVAL }
        let target = try file(output)
        guard target.flags.mayWrite else { throw .EBADF }
        let kind = source.operations.inode.kind
        guard source.operations.isSeekable, kind == .regular || kind == .blockDevice || kind == .characterDevice else {
            throw .EINVAL
        }
        guard !target.flags.contains(.append) else { throw .EINVAL }
        let done = try copy(source, start, target, nil, length)
        if let start { try copyOut(integer: start + Int64(done), to: offset) }
        return done
    }

    /// See `copy_file_range(2)`; the checks stand in the order of Linux's `generic_copy_file_checks`.
    func copyFileRange(
        _ input: FileNumber, _ inputOffset: UInt, _ output: FileNumber, _ outputOffset: UInt, _ count: UInt,
        _ flags: UInt32
    ) throws(Errno) -> Int {
        let source = try file(input)
        let target = try file(output)
        var from: Int64?
        var to: Int64?
        if inputOffset != 0 { from = try copyIn(Int64.self, from: inputOffset) }
        if outputOffset != 0 { to = try copyIn(Int64.self, from: outputOffset) }
        guard flags == 0 else { throw .EINVAL }
        for file in [source, target] where file.operations.inode.kind == .directory { throw .EISDIR }
        for file in [source, target] where file.operations.inode.kind != .regular { throw .EINVAL }
        guard source.flags.mayRead, target.flags.mayWrite, !target.flags.contains(.append) else { throw .EBADF }
        // Within one file system only: what lies elsewhere is read and written by the program itself.
        guard let mount = source.location?.mount, mount === target.location?.mount else { throw .EXDEV }
        let start = if let from { from } else { try source.operations.seek(source, to: 0, whence: 1) }
        let place = if let to { to } else { try target.operations.seek(target, to: 0, whence: 1) }
        for offset in [start, place] {
            guard !UInt64(bitPattern: offset).addingReportingOverflow(UInt64(count)).overflow else { throw .EOVERFLOW }
        }
        let wanted = Int64(min(count, GuestThread.maximumTransfer))
        for offset in [start, place] {
            guard offset >= 0, !offset.addingReportingOverflow(wanted).overflow else { throw .EINVAL }
        }
        let size = try source.operations.inode.attributes().size
        let length = max(0, min(wanted, size - min(start, size)))
        if source.operations.inode === target.operations.inode {
            guard start + length <= place || place + length <= start else { throw .EINVAL }
        }
        let done = try copy(source, from, target, to, Int(length))
        if let from { try copyOut(integer: from + Int64(done), to: inputOffset) }
        if let to { try copyOut(integer: to + Int64(done), to: outputOffset) }
        return done
    }

    /// Copies between two open files; positions move where no offset is given.
    private func copy(
        _ source: OpenFile, _ from: Int64?, _ target: OpenFile, _ to: Int64?, _ count: Int
    ) throws(Errno) -> Int {
        var done = restart.bytesDone
        defer {
            if done > 0 {
                source.location?.notify(.access)
                target.location?.notify(.modify)
            }
        }
        let end = done + GuestThread.turn
        while done < count {
            if done >= end {
                if hasPendingSignal { return done }
                throw giveWay()
            }
            let wanted = min(count - done, GuestThread.piece)
            do throws(Errno) {
                // Read at a place, not on from the position: what the target does not take stays unread.
                let position =
                    if let from { from &+ Int64(done) } else { try source.operations.seek(source, to: 0, whence: 1) }
                let bytes = try [UInt8](capacity: wanted) { output throws(Errno) in
                    try source.operations.read(source, into: &output, at: position)
                }
                guard !bytes.isEmpty else { break }
                let limit = try limited(bytes.count, at: to.map { $0 &+ Int64(done) }, target)
                let took = try waiting(for: target, .writable) { () throws(Errno) in
                    try target.operations.write(
                        target, bytes.span.extracting(first: limit), at: to.map { $0 &+ Int64(done) })
                }
                // One description at both ends has one position, which moves once.
                if from == nil, to != nil || source !== target {
                    _ = try source.operations.seek(source, to: position &+ Int64(took), whence: 0)
                }
                if to == nil, target.operations.isSeekable { target.position &+= Int64(took) }
                done += took
                restart.bytesDone = done
            } catch {
                if error == .EPIPE { raisePipeSignal() }
                if done > 0, error != .parked { return done }
                throw error
            }
        }
        return done
    }
}
