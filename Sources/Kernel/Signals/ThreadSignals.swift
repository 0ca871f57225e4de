package import LinuxABI

/// A set of signals 1...64; bit 0 is signal 1. Linux's `sigset_t`.
package struct SignalSet: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package init(_ signal: SignalNumber) { rawValue = signal.isValid ? 1 << UInt64(signal.rawValue - 1) : 0 }
}

/// What a sender says of a signal. Linux's `siginfo_t`, of which every kind fills its part.
package struct SignalInfo: Sendable {
    package var signal: SignalNumber
    /// `SI_USER` 0, `SI_KERNEL` 128, `SI_QUEUE` -1, `SI_TKILL` -6, `SEGV_MAPERR` 1, `CLD_EXITED` 1, …
    package var code: Int32
    package var errno: Int32 = 0
    package var processID = ProcessID(0)
    package var userID: UInt32 = 0
    /// SIGCHLD: exit status or signal.
    package var status: Int32 = 0
    /// `sigqueue(3)`'s value.
    package var value: UInt64 = 0
    /// Fault signals.
    package var address: UInt = 0
    package var timerID: Int32 = 0
    package var overrun: Int32 = 0
    /// SIGIO.
    package var band: Int64 = 0
    package var fileDescriptor: Int32 = 0
    /// SIGSYS.
    package var syscallNumber: Int32 = 0
    package var architecture: UInt32 = 0

    package init(_ signal: SignalNumber, code: Int32) {
        self.signal = signal
        self.code = code
    }
}

/// Signals that were sent and not yet taken: standard ones once, real-time ones in a queue each.
package struct PendingSignals: Sendable {
    package private(set) var set: SignalSet = []
    package private(set) var queue: [SignalInfo] = []

    package init() {}

    /// Queues a signal; a standard one that is pending already is dropped.
    /// - Returns: false if it was dropped.
    @discardableResult
    package mutating func add(_ info: SignalInfo) -> Bool {
        if info.signal.rawValue < 32, set.contains(SignalSet(info.signal)) { return false }
        queue.append(info)
        set.insert(SignalSet(info.signal))
        return true
    }

    /// Takes the next signal out that is not in `blocked`: the lowest number first, equals in the order of sending.
    package mutating func take(except blocked: SignalSet) -> SignalInfo? {
        take(in: SignalSet(rawValue: ~blocked.rawValue))
    }

    /// Takes the next signal out that is in `wanted`.
    package mutating func take(in wanted: SignalSet) -> SignalInfo? {
        guard !set.isDisjoint(with: wanted) else { return nil }
        var best: Int?
        for (index, info) in queue.enumerated() where wanted.contains(SignalSet(info.signal)) {
            if let found = best, queue[found].signal.rawValue <= info.signal.rawValue { continue }
            best = index
        }
        guard let best else { return nil }
        let info = queue.remove(at: best)
        if !queue.contains(where: { $0.signal == info.signal }) { set.remove(SignalSet(info.signal)) }
        return info
    }

    package mutating func remove(_ signals: SignalSet) {
        queue.removeAll { signals.contains(SignalSet($0.signal)) }
        set.subtract(signals)
    }
}

/// The signal state that each thread has for itself.
package struct ThreadSignals {
    package var blocked: SignalSet = []
    package var pending = PendingSignals()
    /// The mask that comes back when `sigsuspend(2)`, `ppoll(2)` and the like end without a handler.
    package var savedMask: SignalSet?
    /// `sigaltstack(2)`.
    package var alternateStack = AlternateStack()

    package init() {}

    /// True if a signal that is not blocked is pending here or in `sharedPending`.
    package func hasDeliverable(sharedPending: PendingSignals) -> Bool {
        !pending.set.union(sharedPending.set).subtracting(blocked).isEmpty
    }
}

/// `stack_t`: where handlers with `SA_ONSTACK` run.
package struct AlternateStack: Sendable {
    package var base: UInt = 0
    package var size: UInt = 0
    /// `SS_DISABLE` 2, `SS_AUTODISARM` 1 << 31.
    package var flags: UInt32 = 2

    package init() {}
}
