package import LinuxABI

/// The signal state that each thread has for itself.
package struct ThreadSignals {
    /// As the kernel knows it: in guest code see `GuestThread.blockedSignals`.
    package var blocked: SignalSet = []
    package var pending = PendingSignals()
    /// The mask that comes back when `sigsuspend(2)`, `ppoll(2)` and the like end without a handler.
    package var savedMask: SignalSet?
    /// The mask that `sigtimedwait(2)` has opened for its wait; it comes back at the next try.
    package var maskBehindWait: SignalSet?
    /// `sigaltstack(2)`.
    package var alternateStack = AlternateStack()
    /// The process is stopping, and this thread has not yet.
    package var mustStop = false
    /// What the call that a stop interrupted had as its result; nil within if it was none.
    var resultBeforeStop: Int?
    /// `rt_sigreturn(2)` has loaded rax with something that looks like a request for a restart, and is none.
    var restoredRegisters = false
    /// What `restart_syscall(2)` goes on with.
    package var restartBlock: RestartBlock?
    /// The last fault, as every later frame shows it.
    package var fault = FaultRegisters()

    package init() {}
}

/// Of a thread's signals, what decides whether it simply goes on after a call.
struct SignalStanding {
    let blocked: SignalSet
    let isPending: Bool
    let mustStop: Bool
    let hasSavedMask: Bool

    init(of signals: ThreadSignals) {
        blocked = signals.blocked
        isPending = !signals.pending.set.isEmpty
        mustStop = signals.mustStop
        hasSavedMask = signals.savedMask != nil
    }
}

/// The second half of a call that must go on with other arguments than it began with. Linux's `restart_block`.
package typealias RestartBlock = (GuestThread) throws(Errno) -> Int

/// What the processor said of a fault: `err`, `trapno` and `cr2` of `sigcontext`.
package struct FaultRegisters: Sendable {
    package var error: UInt = 0
    package var trap: UInt = 0
    package var address: UInt = 0

    package init() {}
}

/// `stack_t`: where handlers with `SA_ONSTACK` run.
package struct AlternateStack: Sendable, Equatable {
    package var base: UInt = 0
    package var size: UInt = 0
    /// `SS_DISABLE` 2, `SS_AUTODISARM` 1 << 31; 0 also in a process that never had one.
    package var flags: UInt32 = 0

    package init() {}

    /// No stack, as `SS_DISABLE` leaves it and as a new thread has it.
    package static var disabled: AlternateStack {
        var stack = AlternateStack()
        stack.flags = SignalStack.disable
        return stack
    }

    /// True if the stack pointer lies in it.
    package func holds(_ pointer: UInt) -> Bool { pointer > base && pointer - base <= size }

    /// True if a handler runs on it now. With `SS_AUTODISARM` the question never arises: it is disarmed meanwhile.
    package func isInUse(at pointer: UInt) -> Bool { flags & SignalStack.autoDisarm == 0 && holds(pointer) }

    /// What `sigaltstack(2)` reports at this stack pointer.
    package func reported(at pointer: UInt) -> SignalStack {
        SignalStack(base: base, flags: mode(at: pointer) | flags & SignalStack.autoDisarm, length: size)
    }

    /// `SS_*` at this stack pointer without the flag bits. Linux's `sas_ss_flags`.
    package func mode(at pointer: UInt) -> UInt32 {
        size == 0 ? SignalStack.disable : isInUse(at: pointer) ? SignalStack.onStack : 0
    }
}
