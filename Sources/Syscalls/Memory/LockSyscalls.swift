internal import Kernel
internal import LinuxABI
internal import Platform

/// mlock(2), mlock2(2), munlock(2), mlockall(2), munlockall(2). The host does not pin pages for guests, whose memory
/// never leaves theirs; but it makes them present, and what is locked is counted and limited as on Linux.
extension GuestThread {
    private var mayLockAnything: Bool { credentials.has(capability: CapabilityNumber.lockMemory) }
    private var lockLimit: UInt64 { process.limits.values[ResourceNumber.lockedMemory].soft }

    /// Throws EPERM if the caller may lock nothing at all.
    func checkMayLock() throws(Errno) {
        guard lockLimit != 0 || mayLockAnything else { throw .EPERM }
    }

    /// Throws EAGAIN when a new or grown mapping would lock more than `RLIMIT_MEMLOCK`.
    func checkLockLimit(_ map: MemoryMap, adding more: UInt) throws(Errno) {
        guard lockLimit != .max, !mayLockAnything else { return }
        guard UInt64(map.lockedLength) + UInt64(more) <= lockLimit else { throw .EAGAIN }
    }

    func lockMemory(_ address: UInt, _ length: UInt, lock: Bool, onFault: Bool = false) throws(Errno) -> Int {
        let offset = address % GuestLayout.pageSize
        let (total, overflow) = length.addingReportingOverflow(offset)
        guard !overflow else { throw .EINVAL }
        if lock { try checkMayLock() }
        let range = try MemoryMap.range(address - offset, total, error: .ENOMEM)
        let map = try changeableMap()
        if lock, lockLimit != .max, !mayLockAnything {
            let counted = map.areas.parts(in: range).reduce(UInt(0)) { $0 + ($1.isLocked ? $1.length : 0) }
            let new = range.upperBound - range.lowerBound
            guard UInt64(map.lockedLength - counted) + UInt64(new) <= lockLimit else { throw .ENOMEM }
        }
        try map.checkSplit(range)
        // Up to the first hole, of which the caller hears.
        var end = range.lowerBound
        for part in map.areas.parts(in: range) {
            guard part.start == end else { break }
            end = part.end
        }
        if end > range.lowerBound { map.change(range.lowerBound..<end) { $0.isLocked = lock } }
        guard end >= range.upperBound else { throw .ENOMEM }
        guard lock, !onFault else { return 0 }
        populate(map, range)
        // What cannot be made present, past a file's end say, is locked all the same, but the caller hears of it, too.
        let isReachable = !map.areas.parts(in: range).contains(where: \.protection.isEmpty)
        guard isReachable || !commands.isEmpty else { throw .ENOMEM }
        mustReport = true
        afterCommands = { _, _, failure in
            .result(failure == .EFAULT || !isReachable ? -Int(Errno.ENOMEM.rawValue) : 0)
        }
        return 0
    }

    /// See `mlockall(2)`.
    func lockAll(_ flags: UInt32) throws(Errno) -> Int {
        let (current, future, onFault) = (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0)
        guard flags & ~7 == 0, current || future else { throw .EINVAL }
        try checkMayLock()
        let map = try changeableMap()
        if current, lockLimit != .max, !mayLockAnything {
            guard UInt64(map.areas.totalLength) <= lockLimit else { throw .ENOMEM }
        }
        map.futureLock = future ? (onFault ? .onFault : .present) : nil
        guard current else { return 0 }
        let everything = 0..<GuestLayout.taskSize
        map.change(everything) { $0.isLocked = true }
        if !onFault {
            populate(map, everything)
            // Here nobody hears of it.
            afterCommands = { _, _, _ in .result(0) }
        }
        return 0
    }

    /// See `munlockall(2)`.
    func unlockAll() throws(Errno) -> Int {
        let map = try changeableMap()
        map.futureLock = nil
        map.change(0..<GuestLayout.taskSize) { $0.isLocked = false }
        return 0
    }

    private func populate(_ map: MemoryMap, _ range: Range<UInt>) {
        for part in map.areas.parts(in: range) where !part.protection.isDisjoint(with: [.read, .write]) {
            // MADV_POPULATE_WRITE for private memory and what cannot be read, MADV_POPULATE_READ.
            let writes = part.protection.contains(.write) && !(part.isShared && part.protection.contains(.read))
            append(.advise(address: part.start, length: part.length, advice: writes ? 23 : 22))
        }
    }
}
