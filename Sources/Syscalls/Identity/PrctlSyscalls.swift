internal import Kernel
internal import LinuxABI

/// prctl(2), personality(2). Options that Linux has only for other processors are EINVAL, as on x86-64.
extension GuestThread {
    func prctl(_ option: Int32, _ a: UInt, _ b: UInt, _ c: UInt, _ d: UInt) throws(Errno) -> Int {
        switch option {
        case 1, 2, 3, 4, 36, 37, 41, 42: return try processOption(option, a, b, c, d)
        case 7, 8, 23, 24, 27, 28, 38, 39, 47: return try credentialOption(option, a, b, c, d)
        case 15:
            name = try copyInName(a)
            return 0
        case 16:
            var writer = ByteWriter(capacity: 16)
            writer.put(Array(name.prefix(15)))
            writer.pad(to: 16)
            try copyOut(writer.bytes, to: a)
            return 0
        // PR_GET_TIMING, PR_SET_TIMING: statistical timing is the only one there is.
        case 13: return 0
        case 14:
            guard a == 0 else { throw .EINVAL }
            return 0
        // PR_GET_SECCOMP: no filter can be set.
        case 21: return 0
        // PR_GET_TSC, PR_SET_TSC: the counter can be read, and cannot be forbidden.
        case 25:
            try copyOut(integer: Int32(1), to: a)
            return 0
        case 26:
            guard a == 1 else { throw .EINVAL }
            return 0
        case 29:
            settings.timerSlack = Int(bitPattern: a) <= 0 ? settings.defaultTimerSlack : a
            return 0
        case 30: return Int(clamping: settings.timerSlack)
        // PR_TASK_PERF_EVENTS_DISABLE and _ENABLE: there are none.
        case 31, 32: return 0
        case 33, 34: return try machineCheckOption(option, a, b, c, d)
        // PR_SET_MM
        case 35: throw credentials.has(capability: CapabilityNumber.resource) ? .EINVAL : .EPERM
        case 40:
            try copyOut(integer: clearThreadID, to: a)
            return 0
        // PR_GET_SPECULATION_CTRL, PR_SET_SPECULATION_CTRL: nothing that could be controlled.
        case 52: throw b == 0 && c == 0 && d == 0 ? .ENODEV : .EINVAL
        case 53: throw c == 0 && d == 0 ? .ENODEV : .EINVAL
        case 0x5356_4d41: return try setMemoryName(a, b, c, d)
        // PR_GET_MDWE, PR_GET_MEMORY_MERGE: neither can be set.
        case 66, 68:
            guard a == 0, b == 0, c == 0, d == 0 else { throw .EINVAL }
            return 0
        default: throw .EINVAL
        }
    }

    /// A thread's name is cut at 15 bytes.
    private func copyInName(_ address: UInt) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < 15 {
            let byte: UInt8 = try copyIn(UInt8.self, from: address &+ UInt(bytes.count))
            guard byte != 0 else { break }
            bytes.append(byte)
        }
        return bytes
    }

    /// What the process as a whole keeps.
    private func processOption(_ option: Int32, _ a: UInt, _ b: UInt, _ c: UInt, _ d: UInt) throws(Errno) -> Int {
        switch option {
        case 1:
            guard a <= 64 else { throw .EINVAL }
            process.parentDeathSignal = Int32(a)
        case 2: try copyOut(integer: process.parentDeathSignal, to: a)
        case 3: return process.dumpable ? 1 : 0
        case 4:
            guard a <= 1 else { throw .EINVAL }
            process.dumpable = a == 1
        case 36: process.isSubreaper = a != 0
        case 37: try copyOut(integer: Int32(process.isSubreaper ? 1 : 0), to: a)
        case 41:
            guard b == 0, c == 0, d == 0 else { throw .EINVAL }
            process.disablesHugePages = a != 0
        default:
            guard a == 0, b == 0, c == 0, d == 0 else { throw .EINVAL }
            return process.disablesHugePages ? 1 : 0
        }
        return 0
    }

    private func credentialOption(_ option: Int32, _ a: UInt, _ b: UInt, _ c: UInt, _ d: UInt) throws(Errno) -> Int {
        switch option {
        case 7: return credentials.secureBits.contains(.keepCapabilities) ? 1 : 0
        case 8:
            guard a <= 1 else { throw .EINVAL }
            guard !credentials.secureBits.contains(.keepCapabilitiesLocked) else { throw .EPERM }
            if a == 1 {
                credentials.secureBits.insert(.keepCapabilities)
            } else {
                credentials.secureBits.remove(.keepCapabilities)
            }
        case 23:
            guard a <= UInt(CapabilityNumber.last) else { throw .EINVAL }
            return credentials.boundingCapabilities & 1 << UInt64(a) != 0 ? 1 : 0
        case 24: try credentials.dropFromBoundingSet(a)
        case 27: return Int(credentials.secureBits.rawValue)
        case 28: try credentials.setSecureBits(a)
        case 38:
            guard a == 1, b == 0, c == 0, d == 0 else { throw .EINVAL }
            credentials.noNewPrivileges = true
        case 39:
            guard a == 0, b == 0, c == 0, d == 0 else { throw .EINVAL }
            return credentials.noNewPrivileges ? 1 : 0
        default: return try ambientOption(a, b, c, d)
        }
        return 0
    }

    /// `PR_CAP_AMBIENT`: 1 asks, 2 raises, 3 lowers, 4 clears all.
    private func ambientOption(_ operation: UInt, _ capability: UInt, _ c: UInt, _ d: UInt) throws(Errno) -> Int {
        if operation == 4 {
            guard capability == 0, c == 0, d == 0 else { throw .EINVAL }
            credentials.ambientCapabilities = 0
            return 0
        }
        guard c == 0, d == 0, capability <= UInt(CapabilityNumber.last) else { throw .EINVAL }
        let bit = UInt64(1) << UInt64(capability)
        switch operation {
        case 1: return credentials.ambientCapabilities & bit != 0 ? 1 : 0
        case 2: try credentials.raiseAmbient(capability)
        case 3: credentials.ambientCapabilities &= ~bit
        default: throw .EINVAL
        }
        return 0
    }

    /// `PR_MCE_KILL`, `PR_MCE_KILL_GET`.
    private func machineCheckOption(
        _ option: Int32, _ a: UInt, _ b: UInt, _ c: UInt, _ d: UInt
    ) throws(Errno) -> Int {
        guard c == 0, d == 0 else { throw .EINVAL }
        if option == 34 {
            guard a == 0, b == 0 else { throw .EINVAL }
            return settings.machineCheckPolicy
        }
        switch a {
        case 0:
            guard b == 0 else { throw .EINVAL }
            settings.machineCheckPolicy = 2
        case 1:
            guard b <= 2 else { throw .EINVAL }
            settings.machineCheckPolicy = Int(b)
        default: throw .EINVAL
        }
        return 0
    }

    /// `PR_SET_VMA` with `PR_SET_VMA_ANON_NAME`: a name for anonymous memory. It is checked, and not shown.
    private func setMemoryName(_ operation: UInt, _ address: UInt, _ length: UInt, _ text: UInt) throws(Errno) -> Int {
        guard operation == 0 else { throw .EINVAL }
        if text != 0 {
            let name = try copyInString(from: text, limit: 80, tooLong: .EINVAL)
            let forbidden: [UInt8] = Array("\\`$[]".utf8)
            guard name.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && !forbidden.contains($0) }) else { throw .EINVAL }
        }
        guard MemoryMap.isAligned(address) else { throw .EINVAL }
        guard let length = MemoryMap.pageUp(length) else { throw .EINVAL }
        let (end, overflow) = address.addingReportingOverflow(length)
        guard !overflow else { throw .EINVAL }
        guard length > 0 else { return 0 }
        guard let map else { throw .ENOMEM }
        let parts = map.areas.parts(in: address..<end)
        guard parts.allSatisfy({ $0.object?.file == nil }) else { throw .EBADF }
        guard parts.reduce(0, { $0 + $1.length }) == length else { throw .ENOMEM }
        return 0
    }

    /// See `personality(2)`; all ones only asks.
    func personality(_ value: UInt32) -> Int {
        let old = settings.personality
        if value != .max { settings.personality = value }
        return Int(old)
    }
}
