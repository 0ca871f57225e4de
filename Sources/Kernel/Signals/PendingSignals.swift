package import LinuxABI

/// How many signals are queued for each real user; what `RLIMIT_SIGPENDING` bounds.
package final class SignalAccounts {
    private var counts: [UInt32: Int] = [:]
    private var total = 0
    /// So many at most, whoever is to get them and whatever its limit: they take the kernel's own memory.
    private static let most = 1 << 18

    package init() {}

    package func queued(for user: UInt32) -> Int { counts[user, default: 0] }

    /// Charges one more signal to the user; nil at the limit. Without a limit it is charged in any case.
    package func charge(_ user: UInt32, limit: UInt64?) -> SignalCharge? {
        let count = counts[user, default: 0]
        guard total < SignalAccounts.most else { return nil }
        if let limit, UInt64(count) >= limit { return nil }
        counts[user] = count + 1
        total += 1
        return SignalCharge(accounts: self, user: user)
    }

    fileprivate func release(_ user: UInt32) {
        let count = counts[user, default: 0]
        counts[user] = count > 1 ? count - 1 : nil
        total -= 1
    }
}

/// One queued signal on a user's account, for as long as this lives.
package final class SignalCharge {
    private let accounts: SignalAccounts
    private let user: UInt32

    fileprivate init(accounts: SignalAccounts, user: UInt32) {
        self.accounts = accounts
        self.user = user
    }

    deinit { accounts.release(user) }
}

/// Signals that were sent and not yet taken: standard ones once, real-time ones in a queue each.
package struct PendingSignals {
    private struct Entry {
        var info: SignalInfo
        var charge: SignalCharge?
    }

    /// The instances of one signal, in the order of sending; those before `head` are taken.
    private struct Line {
        var entries: [Entry] = []
        var head = 0

        var isEmpty: Bool { head >= entries.count }

        mutating func takeFirst() -> SignalInfo? {
            guard head < entries.count else { return nil }
            let info = entries[head].info
            entries[head].charge = nil
            head += 1
            if head > 32, head * 2 > entries.count { removeTaken() }
            return info
        }

        mutating func removeTaken() {
            entries.removeFirst(head)
            head = 0
        }
    }

    package private(set) var set: SignalSet = []
    private var lines: [Line] = []

    package init() {}

    /// Queues a signal; a standard one that is pending already is dropped.
    /// - Returns: false if it was dropped.
    @discardableResult
    package mutating func add(_ info: SignalInfo, charge: SignalCharge? = nil) -> Bool {
        guard info.signal.isValid else { return false }
        if !info.signal.isRealTime, set.contains(SignalSet(info.signal)) { return false }
        if lines.isEmpty { lines = [Line](repeating: Line(), count: 65) }
        lines[Int(info.signal.rawValue)].entries.append(Entry(info: info, charge: charge))
        set.insert(SignalSet(info.signal))
        return true
    }

    /// Notes that a signal is pending of which nothing can be kept: the queue is full.
    package mutating func addNameless(_ signal: SignalNumber) { set.insert(SignalSet(signal)) }

    /// Takes the next signal out that is not in `blocked`.
    package mutating func take(except blocked: SignalSet) -> SignalInfo? {
        take(in: SignalSet(rawValue: ~blocked.rawValue))
    }

    /// Takes the next signal out that is in `wanted`: faults first, then the lowest number, equals in the order of
    /// sending. See `signal(7)`.
    package mutating func take(in wanted: SignalSet) -> SignalInfo? {
        var candidates = set.intersection(wanted)
        guard !candidates.isEmpty else { return nil }
        if !candidates.isDisjoint(with: .synchronous) { candidates.formIntersection(.synchronous) }
        let number = candidates.rawValue.trailingZeroBitCount + 1
        let signal = SignalSet(rawValue: 1 << UInt64(number - 1))
        guard !lines.isEmpty, let info = lines[number].takeFirst() else {
            set.subtract(signal)
            return SignalInfo(SignalNumber(Int32(number)), code: SignalInfo.user)
        }
        if lines[number].isEmpty { remove(signal) }
        return info
    }

    /// Takes a fault of the thread itself out that is not blocked: it comes before every other signal, those of the
    /// process too. Linux's `dequeue_synchronous_signal`.
    package mutating func takeFault(except blocked: SignalSet) -> SignalInfo? {
        let candidates = set.intersection(.synchronous).subtracting(blocked)
        guard !candidates.isEmpty, !lines.isEmpty else { return nil }
        for number in 1...31 where candidates.rawValue & (1 << UInt64(number - 1)) != 0 {
            let line = lines[number]
            guard !line.isEmpty, line.entries[line.head].info.code > SignalInfo.user else { continue }
            return take(in: SignalSet(rawValue: 1 << UInt64(number - 1)))
        }
        return nil
    }

    /// Forgets every instance of the signals.
    package mutating func remove(_ signals: SignalSet) {
        let gone = set.intersection(signals)
        guard !gone.isEmpty else { return }
        set.subtract(gone)
        guard !lines.isEmpty else { return }
        for number in 1...64 where gone.rawValue & (1 << UInt64(number - 1)) != 0 { lines[number] = Line() }
    }

    /// Forgets what timers of `timer_create(2)` have sent: `execve(2)` deletes them. Linux's `flush_itimer_signals`.
    package mutating func removeExpirations() {
        guard !lines.isEmpty else { return }
        for number in 1...64 where set.rawValue & (1 << UInt64(number - 1)) != 0 && !lines[number].isEmpty {
            lines[number].removeTaken()
            lines[number].entries.removeAll { $0.info.code == SignalInfo.timer && $0.info.payload == nil }
            if lines[number].isEmpty { set.subtract(SignalSet(rawValue: 1 << UInt64(number - 1))) }
        }
    }

    /// True if the condition holds for a pending instance of the signal.
    package func contains(_ signal: SignalNumber, where condition: (SignalInfo) -> Bool) -> Bool {
        guard set.contains(SignalSet(signal)), !lines.isEmpty else { return false }
        let line = lines[Int(signal.rawValue)]
        return line.entries[line.head...].contains { condition($0.info) }
    }
}
