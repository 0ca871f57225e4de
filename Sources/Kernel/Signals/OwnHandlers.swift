internal import LinuxABI
internal import Platform

/// Handlers that threads enter and leave without the kernel: those of signals that they send to themselves, and the way back from
/// any. `Stub/signal.c` and `docs/decisions/0027-signals-to-oneself.md`.
///
/// What a stub was told is withdrawn as soon as it is not so any more: actions (`SignalActions`), the alternate stack, the last
/// fault. All that the kernel takes back of it is the permission to change the mask, without which the stub asks.
extension GuestThread {
    /// A handler has its frame: its thread may return from it, and enter it anew by a signal of its own.
    func leaveHandler(of info: SignalInfo, _ action: SignalAction) {
        guard let stub else { return }
        // Who returns must forget the call that can be restarted.
        guard signals.restartBlock == nil else { return stub.withdrawHandlers() }
        var facts = HandlerFacts(thread: id.rawValue)
        facts.stackBase = signals.alternateStack.base
        facts.stackSize = signals.alternateStack.size
        facts.stackFlags = signals.alternateStack.flags
        facts.faultError = signals.fault.error
        facts.faultTrap = signals.fault.trap
        facts.faultAddress = signals.fault.address
        stub.leave(facts)
        guard sendsToItself(info), action.flags & GuestThread.leavableFlags == SignalAction.hasRestorer else { return }
        stub.leave(
            OwnAction(
                signal: info.signal.rawValue, handler: action.handler, flags: action.flags, restorer: action.restorer,
                mask: action.mask.rawValue))
        process.actions.inform(stub)
    }

    /// A signal of the thread's own by kill(2) or tgkill(2) that does nothing but enter its handler. SIGALRM, stopping and
    /// going on concern more.
    private func sendsToItself(_ info: SignalInfo) -> Bool {
        guard call.number == LocalAnswer.kill.call || call.number == LocalAnswer.threadKill.call else { return false }
        return info.payload == nil && info.processID == process.id && !info.signal.isRealTime
            && (info.code == SignalInfo.user || info.code == SignalInfo.threadKill)
            && GuestThread.leavableSignals.contains(SignalSet(info.signal))
    }

    private static let leavableSignals = SignalSet(rawValue: 0x7fff_ffff)
        .subtracting([.unblockable, .stop, SignalSet(.alarm), SignalSet(.continue)])

    /// There must be a restorer, and no reset.
    private static let leavableFlags = SignalAction.hasRestorer | SignalAction.resetHandler
}
