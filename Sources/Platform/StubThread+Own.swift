internal import Stub

/// What stubs do without asking, beside answers: `Stub/own.c`, threads that start each other; and interrupts.
extension StubThread {
    /// Nothing of the guest thread that had it stays with a host thread that has rested.
    func refresh() {
        if isHeldAtRest { block() }
        (toldMask, leavesMask, isMaskOut) = (0, false, false)
        (startsLater, hold) = (false, 0)
        memory.exchange(0, at: cold + Cold.maskIsHere)
        memory.store(UInt64(0), at: cold + Cold.mask)
        memory.store(UInt32(0), at: cold + Cold.maskMoved)
        forgetHandlers()
        robustList = 0
        threadIDAddress = 0
    }

    // MARK: What the stub changes by itself

    /// Before the thread goes on: which signals it blocks, and whether its stub may change that.
    @inline(__always)
    package func leaveMask(_ mask: UInt64, mayChange: Bool) {
        if mask != toldMask {
            toldMask = mask
            memory.store(mask, at: cold + Cold.mask)
        }
        if mayChange != leavesMask {
            leavesMask = mayChange
            if mayChange, handlersAreOld { forgetHandlers() }
            memory.exchange(mayChange ? 1 : 0, at: cold + Cold.maskIsHere)
        }
        isMaskOut = mayChange
    }

    /// From now on the stub asks before it changes the mask. What `mask` says next is what it has made of it.
    package func recallMask() {
        guard leavesMask else { return }
        leavesMask = false
        memory.exchange(0, at: cold + Cold.maskIsHere)
    }

    /// The mask as it stands, wherever the thread is. A guest can write anything there, for itself.
    package var mask: UInt64 { memory.load(at: cold + Cold.mask) }

    /// The thread has asked.
    /// - Returns: its mask, if that may have changed since it was let go.
    package func takeMask() -> UInt64? {
        guard isMaskOut else { return nil }
        isMaskOut = false
        guard isMaskOld || !leavesMask else { return nil }
        toldMask = mask
        return toldMask
    }

    /// `set_robust_list(2)`.
    package var robustList: UInt {
        get { memory.load(at: cold + Cold.robustList) }
        set { memory.store(newValue, at: cold + Cold.robustList) }
    }

    /// `set_tid_address(2)`.
    package var threadIDAddress: UInt {
        get { memory.load(at: cold + Cold.threadIDAddress) }
        set { memory.store(newValue, at: cold + Cold.threadIDAddress) }
    }

    // MARK: Threads that start each other

    /// Its next answer stands only when the stub of another thread has carried out `startThread`, or with `letGo`. Not for
    /// traced threads, nor for one that has not begun.
    /// - Returns: what `letGo` needs to know.
    package func holdBack() -> Int {
        startsLater = true
        holds += 1
        hold = holds
        return hold
    }

    /// The stub that was to let it go has done so, or it goes on without.
    package func letGo(_ given: Int) {
        guard hold == given, !startsLater, memory.loadSequential(at: hot) == UInt32(APUS_STATE_BLOCK) else { return }
        hold = 0
        memory.exchange(UInt32(APUS_STATE_DONE), at: hot)
        if sleeps { process.platform.wakeNow(self) }
    }

    /// Its request waits until somebody else has asked: it is not looked at again before that.
    package func setAside() {
        guard !isAside, traced == nil else { return }
        isAside = true
        process.platform.setAside(self, true)
    }

    package func heed() {
        guard isAside else { return }
        isAside = false
        process.platform.setAside(self, false)
    }

    func hasBeenUnwatched() { isAside = false }

    // MARK: Interrupts

    /// Makes guest code stop and its stub ask (`interrupted`), unless it is asking already. Harmless when repeated. A stub
    /// that has only begun asks by itself (`ready`).
    package func interrupt() {
        guard hasAsked, hostThread != 0, process.hostProcess != 0 else { return }
        if let traced, traced.isInterruptedInPlace() { return }
        try? process.platform.interrupt(thread: hostThread, of: process.hostProcess)
    }
}
