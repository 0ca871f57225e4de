internal import LinuxABI
internal import Platform
internal import VFS

/// Futexes that threads of one process settle among themselves: `Stub/futex.c` and
/// `docs/decisions/0020-futexes-without-the-kernel.md`.
///
/// A thread that waits in its stub runs guest code for all that the kernel knows: a signal interrupts it, and then it asks as if
/// the wait had only begun.
extension GuestThread {
    /// The stub has done a part of the call, and says so where the timeout stands, of which such a call has none.
    func takeBegunCall() {
        if call.number == GuestThread.exitCall { hasClearedWord = true }
        guard call.number == LocalAnswer.futex.call else { return }
        begunCall = call.arguments[3]
        call.arguments.values[3] = 0
    }

    /// exit(2) on x86-64.
    private static let exitCall = 60

    /// How the wait ended in the stub, if it did. Throws what ended it: EAGAIN, or the signal that has interrupted it.
    /// - Returns: true if it was woken; false if it has to wait here.
    func endedInStub() throws(Errno) -> Bool {
        guard let begun = begunCall else { return false }
        begunCall = nil
        if begun == 0 { return true }
        if begun == UInt(Errno.EAGAIN.rawValue) { throw .EAGAIN }
        // It has slept: the word need not be looked at to know that it slept rightly.
        if hasPendingSignal { throw .ERESTARTSYS }
        return false
    }

    /// How many the stub has woken already.
    func wokenInStub() -> Int {
        guard let begun = begunCall else { return 0 }
        begunCall = nil
        // A guest that forges the number gets it back.
        return Int(min(begun, UInt(Int32.max)))
    }

    /// Brings everybody who waits in the process's stubs into the kernel, for good: for what the host's futexes can't do with
    /// ours, or not with those who wait in the kernel. `try gatherWaiters()`; the call is tried again until all have come.
    func gatherWaiters() throws(Errno) {
        guard let map else { return }
        guard !map.hasGatheredWaiters else { return }
        if map.mayWaitInStub {
            map.mayWaitInStub = false
            kernel.publishAnswers(of: map)
        }
        let waiters = kernel.threads.values.filter { $0 !== self && $0.map === map && $0.isInStubsFutex }
        // Who says for ever that it waits, without coming, has forged that.
        guard !waiters.isEmpty, restart.value < GuestThread.patience else {
            restart.value = 0
            map.hasGatheredWaiters = true
            return
        }
        restart.value += 1
        for waiter in waiters { waiter.stub?.interrupt() }
        throw park(
            on: [], until: kernel.clock.now.advanced(byNanoseconds: 100_000), interrupted: .ERESTARTNOINTR)
    }

    /// Some 50 ms.
    private static let patience = 500

    private var isInStubsFutex: Bool { state == .running && !call.isActive && stub?.waitsByItself == true }

    /// Waits for something, in the kernel or in its stub.
    package var isAsleep: Bool { state == .parked || isInStubsFutex }
}
