internal import Kernel
internal import LinuxABI

/// rt_sigaction(2), rt_sigprocmask(2), rt_sigpending(2), sigaltstack(2), rt_sigreturn(2).
extension GuestThread {
    /// Bytes of `sigset_t`.
    static let signalSetSize: UInt = 8

    /// The flags that this kernel knows; the others are dropped, so that a program can see which are honoured.
    private static let knownActionFlags: UInt =
        SignalAction.noChildStop | SignalAction.noChildWait | SignalAction.wantsInfo | SignalAction.onStack
        | SignalAction.restart | SignalAction.noDefer | SignalAction.resetHandler | SignalAction.exposeTagBits
        | SignalAction.hasRestorer

    func rtSigaction(_ signal: SignalNumber, _ action: UInt, _ old: UInt, _ setSize: UInt) throws(Errno) -> Int {
        guard setSize == GuestThread.signalSetSize else { throw .EINVAL }
        var new: SignalAction?
        if action != 0 { new = try copyIn(SignalAction.self, from: UserPointer<Opaque>(action)) }
        guard signal.isValid else { throw .EINVAL }
        let set = SignalSet(signal)
        guard new == nil || set.isDisjoint(with: .unblockable) else { throw .EINVAL }
        let previous = process.actions[signal]
        if var new {
            new.flags &= GuestThread.knownActionFlags
            new.mask.subtract(.unblockable)
            process.actions[signal] = new
            let isIgnored =
                new.handler == SignalAction.ignore
                || new.handler == SignalAction.defaultHandler && SignalSet.ignoredByDefault.contains(set)
            if isIgnored { process.forgetPending(set) }
        }
        if old != 0 { try copyOut(previous, to: UserPointer<Opaque>(old)) }
        return 0
    }

    func rtSigprocmask(_ how: Int32, _ new: UInt, _ old: UInt, _ setSize: UInt) throws(Errno) -> Int {
        guard setSize == GuestThread.signalSetSize else { throw .EINVAL }
        let previous = signals.blocked
        if new != 0 {
            let set = SignalSet(rawValue: try copyIn(UInt64.self, from: new)).subtracting(.unblockable)
            switch how {
            case 0: setBlocked(previous.union(set))
            case 1: setBlocked(previous.subtracting(set))
            case 2: setBlocked(set)
            default: throw .EINVAL
            }
        }
        if old != 0 { try copyOut(integer: previous.rawValue, to: old) }
        return 0
    }

    func rtSigpending(_ address: UInt, _ setSize: UInt) throws(Errno) -> Int {
        guard setSize <= GuestThread.signalSetSize else { throw .EINVAL }
        let set = signals.pending.set.union(process.pendingSignals.set).intersection(signals.blocked)
        var writer = ByteWriter(capacity: 8)
        writer.put(set.rawValue)
        try copyOut(Array(writer.bytes.prefix(Int(setSize))), to: address)
        return 0
    }

    func sigaltstack(_ new: UInt, _ old: UInt) throws(Errno) -> Int {
        var wanted: SignalStack?
        if new != 0 { wanted = try copyIn(SignalStack.self, from: UserPointer<Opaque>(new)) }
        let previous = signals.alternateStack.reported(at: registers.rsp)
        if let wanted { try setAlternateStack(wanted) }
        if old != 0 { try copyOut(previous, to: UserPointer<Opaque>(old)) }
        return 0
    }

    func rtSigreturn() throws(Errno) -> Int { returnFromSignal() }
}
