internal import GuestMemory
internal import Kernel
internal import LinuxABI
internal import VFS

/// pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2), process_vm_readv(2), process_vm_writev(2).
extension GuestThread {
    private static let nonBlocking: UInt32 = 0o4000
    private static let closeOnExec: Int32 = 0o2_000_000

    func pidfdOpen(_ id: ProcessID, _ flags: OpenFlags) throws(Errno) -> Int {
        guard flags.rawValue & ~GuestThread.nonBlocking == 0, id.rawValue > 0 else { throw .EINVAL }
        guard let target = kernel.processes[id] else {
            throw kernel.threads[id] == nil ? .ESRCH : .EINVAL
        }
        let file = PidFile(target, node: eventNode("[pidfd]"))
        return try installEventFile(file, Int32(flags.rawValue) | GuestThread.closeOnExec)
    }

    private func pidFile(_ number: FileNumber) throws(Errno) -> PidFile {
        guard let file = try file(number).operations as? PidFile else { throw .EBADF }
        return file
    }

    /// The process behind a pidfd, while it is there. Throws ESRCH.
    private func living(_ file: PidFile) throws(Errno) -> Process {
        guard kernel.processes[file.processID] === file.process else { throw .ESRCH }
        return file.process
    }

    /// Whom a descriptor stands for: that of `pidfd_open(2)`, or an open `/proc/pid`; no process where it has ended.
    /// Throws EBADF, ESRCH.
    private func signalTarget(_ number: FileNumber) throws(Errno) -> (id: ProcessID, process: Process?) {
        let operations = try file(number).operations
        if let file = operations as? PidFile { return (file.processID, try? living(file)) }
        guard let directory = operations.inode as? any ProcessDirectory else { throw .EBADF }
        let id = try directory.process()
        return (id, kernel.processes[id])
    }

    /// See `pidfd_send_signal(2)`; the flags say whether thread, process (also 0) or group is meant.
    func pidfdSendSignal(
        _ number: FileNumber, _ signal: SignalNumber, _ info: UInt, _ flags: UInt32
    ) throws(Errno) -> Int {
        guard flags & ~7 == 0, flags.nonzeroBitCount <= 1 else { throw .EINVAL }
        let target = try signalTarget(number)
        let sent: SignalInfo
        if info != 0 {
            let bytes = try copyIn(SignalInfo.meaningfulSize, from: info)
            var reader = ByteReader(bytes)
            let given = SignalInfo(from: &reader)
            guard given.signal == signal else { throw .EINVAL }
            guard target.process === process || mayClaim(given, towards: target.id) else { throw .EPERM }
            sent = given
        } else {
            sent = signalInfo(signal, code: SignalInfo.user)
        }
        guard let target = target.process else { throw .ESRCH }
        if flags == 4 {
            try kill(ProcessID(-target.group.rawValue), sent)
        } else if flags == 1, let leader = target.leader {
            try send(sent, to: leader)
        } else {
            try send(sent, to: target)
        }
        return 0
    }

    func pidfdGetfd(_ number: FileNumber, _ target: FileNumber, _ flags: UInt32) throws(Errno) -> Int {
        guard flags == 0 else { throw .EINVAL }
        let file = try pidFile(number)
        guard let thread = try living(file).threads.first else { throw .ESRCH }
        guard mayInspect(thread) else { throw .EPERM }
        return try install(try thread.files.file(target), closeOnExec: true)
    }

    // MARK: Memory of other processes

    /// Bytes that pass through the kernel at a time.
    private static let piece = 256 << 10

    /// See `process_vm_readv(2)`: what was copied before a fault counts.
    func processMemory(
        _ id: ProcessID, _ localVector: UInt, _ localCount: UInt, _ remoteVector: UInt, _ remoteCount: UInt,
        _ flags: UInt, writes: Bool
    ) throws(Errno) -> Int {
        guard flags == 0 else { throw .EINVAL }
        let local = try segments(localVector, localCount)
        let remote = try segments(remoteVector, remoteCount)
        guard local.contains(where: { $0.count > 0 }), remote.contains(where: { $0.count > 0 }) else { return 0 }
        guard let target = kernel.threads[id] else { throw .ESRCH }
        guard mayInspect(target) else { throw .EPERM }
        // Not by way of the other's call, which may be under way.
        let other = target.map?.memory ?? target.memory
        var done = restart.bytesDone
        let end = done + GuestThread.turn
        var localLine = Line(local)
        var remoteLine = Line(remote)
        localLine.skip(done)
        remoteLine.skip(done)
        while let here = localLine.next, let there = remoteLine.next {
            if done >= end {
                if hasPendingSignal { return done }
                restart.bytesDone = done
                throw giveWay()
            }
            let count = min(here.count, there.count, GuestThread.piece)
            do throws(Errno) {
                if writes {
                    let bytes = try copyIn(count, from: here.address)
                    guard mayReach(target, there.address, count, .write) else { throw .EFAULT }
                    try other.write(bytes.span, at: there.address)
                } else {
                    guard mayReach(target, there.address, count, .read) else { throw .EFAULT }
                    let bytes = try [UInt8](capacity: count) { output throws(Errno) in
                        try other.read(count, at: there.address, into: &output)
                    }
                    try copyOut(bytes, to: here.address)
                }
            } catch {
                guard done > 0 else { throw error }
                return done
            }
            done += count
            localLine.advance(count)
            remoteLine.advance(count)
        }
        return done
    }

    /// True if the other's own areas allow it; its stub keeps memory of its own that no guest may see.
    private func mayReach(_ target: GuestThread, _ address: UInt, _ count: Int, _ access: Protection) -> Bool {
        guard let map = target.map else { return true }
        let (end, overflow) = address.addingReportingOverflow(UInt(count))
        return !overflow && map.areas.allows(access, in: address..<end)
    }

    /// Segments that are used up from the front.
    private struct Line {
        private var segments: [Segment]
        private var index = 0

        init(_ segments: [Segment]) { self.segments = segments }

        var next: Segment? {
            mutating get {
                while index < segments.count, segments[index].count == 0 { index += 1 }
                return index < segments.count ? segments[index] : nil
            }
        }

        mutating func skip(_ count: Int) {
            var left = count
            while left > 0, let segment = next {
                let step = min(left, segment.count)
                advance(step)
                left -= step
            }
        }

        mutating func advance(_ count: Int) {
            segments[index].address &+= UInt(count)
            segments[index].count -= count
        }
    }
}
