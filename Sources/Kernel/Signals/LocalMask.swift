internal import LinuxABI
internal import Platform

/// Masks that threads change without the kernel, while no signal waits that a change could let in or leave to others:
/// `Stub/own.c` and `docs/decisions/0023-cheaper-births.md`.
extension GuestThread {
    /// What the thread blocks now, wherever it is.
    package var blockedSignals: SignalSet {
        guard let stub, stub.isMaskOut else { return signals.blocked }
        return SignalSet(rawValue: stub.mask).subtracting(.unblockable)
    }

    /// The thread has asked: what its stub has changed counts from now on.
    func takeMask(from stub: StubThread) {
        guard let mask = stub.takeMask() else { return }
        signals.blocked = SignalSet(rawValue: mask).subtracting(.unblockable)
    }

    /// The thread is about to run guest code.
    @inline(__always)
    func leaveMask(with stub: StubThread, isTraced: Bool) {
        let standing = standing
        let nothingWaits =
            !standing.isPending && !process.hasPendingSignals && !standing.hasSavedMask && !isTraced
        stub.leaveMask(standing.blocked.rawValue, mayChange: nothingWaits)
    }
}
