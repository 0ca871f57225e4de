internal import Kernel
internal import LinuxABI
internal import Platform

/// fork(2), vfork(2), clone(2), clone3(2), exit(2), exit_group(2), arch_prctl(2), set_tid_address(2).
extension GuestThread {
    /// What all of them come to, once their arguments are one request.
    func startClone(_ request: CloneRequest) throws(Errno) -> Int {
        if restart.isAgain, let child = restart.object as? Process {
            return try kernel.awaitVfork(self, child: child)
        }
        let flags = request.flags
        if flags.contains(.thread), !flags.contains(.signalHandlers) { throw .EINVAL }
        if flags.contains(.signalHandlers), !flags.contains(.memory) { throw .EINVAL }
        if flags.contains(.clearSignalHandlers), flags.contains(.signalHandlers) { throw .EINVAL }
        if flags.contains(.fileSystem), flags.rawValue & 0x20000 != 0 { throw .EINVAL }
        if flags.contains(.pidFile), !flags.isDisjoint(with: [.thread, .detached]) { throw .EINVAL }
        // Namespaces are not there yet, and a guest that asks for one must not believe that it has it.
        if !flags.isDisjoint(with: .namespaces) {
            throw credentials.has(capability: 21) ? .EINVAL : .EPERM
        }
        // The old call has one place for both numbers.
        if flags.contains(.pidFile), flags.contains(.parentSetThreadID), request.pidFile == request.parentThreadID {
            throw .EINVAL
        }
        try kernel.checkProcessLimit(self)
        return try kernel.clone(self, request)
    }

    /// See `clone(2)`; the raw call's argument order is x86-64's.
    func clone(
        _ flags: UInt, _ stack: UInt, _ parentThreadID: UInt, _ childThreadID: UInt, _ tls: UInt
    ) throws(Errno) -> Int {
        var request = CloneRequest()
        request.flags = CloneFlags(rawValue: UInt64(flags & 0xffff_ff00))
        request.exitSignal = SignalNumber(Int32(flags & 0xff))
        request.stack = stack
        request.parentThreadID = parentThreadID
        request.pidFile = parentThreadID
        request.childThreadID = childThreadID
        request.tls = tls
        return try startClone(request)
    }

    func fork() throws(Errno) -> Int {
        var request = CloneRequest()
        request.exitSignal = SignalNumber(17)
        return try startClone(request)
    }

    func vfork() throws(Errno) -> Int {
        var request = CloneRequest()
        request.flags = [.memory, .vfork]
        request.exitSignal = SignalNumber(17)
        return try startClone(request)
    }

    /// See `clone3(2)`.
    func clone3(_ arguments: UInt, _ size: UInt) throws(Errno) -> Int {
        guard size <= 4096 else { throw .E2BIG }
        guard size >= 64 else { throw .EINVAL }
        let bytes = try copyIn(Int(size), from: arguments)
        guard bytes.dropFirst(88).allSatisfy({ $0 == 0 }) else { throw .E2BIG }
        var reader = ByteReader(bytes)
        var request = CloneRequest()
        let flags: UInt64 = reader.take()
        request.pidFile = reader.take()
        request.childThreadID = reader.take()
        request.parentThreadID = reader.take()
        let exitSignal: UInt64 = reader.take()
        let stack: UInt = reader.take()
        let stackSize: UInt = reader.take()
        request.tls = reader.take()
        let setThreadIDs: UInt64 = reader.take()
        let setThreadIDCount: UInt64 = reader.take()
        guard flags & 0xff == 0, flags & ~0x3_ffff_ff00 == 0, flags & 0x0040_0000 == 0 else { throw .EINVAL }
        guard exitSignal <= 64, stack == 0 || stackSize != 0, stack != 0 || stackSize == 0 else { throw .EINVAL }
        // CLONE_THREAD and CLONE_PARENT take the signal from elsewhere.
        guard exitSignal == 0 || flags & 0x18000 == 0 else { throw .EINVAL }
        guard setThreadIDs == 0, setThreadIDCount == 0 else { throw .EINVAL }
        guard flags & 0x2_0000_0000 == 0 else { throw .EOPNOTSUPP }
        let (top, overflow) = stack.addingReportingOverflow(stackSize)
        guard !overflow else { throw .EINVAL }
        request.flags = CloneFlags(rawValue: flags)
        request.exitSignal = SignalNumber(Int32(exitSignal))
        request.stack = top
        return try startClone(request)
    }

    func exit(_ status: Int32) throws(Errno) -> Int {
        try releaseRobustLocks { $0.kernel.exit($0, status: status) }
        throw .noReturn
    }

    func exitGroup(_ status: Int32) throws(Errno) -> Int {
        try releaseRobustLocks { thread in
            thread.kernel.exitGroup(thread.process, waitStatus: (status & 0xff) << 8)
            thread.kernel.exit(thread, status: status)
        }
        throw .noReturn
    }

    func setThreadIDAddress(_ address: UInt) throws(Errno) -> Int {
        clearThreadID = address
        return Int(id.rawValue)
    }

    /// See `arch_prctl(2)`.
    func archPrctl(_ code: Int32, _ address: UInt) throws(Errno) -> Int {
        switch code {
        case 0x1002:
            guard address < 0x7fff_ffff_f000 else { throw .EPERM }
            registers.fsBase = address
            stub?.setFSBase(address)
            return 0
        case 0x1003:
            try copyOut(integer: registers.fsBase, to: address)
            return 0
        case 0x1001:
            guard address < 0x7fff_ffff_f000 else { throw .EPERM }
            stub?.gsBase = address
            return 0
        case 0x1004:
            try copyOut(integer: stub?.gsBase ?? 0, to: address)
            return 0
        // ARCH_GET_CPUID, ARCH_SET_CPUID: the instruction works, and cannot be made to fault.
        case 0x1011: return 1
        case 0x1012: throw .ENODEV
        default: throw .EINVAL
        }
    }
}
