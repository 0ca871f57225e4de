internal import Kernel
internal import LinuxABI
internal import VFS

/// close(2), dup(2), fcntl(2), ioctl(2), flock(2), sync(2) and the like.
extension GuestThread {
    func close(_ number: FileNumber) throws(Errno) -> Int {
        let file = try files.remove(number)
        dropLeftPages()
        try release(file)
        countColdCall()
        return 0
    }

    private func release(_ file: OpenFile) throws(Errno) { try files.closed(file) }

    /// See `close_range(2)`.
    func closeRange(_ first: UInt32, _ last: UInt32, _ flags: UInt32) throws(Errno) -> Int {
        guard flags & ~6 == 0, first <= last else { throw .EINVAL }
        if flags & 2 != 0, files.isShared {
            let own = files.copy()
            files.removeUser()
            files = own
        }
        for number in files.numbers where UInt32(number.rawValue) >= first && UInt32(number.rawValue) <= last {
            if flags & 4 != 0 {
                try files.setCloseOnExec(number, true)
            } else {
                try? release(try files.remove(number))
            }
        }
        dropLeftPages()
        return 0
    }

    func dup(_ number: FileNumber) throws(Errno) -> Int {
        try install(try files.file(number), closeOnExec: false)
    }

    func dup2(_ old: FileNumber, _ new: FileNumber) throws(Errno) -> Int {
        if old == new {
            _ = try files.file(old)
            return Int(new.rawValue)
        }
        return try dup3(old, new, closeOnExec: false)
    }

    func dup3(_ old: FileNumber, _ new: FileNumber, _ flags: UInt32) throws(Errno) -> Int {
        guard flags & ~0o2_000_000 == 0, old != new else { throw .EINVAL }
        return try dup3(old, new, closeOnExec: flags != 0)
    }

    private func dup3(_ old: FileNumber, _ new: FileNumber, closeOnExec: Bool) throws(Errno) -> Int {
        guard new.rawValue >= 0, Int(new.rawValue) < process.limits.openFiles else { throw .EBADF }
        let file = try files.file(old)
        if let replaced = try files.replace(file, closeOnExec: closeOnExec, at: new, limit: process.limits.openFiles) {
            dropLeftPages()
            try? release(replaced)
        }
        return Int(new.rawValue)
    }

    // MARK: fcntl

    /// See `fcntl(2)`.
    func fcntl(_ number: FileNumber, _ command: UInt32, _ argument: UInt) throws(Errno) -> Int {
        let file = try files.file(number)
        if command <= 3 || command == 1030 {
            countColdCall()
        } else if file.flags.contains(.pathOnly) {
            throw .EBADF
        }
        switch command {
        case 0, 1030:
            guard argument < UInt(process.limits.openFiles) else { throw .EINVAL }
            return Int(
                try files.install(
                    file, closeOnExec: command == 1030, atLeast: Int(argument), limit: process.limits.openFiles
                ).rawValue)
        case 1: return try files.closeOnExec(number) ? 1 : 0
        case 2:
            try files.setCloseOnExec(number, argument & 1 != 0)
            return 0
        case 3: return Int(file.flags.rawValue)
        case 4:
            var changeable: OpenFlags = [.append, .direct, .noAccessTime, .nonBlocking]
            if IOSignal.knows(file) { changeable.insert(.async) }
            let wanted = OpenFlags(rawValue: UInt32(truncatingIfNeeded: argument)).intersection(changeable)
            let flags = file.flags.subtracting(changeable).union(wanted)
            if wanted.contains(.noAccessTime), !file.flags.contains(.noAccessTime) {
                guard fileCredentials.owns(try file.operations.inode.attributes()) else { throw .EPERM }
            }
            try file.operations.flagsWillChange(file, to: flags)
            kernel.localEpoch.end()
            kernel.revokeCards(with: file)
            file.flags = flags
            signalInput(file, number)
            return 0
        case 5, 6, 7, 36, 37, 38: return try recordLock(file, command, argument)
        case 8: return try setOwner(file, Int32(truncatingIfNeeded: argument))
        case 9: return Int(file.owner.kind == .group ? 0 &- file.owner.number : file.owner.number)
        case 10:
            guard argument <= 64 else { throw .EINVAL }
            file.signal = Int32(argument)
            return 0
        case 11: return Int(file.signal)
        case 1031, 1032:
            guard let pipe = (file.operations as? PipeEnd)?.pipe else { throw .EBADF }
            guard command == 1031 else { return pipe.capacity }
            return try pipe.setCapacity(
                Int(UInt32(truncatingIfNeeded: argument)), privileged: credentials.has(capability: 24))
        case 1033, 1034: return try seals(file, command == 1033 ? UInt32(truncatingIfNeeded: argument) : nil)
        case 15, 16: return try ownerStructure(file, command, argument)
        // F_SETLEASE: nobody but the owner may ask, and then there are none to be had. F_GETLEASE: F_UNLCK.
        case 1024:
            guard fileCredentials.owns(try file.operations.inode.attributes()) else { throw .EACCES }
            throw argument == 2 ? .EAGAIN : .EINVAL
        case 1025: return 2
        case 1028: return file.hasCreated ? 1 : 0
        default: throw .EINVAL
        }
    }

    private func seals(_ file: OpenFile, _ more: UInt32?) throws(Errno) -> Int {
        guard let sealable = file.operations.inode as? any Sealable, let seals = sealable.seals else { throw .EINVAL }
        guard let more else { return Int(seals) }
        guard more & ~0x3f == 0 else { throw .EINVAL }
        guard file.flags.mayWrite, seals & 1 == 0 else { throw .EPERM }
        if more & 8 != 0, kernel.isMappedForWriting(file.operations.inode) { throw .EBUSY }
        sealable.seals = seals | more
        return 0
    }

    // MARK: ioctl

    func ioctl(_ number: FileNumber, _ command: UInt32, _ argument: UInt) throws(Errno) -> Int {
        let file = try file(number)
        switch command {
        case 0x5451, 0x5450:
            try files.setCloseOnExec(number, command == 0x5451)
            return 0
        case 0x5421, 0x5452:
            let on: Int32 = try copyIn(Int32.self, from: argument)
            let flag: OpenFlags = command == 0x5421 ? .nonBlocking : .async
            if flag == .async, (on != 0) != file.flags.contains(.async), !IOSignal.knows(file) { throw .ENOTTY }
            kernel.revokeCards(with: file)
            if on != 0 { file.flags.insert(flag) } else { file.flags.remove(flag) }
            signalInput(file, number)
            return 0
        case 0x541b where file.operations.inode.kind == .regular && file.operations.isSeekable:
            // An address of /proc/pid/mem may look negative.
            let left = try file.operations.inode.attributes().size.subtractingReportingOverflow(file.position)
            try copyOut(integer: Int32(truncatingIfNeeded: left.partialValue), to: argument)
            return 0
        case 0x4004_9409: return try clone(FileNumber(Int32(truncatingIfNeeded: argument)), to: file)
        default:
            if file.operations.inode.kind == .characterDevice,
                let result = try terminalIoctl(file, command, argument)
            {
                return result
            }
            do throws(Errno) {
                return try file.operations.ioctl(
                    file, command: command, argument: argument, memory: ThreadIoctlMemory(self))
            } catch {
                throw error == .EINTR ? awaitForeground() : error
            }
        }
    }

    /// `FICLONE`: files share no blocks here, as on ext4, which cp(1) is told before it copies. See `ioctl_ficlone(2)`.
    private func clone(_ number: FileNumber, to target: OpenFile) throws(Errno) -> Int {
        let source = try file(number)
        let (from, to) = (source.operations.inode, target.operations.inode)
        guard try from.attributes().device == to.attributes().device else { throw .EXDEV }
        guard from.kind != .directory, to.kind != .directory else { throw .EISDIR }
        guard from.kind == .regular, to.kind == .regular else { throw .EINVAL }
        guard source.flags.mayRead, target.flags.mayWrite, !target.flags.contains(.append) else { throw .EBADF }
        throw .EOPNOTSUPP
    }

    // MARK: Locks

    /// See `flock(2)`.
    func flock(_ number: FileNumber, _ operation: UInt32) throws(Errno) -> Int {
        let file = try file(number)
        let locks = file.operations.inode.locks
        // Somebody may wait for it.
        kernel.revokeCards()
        switch operation & ~4 {
        case 1, 2:
            if locks.lockWhole(file, exclusive: operation & 2 != 0) { return 0 }
            if operation & 4 != 0 { throw .EWOULDBLOCK }
            throw park(on: [locks.released])
        case 8:
            locks.unlockWhole(file)
            return 0
        default: throw .EINVAL
        }
    }

    /// F_GETLK, F_SETLK, F_SETLKW and their relatives for open file descriptions, on `struct flock` (32 bytes).
    private func recordLock(_ file: OpenFile, _ command: UInt32, _ argument: UInt) throws(Errno) -> Int {
        var reader = ByteReader(try copyIn(32, from: argument))
        let type: Int16 = reader.take()
        let whence: Int16 = reader.take()
        reader.skip(4)
        let start: Int64 = reader.take()
        let length: Int64 = reader.take()
        let processID: Int32 = reader.take()
        let isDescription = command >= 36
        if isDescription, processID != 0 { throw .EINVAL }
        guard (0...2).contains(type) else { throw .EINVAL }
        let owner: FileLocks.Owner =
            isDescription ? .description(ObjectIdentifier(file)) : .table(ObjectIdentifier(files))
        let range = try lockRange(file, whence, start, length)
        let wanted = FileLocks.Range(
            start: range.lowerBound, end: range.upperBound, isExclusive: type == 1, owner: owner,
            processID: isDescription ? -1 : process.id.rawValue)
        let locks = file.operations.inode.locks
        if command == 5 || command == 36 {
            guard type != 2 else { throw .EINVAL }
            return try reportLock(locks.conflict(with: wanted), argument)
        }
        if type == 0, !file.flags.mayRead { throw .EBADF }
        if type == 1, !file.flags.mayWrite { throw .EBADF }
        if type == 2 {
            locks.clear(wanted.start, wanted.end, of: owner)
            return 0
        }
        // Somebody may wait for it.
        kernel.revokeCards()
        guard locks.conflict(with: wanted) != nil else {
            kernel.lockWaits[owner] = nil
            try locks.set(wanted)
            return 0
        }
        guard command == 7 || command == 38 else { throw .EAGAIN }
        if !isDescription {
            kernel.lockWaits[owner] = LockWait(self, for: locks.holders(against: wanted))
            if kernel.waitsInCircle(owner) {
                kernel.lockWaits[owner] = nil
                throw .EDEADLK
            }
        }
        let wait = park(on: [locks.released])
        if wait != .parked { kernel.lockWaits[owner] = nil }
        throw wait
    }

    private func lockRange(
        _ file: OpenFile, _ whence: Int16, _ start: Int64, _ length: Int64
    ) throws(Errno) -> Range<Int64> {
        let base: Int64 =
            switch whence {
            case 0: 0
            case 1: file.position
            case 2: try file.operations.inode.attributes().size
            default: throw .EINVAL
            }
        var (from, overflow) = base.addingReportingOverflow(start)
        guard !overflow else { throw .EOVERFLOW }
        guard from >= 0 else { throw .EINVAL }
        var end = Int64.max
        if length > 0 {
            guard length - 1 <= .max - from else { throw .EOVERFLOW }
            (end, overflow) = from.addingReportingOverflow(length)
            // A range that ends with the last byte there can be reaches to the end of the file.
            if overflow { end = .max }
        } else if length < 0 {
            end = from
            (from, overflow) = from.addingReportingOverflow(length)
            guard !overflow, from >= 0 else { throw .EINVAL }
        }
        return from..<end
    }

    private func reportLock(_ found: FileLocks.Range?, _ argument: UInt) throws(Errno) -> Int {
        guard let found else {
            try copyOut(integer: Int16(2), to: argument)
            return 0
        }
        var writer = ByteWriter(capacity: 32)
        writer.put(Int16(found.isExclusive ? 1 : 0))
        writer.put(Int16(0))
        writer.pad(4)
        writer.put(found.start)
        writer.put(found.end == .max ? 0 : found.end - found.start)
        writer.put(found.processID)
        writer.pad(to: 32)
        try copyOut(writer.bytes, to: argument)
        return 0
    }

    // MARK: Nothing to do

    /// fsync(2), fdatasync(2): memory is as safe as it gets; what the host keeps, the host makes safe.
    func synchronize(_ number: FileNumber) throws(Errno) -> Int {
        let file = try file(number)
        let kind = file.operations.inode.kind
        guard kind == .regular || kind == .directory || kind == .blockDevice else { throw .EINVAL }
        try (file.operations as? any Synchronizing)?.synchronize()
        return 0
    }

    /// See `sync_file_range(2)`.
    func synchronizeRange(_ number: FileNumber, _ offset: Int, _ count: Int, _ flags: UInt32) throws(Errno) -> Int {
        let kind = try file(number).operations.inode.kind
        guard flags & ~7 == 0, offset >= 0, count >= 0, !offset.addingReportingOverflow(count).overflow else {
            throw .EINVAL
        }
        guard [.regular, .blockDevice, .directory].contains(kind) else { throw .ESPIPE }
        return 0
    }

    /// posix_fadvise(2).
    func advise(_ number: FileNumber, _ advice: Int32) throws(Errno) -> Int {
        let file = try file(number)
        guard file.operations.inode.kind != .fifo else { throw .ESPIPE }
        guard (0...5).contains(advice) else { throw .EINVAL }
        return 0
    }
}
