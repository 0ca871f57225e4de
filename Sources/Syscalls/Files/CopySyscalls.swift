internal import Kernel
internal import LinuxABI
internal import VFS

/// sendfile(2), copy_file_range(2).
extension GuestThread {
    private static let piece = 256 << 10

    /// See `sendfile(2)`.
    func sendfile(_ output: FileNumber, _ input: FileNumber, _ offset: UInt, _ count: UInt) throws(Errno) -> Int {
        let source = try file(input)
        let target = try file(output)
        guard source.flags.mayRead, target.flags.mayWrite else { throw .EBADF }
        guard source.operations.isSeekable || offset == 0 else { throw .ESPIPE }
        guard source.operations.isSeekable else { throw .EINVAL }
        guard !target.flags.contains(.append) else { throw .EINVAL }
        var start: Int64?
        if offset != 0 {
            let value: Int64 = try copyIn(Int64.self, from: offset)
            guard value >= 0 else { throw .EINVAL }
            start = value
        }
        let done = try copy(source, start, target, nil, Int(min(count, GuestThread.maximumTransfer)))
        if let start { try copyOut(integer: start + Int64(done), to: offset) }
        return done
    }

    /// See `copy_file_range(2)`.
    func copyFileRange(
        _ input: FileNumber, _ inputOffset: UInt, _ output: FileNumber, _ outputOffset: UInt, _ count: UInt,
        _ flags: UInt32
    ) throws(Errno) -> Int {
        let source = try file(input)
        let target = try file(output)
        guard flags == 0 else { throw .EINVAL }
        var from: Int64?
        var to: Int64?
        if inputOffset != 0 { from = try copyIn(Int64.self, from: inputOffset) }
        if outputOffset != 0 { to = try copyIn(Int64.self, from: outputOffset) }
        guard source.flags.mayRead, target.flags.mayWrite, !target.flags.contains(.append) else { throw .EBADF }
        for file in [source, target] {
            let kind = file.operations.inode.kind
            if kind == .directory { throw .EISDIR }
            guard kind == .regular else { throw .EINVAL }
        }
        guard (from ?? 0) >= 0, (to ?? 0) >= 0 else { throw .EINVAL }
        let length = Int(min(count, GuestThread.maximumTransfer))
        if source.operations.inode === target.operations.inode {
            let a = from ?? source.position
            let b = to ?? target.position
            guard abs(a - b) >= Int64(length) else { throw .EINVAL }
        }
        let done = try copy(source, from, target, to, length)
        if let from { try copyOut(integer: from + Int64(done), to: inputOffset) }
        if let to { try copyOut(integer: to + Int64(done), to: outputOffset) }
        return done
    }

    /// Copies between two open files; positions move where no offset is given.
    private func copy(
        _ source: OpenFile, _ from: Int64?, _ target: OpenFile, _ to: Int64?, _ count: Int
    ) throws(Errno) -> Int {
        var done = restart.bytesDone
        let fromStart = (from ?? source.position) - (from == nil ? Int64(done) : 0)
        while done < count {
            let wanted = min(count - done, GuestThread.piece)
            let position = fromStart + Int64(done)
            do throws(Errno) {
                let bytes = try [UInt8](capacity: wanted) { output throws(Errno) in
                    try source.operations.read(source, into: &output, at: position)
                }
                guard !bytes.isEmpty else { break }
                let place = target.operations.isSeekable ? (to.map { $0 + Int64(done) } ?? target.position) : nil
                let took = try waiting(for: target, .writable) { () throws(Errno) in
                    try target.operations.write(target, bytes.span, at: place)
                }
                if from == nil { source.position = position + Int64(took) }
                if to == nil, target.operations.isSeekable { target.position += Int64(took) }
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
