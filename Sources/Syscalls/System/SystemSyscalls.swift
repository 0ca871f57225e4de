internal import HostSystem
internal import Kernel
internal import LinuxABI

/// uname(2), sethostname(2), sysinfo(2), getrandom(2), membarrier(2), syslog(2), kcmp(2), unshare(2).
extension GuestThread {
    /// Six fields of 65 bytes.
    func uname(_ address: UInt) throws(Errno) -> Int {
        let fields: [[UInt8]] = [
            Array(SystemIdentity.name.utf8), kernel.system.hostName, Array(SystemIdentity.release.utf8),
            Array(SystemIdentity.version.utf8), Array(SystemIdentity.machine.utf8), kernel.system.domainName,
        ]
        var writer = ByteWriter(capacity: 390)
        for (index, field) in fields.enumerated() {
            writer.put(Array(field.prefix(SystemIdentity.maximumName)))
            writer.pad(to: (index + 1) * (SystemIdentity.maximumName + 1))
        }
        // The machine as a 32-bit program sees it: PER_LINUX32.
        var bytes = writer.bytes
        if settings.personality & 0xff == 8 { bytes.replaceSubrange(260..<267, with: Array("i686\0\0\0".utf8)) }
        try copyOut(bytes, to: address)
        return 0
    }

    /// A new host or domain name. Throws EPERM, EINVAL, EFAULT.
    func copyInSystemName(_ address: UInt, _ length: Int32) throws(Errno) -> [UInt8] {
        guard credentials.has(capability: CapabilityNumber.systemAdministration) else { throw .EPERM }
        guard length >= 0, length <= SystemIdentity.maximumName else { throw .EINVAL }
        return try copyIn(Int(length), from: address)
    }

    /// See `sysinfo(2)`: 112 bytes.
    func sysinfo(_ address: UInt) throws(Errno) -> Int {
        let memory = kernel.memory
        var writer = ByteWriter(capacity: 112)
        writer.put(kernel.clock.now.nanoseconds / 1_000_000_000)
        // Three load averages: nobody counts them.
        writer.pad(24)
        writer.put(memory.total)
        writer.put(memory.free)
        // Shared, buffers, swap in all and free: none.
        writer.pad(32)
        writer.put(UInt16(clamping: kernel.threads.count))
        writer.pad(to: 104)
        writer.put(UInt32(1))
        writer.pad(to: 112)
        try copyOut(writer.bytes, to: address)
        return 0
    }

    /// Bytes of one try of `getrandom(2)`: others have their turn after it.
    private static let randomPiece: UInt = 1 << 20

    /// See `getrandom(2)`. A long one is done piece by piece, and ends early when a signal comes.
    func getrandom(_ buffer: UInt, _ length: UInt, _ flags: UInt32) throws(Errno) -> Int {
        guard flags & ~7 == 0, flags & 6 != 6 else { throw .EINVAL }
        let length = Int(min(length, UInt(Int32.max)))
        if length > restart.bytesDone {
            let count = min(length - restart.bytesDone, Int(GuestThread.randomPiece))
            do throws(Errno) {
                let done = try copyOutWhatFits(Host.random(count), to: buffer &+ UInt(restart.bytesDone))
                restart.bytesDone += done
                guard done == count else { return restart.bytesDone }
            } catch {
                guard restart.bytesDone > 0 else { throw error }
                return restart.bytesDone
            }
        }
        guard restart.bytesDone < length else { return length }
        let turn = park(on: [], until: kernel.clock.now, interrupted: .EINTR)
        guard turn == .parked else { return restart.bytesDone }
        throw turn
    }

    // MARK: Barriers

    private static let barrierCommands: Int32 = 0x7f

    /// See `membarrier(2)`. All kinds are carried out by the host's strongest one, and only where another thread could see
    /// the difference.
    func membarrier(_ command: Int32, _ flags: UInt32) throws(Errno) -> Int {
        guard flags == 0 else { throw .EINVAL }
        switch command {
        case 0: return Int(GuestThread.barrierCommands | 0x200)
        case 1, 2: try barrier(isPrivate: false)
        case 4, 16, 64: process.barrierRegistrations |= command
        case 8, 32:
            guard process.barrierRegistrations & (command << 1) != 0 else { throw .EPERM }
            try barrier(isPrivate: true)
        case 0x200: return Int(process.barrierRegistrations)
        default: throw .EINVAL
        }
        return 0
    }

    private func barrier(isPrivate: Bool) throws(Errno) {
        if isPrivate, process.threads.count == 1 { return }
        try Host.memoryBarrier()
    }

    // MARK: The log

    /// See `syslog(2)`: the log is empty, and stays so.
    func syslog(_ action: Int32, _ buffer: UInt, _ length: Int32) throws(Errno) -> Int {
        guard credentials.has(capability: CapabilityNumber.systemLog) else { throw .EPERM }
        switch action {
        case 0, 1, 5, 6, 7, 9: return 0
        case 2, 3, 4:
            guard buffer != 0, length >= 0 else { throw .EINVAL }
            // Reading what is to come waits, and nothing comes.
            if action == 2, length > 0 { throw park(on: []) }
            return 0
        case 8:
            guard (1...8).contains(length) else { throw .EINVAL }
            return 0
        case 10: return 131_072
        default: throw .EINVAL
        }
    }

    // MARK: Comparing

    /// See `kcmp(2)`: 0 the same, else 1 or 2 in an order that says nothing.
    func kcmp(
        _ first: ProcessID, _ second: ProcessID, _ type: Int32, _ firstIndex: UInt, _ secondIndex: UInt
    ) throws(Errno) -> Int {
        guard let one = kernel.threads[first], let two = kernel.threads[second] else { throw .ESRCH }
        guard mayInspect(one), mayInspect(two) else { throw .EPERM }
        func order(_ left: AnyObject?, _ right: AnyObject?) -> Int {
            if left === right { return 0 }
            guard let left, let right else { return left == nil ? 1 : 2 }
            return ObjectIdentifier(left) < ObjectIdentifier(right) ? 1 : 2
        }
        switch type {
        case 0:
            return order(
                try one.files.file(FileNumber(register: firstIndex)),
                try two.files.file(FileNumber(register: secondIndex)))
        case 1: return order(one.map, two.map)
        case 2: return order(one.files, two.files)
        case 3: return order(one.fileSystem, two.fileSystem)
        case 4: return order(one.process.actions, two.process.actions)
        // I/O contexts and semaphore adjustments: no thread has any.
        case 5, 6: return 0
        default: throw .EINVAL
        }
    }

    // MARK: unshare

    /// See `unshare(2)`: descriptors and directories can be had for oneself; namespaces are refused as an unprivileged
    /// container's are.
    func unshare(_ flags: UInt) throws(Errno) -> Int {
        let asked = CloneFlags(rawValue: UInt64(flags))
        let semaphores = CloneFlags(rawValue: 0x40000)
        let harmless: CloneFlags = [.files, .fileSystem, .thread, .signalHandlers, .memory, semaphores]
        guard asked.subtracting(harmless.union(.namespaces)).isEmpty else { throw .EINVAL }
        guard asked.isDisjoint(with: .namespaces) else { throw .EPERM }
        // Threads, handlers and memory can only be had for oneself by those who have them already.
        if !asked.isDisjoint(with: [.thread, .signalHandlers, .memory]), process.threads.count > 1 { throw .EINVAL }
        if asked.contains(.fileSystem) { fileSystem = fileSystem.copy() }
        if asked.contains(.files), files.isShared {
            let own = files.copy()
            files.removeUser()
            files = own
            kernel.hearEnds(in: map)
        }
        return 0
    }
}
