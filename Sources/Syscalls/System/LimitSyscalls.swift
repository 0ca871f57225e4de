internal import Kernel
internal import LinuxABI

/// getrlimit(2), setrlimit(2), prlimit(2), getrusage(2).
extension GuestThread {
    func getrlimit(_ resource: UInt32, _ address: UInt) throws(Errno) -> Int {
        guard resource < ResourceNumber.count else { throw .EINVAL }
        try copyOut(limit(Int(resource), of: process), to: address)
        return 0
    }

    func setrlimit(_ resource: UInt32, _ address: UInt) throws(Errno) -> Int {
        let new = try copyInLimit(address)
        guard resource < ResourceNumber.count else { throw .EINVAL }
        try setLimit(Int(resource), to: new, of: process)
        return 0
    }

    /// See `prlimit(2)`; 0 for the process means the caller's.
    func prlimit(_ id: ProcessID, _ resource: UInt32, _ new: UInt, _ old: UInt) throws(Errno) -> Int {
        let wanted = new == 0 ? nil : try copyInLimit(new)
        let target: GuestThread
        if id.rawValue == 0 {
            target = self
        } else {
            guard let found = kernel.threads[id] else { throw .ESRCH }
            target = found
        }
        try checkLimitPermission(towards: target)
        guard resource < ResourceNumber.count else { throw .EINVAL }
        let before = limit(Int(resource), of: target.process)
        if let wanted { try setLimit(Int(resource), to: wanted, of: target.process) }
        if old != 0 { try copyOut(before, to: old) }
        return 0
    }

    private func checkLimitPermission(towards target: GuestThread) throws(Errno) {
        guard target.process !== process else { return }
        let own = credentials
        let other = target.credentials
        let isSame =
            [other.userID, other.effectiveUserID, other.savedUserID].allSatisfy { $0 == own.userID }
            && [other.groupID, other.effectiveGroupID, other.savedGroupID].allSatisfy { $0 == own.groupID }
        guard isSame || own.has(capability: CapabilityNumber.resource) else { throw .EPERM }
    }

    private func copyInLimit(_ address: UInt) throws(Errno) -> ResourceLimits.Limit {
        var reader = ByteReader(try copyIn(16, from: address))
        return ResourceLimits.Limit(soft: reader.take(), hard: reader.take())
    }

    private func limit(_ resource: Int, of process: Process) -> [UInt8] {
        let limit = process.limits.values[resource]
        var writer = ByteWriter(capacity: 16)
        writer.put(limit.soft)
        writer.put(limit.hard)
        return writer.bytes
    }

    /// Throws EINVAL for a soft limit above the hard one; EPERM for a hard limit raised without `CAP_SYS_RESOURCE`, or for
    /// more descriptors than there can be.
    private func setLimit(_ resource: Int, to new: ResourceLimits.Limit, of process: Process) throws(Errno) {
        guard new.soft <= new.hard else { throw .EINVAL }
        if resource == ResourceNumber.openFiles, new.hard > UInt64(FileTable.maximum) { throw .EPERM }
        let isRaised = new.hard > process.limits.values[resource].hard
        guard !isRaised || credentials.has(capability: CapabilityNumber.resource) else { throw .EPERM }
        process.limits.values[resource] = new
        // A signal may lose what it says now.
        if resource == ResourceNumber.pendingSignals { process.actions.withdraw() }
        if resource == ResourceNumber.cpu { process.watchCPULimit() }
        if resource == ResourceNumber.openFiles { kernel.revokeCards() }
        if resource == ResourceNumber.fileSize { process.withdrawWrites() }
        if resource == ResourceNumber.addressSpace || resource == ResourceNumber.data { process.revokeMappings() }
    }

    // MARK: Usage

    /// See `getrusage(2)`: 0 the process, -1 its children, 1 the thread.
    func getrusage(_ who: Int32, _ address: UInt) throws(Errno) -> Int {
        let usage: ResourceUsage
        switch who {
        case 0, 1:
            process.measurePeak()
            usage = ResourceUsage(who == 0 ? process.cpuTime : cpuTime, resident: process.peakResident)
        case -1:
            kernel.isAskedForPeaks = true
            usage = ResourceUsage(process.childrenTime, resident: process.childrenPeak)
        default: throw .EINVAL
        }
        try copyOut(usage.encoded, to: address)
        return 0
    }
}
