package import LinuxABI
internal import Platform
internal import VFS

/// Sending signals. See `signal(7)`; the order of the checks is that of Linux's `send_signal_locked`.
extension Kernel {
    /// Sends a signal to a process; one of its threads that does not block it takes it.
    /// - Returns: EAGAIN when a real-time signal finds the sender's queue full (`RLIMIT_SIGPENDING`), else nil.
    @discardableResult
    package func send(_ info: SignalInfo, to process: Process) -> Errno? {
        guard info.signal.isValid, let main = process.leader ?? process.threads.first else { return nil }
        guard prepare(info.signal, for: process, ignoredBy: main) else { return nil }
        if info.signal == .kill {
            exitGroup(process, waitStatus: info.signal.rawValue)
            return nil
        }
        if let outcome = queue(info, in: &process.pendingSignals, receiver: main) { return outcome.error }
        // Before anybody's mask is looked at.
        for thread in process.threads { thread.stub?.recallMask() }
        signalArrivals.wakeAll()
        if let taker = process.threads.first(where: { $0 === main && $0.wants(info.signal) })
            ?? process.threads.first(where: { $0.wants(info.signal) })
        {
            wake(taker)
        }
        return nil
    }

    /// Sends a signal to one thread.
    /// - Returns: EAGAIN as above, else nil.
    @discardableResult
    package func send(_ info: SignalInfo, to thread: GuestThread) -> Errno? {
        guard info.signal.isValid, thread.state != .dead else { return nil }
        guard prepare(info.signal, for: thread.process, ignoredBy: thread) else { return nil }
        if info.signal == .kill {
            exitGroup(thread.process, waitStatus: info.signal.rawValue)
            return nil
        }
        if let outcome = queue(info, in: &thread.signals.pending, receiver: thread) { return outcome.error }
        thread.stub?.recallMask()
        signalArrivals.wakeAll()
        if thread.wants(info.signal) { wake(thread) }
        return nil
    }

    /// Sends a signal that the thread's own doing caused and that it must take: where it is blocked or ignored, the default
    /// action follows. Linux's `force_sig_info`. For the thread whose call or fault is being handled.
    package func force(_ info: SignalInfo, to thread: GuestThread) {
        let set = SignalSet(info.signal)
        var action = thread.process.actions[info.signal]
        let isBlocked = !thread.signals.blocked.isDisjoint(with: set)
        if isBlocked || action.handler == SignalAction.ignore {
            action.handler = SignalAction.defaultHandler
            thread.process.actions[info.signal] = action
            thread.signals.blocked.subtract(set)
        }
        thread.signals.pending.add(info)
    }

    /// Why a signal did not become pending.
    private enum Unqueued {
        /// It is pending already.
        case merged
        /// The receiver's user has no more room, and the sender is told.
        case full

        var error: Errno? { self == .full ? .EAGAIN : nil }
    }

    /// Makes a signal pending, with what it says if the receiver's user has room for that.
    /// - Returns: why it did not become pending; nil when it did.
    private func queue(
        _ info: SignalInfo, in pending: inout PendingSignals, receiver: GuestThread
    ) -> Unqueued? {
        let signal = info.signal
        if !signal.isRealTime, pending.set.contains(SignalSet(signal)) { return .merged }
        // What the kernel and kill(2) say of a standard signal is kept beyond the limit.
        let mayExceed = !signal.isRealTime && info.code >= SignalInfo.user
        let limit = mayExceed ? nil : receiver.process.limits.values[ResourceNumber.pendingSignals].soft
        if let charge = signalAccounts.charge(receiver.credentials.userID, limit: limit) {
            pending.add(info, charge: charge)
            return nil
        }
        if signal.isRealTime, info.code != SignalInfo.user, info.code != SignalInfo.kernel { return .full }
        // It comes without its siginfo, once.
        let isMerged = pending.set.contains(SignalSet(signal))
        pending.addNameless(signal)
        return isMerged ? .merged : nil
    }

    /// What sending does whether the signal is taken or not: stop signals and SIGCONT undo each other.
    /// - Returns: false if the signal is ignored, or the process is past hearing it.
    private func prepare(_ signal: SignalNumber, for process: Process, ignoredBy thread: GuestThread) -> Bool {
        guard !process.isExiting, process !== initProcess else { return false }
        let set = SignalSet(signal)
        if SignalSet.stop.contains(set) {
            process.forgetPending(SignalSet(.continue))
        } else if signal == .continue {
            process.forgetPending(.stop)
            resume(process)
        }
        return !thread.ignores(signal)
    }

    /// Makes a thread look at its signals soon.
    func wake(_ thread: GuestThread) {
        switch thread.state {
        case .parked: makeRunnable(thread)
        // In guest code. In the kernel, it will look before it goes back there.
        case .running where !thread.call.isActive: thread.stub?.interrupt()
        case .running, .runnable, .stopped, .dead: break
        }
    }
}

extension Process {
    /// Drops pending signals, those of each thread too.
    package func forgetPending(_ signals: SignalSet) {
        pendingSignals.remove(signals)
        for thread in threads { thread.signals.pending.remove(signals) }
    }
}

extension GuestThread {
    /// True if the signal would do nothing. Blocked signals are never ignored: the action may change until they are let in.
    fileprivate func ignores(_ signal: SignalNumber) -> Bool {
        let set = SignalSet(signal)
        if !blockedSignals.isDisjoint(with: set) || signals.maskBehindWait?.isDisjoint(with: set) == false {
            return false
        }
        let handler = process.actions[signal].handler
        return handler == SignalAction.ignore
            || handler == SignalAction.defaultHandler && SignalSet.ignoredByDefault.contains(set)
    }

    /// True if the thread could take the signal now.
    func wants(_ signal: SignalNumber) -> Bool {
        state != .dead && state != .stopped && blockedSignals.isDisjoint(with: SignalSet(signal))
    }

    /// Changes the mask; signals that other threads must take in this one's place wake them.
    package func setBlocked(_ mask: SignalSet) {
        let new = mask.subtracting(.unblockable)
        let newlyBlocked = new.subtracting(signals.blocked)
        signals.blocked = new
        passOn(newlyBlocked)
    }

    /// Wakes others for what this thread was to take of the process's signals. Linux's `retarget_shared_pending`.
    func passOn(_ signals: SignalSet) {
        let pending = process.pendingSignals.set.intersection(signals)
        guard !pending.isEmpty else { return }
        for other in process.threads where other !== self && other.state != .dead && other.state != .stopped {
            if !pending.subtracting(other.blockedSignals).isEmpty { kernel.wake(other) }
        }
    }

    /// What the end of a thread means for the signals and the stop of its process; called by the exit.
    func leaveSignals() {
        passOn(SignalSet(rawValue: .max))
        process.finishStopIfComplete()
    }
}
