package import LinuxABI

/// What a timer's time is measured by.
package enum TimerClock {
    case monotonic
    case realTime
    /// CPU time of the process's threads.
    case process
    /// The same without the time in the kernel.
    case processUser
    case thread(ProcessID)
}

/// One timer of a process: goes off at a time of its clock, and then may go on every interval.
///
/// It does not arm itself again: whoever hears of the expiry does, once the guest has taken notice. However short the
/// interval, the kernel is then kept no busier than the guest.
package final class IntervalTimer {
    package let clock: TimerClock
    private unowned let process: Process
    /// When it goes off, in nanoseconds of its clock; nil while it is not set.
    package private(set) var expiry: Int64?
    /// In nanoseconds; 0 for once.
    package private(set) var interval: Int64 = 0
    /// Gone off and not armed again.
    package private(set) var hasFired = false
    private var deadline: Deadline?
    private let action: (IntervalTimer) -> Void

    package init(_ clock: TimerClock, of process: Process, action: @escaping (IntervalTimer) -> Void) {
        self.clock = clock
        self.process = process
        self.action = action
    }

    /// The clock's own time in nanoseconds.
    package var now: Int64 {
        let kernel = process.kernel
        switch clock {
        case .monotonic: return kernel.clock.now.nanoseconds
        case .realTime: return kernel.clock.realTime.saturatingNanoseconds
        case .process: return process.cpuTime.total
        case .processUser: return process.cpuTime.user
        case .thread(let id): return kernel.threads[id]?.cpuTime.total ?? 0
        }
    }

    /// Sets the timer, or stops it.
    package func set(expiry: Int64?, interval: Int64) {
        cancel()
        self.interval = interval
        self.expiry = expiry
        hasFired = false
        arm()
    }

    package func cancel() {
        if let deadline { process.kernel.timers.cancel(deadline) }
        deadline = nil
        expiry = nil
    }

    /// How long until it goes off, in nanoseconds; 0 when it is not set or went off for good. At least 1 otherwise.
    package var remaining: Int64 {
        guard let expiry else { return 0 }
        let now = now
        if hasFired {
            guard interval > 0 else { return 0 }
            return interval - max(0, now.subtractingReportingOverflow(expiry).partialValue) % interval
        }
        return max(1, expiry.subtractingReportingOverflow(now).partialValue)
    }

    /// Arms a timer that went off for its next interval.
    /// - Returns: how many further expiries have passed meanwhile.
    @discardableResult
    package func armNext() -> Int64 {
        guard hasFired, interval > 0, let last = expiry else { return 0 }
        let late = max(0, now.subtractingReportingOverflow(last).partialValue)
        let missed = late / interval
        let (step, tooFar) = interval.multipliedReportingOverflow(by: missed + 1)
        let (next, overflow) = last.addingReportingOverflow(step)
        expiry = tooFar || overflow ? Int64.max : next
        hasFired = false
        arm()
        return missed
    }

    private func arm() {
        guard let expiry, expiry != .max else { return }
        let kernel = process.kernel
        let time: MonotonicTime
        switch clock {
        case .monotonic: time = MonotonicTime(nanoseconds: expiry)
        case .realTime:
            let (wait, overflow) = expiry.subtractingReportingOverflow(now)
            time = kernel.clock.now.advanced(byNanoseconds: overflow ? (expiry < 0 ? 0 : .max) : max(0, wait))
        case .process, .processUser, .thread:
            // CPU time passes no faster than that of all threads at once: look again then.
            let wait = max(0, expiry.subtractingReportingOverflow(now).partialValue)
            let threads = Int64(max(1, process.threads.count))
            time = kernel.clock.now.advanced(byNanoseconds: max(IntervalTimer.shortestLook, wait / threads))
        }
        deadline = kernel.timers.schedule(at: time) { [weak self] in self?.isDue() }
    }

    private func isDue() {
        deadline = nil
        guard let expiry else { return }
        guard now >= expiry else { return arm() }
        hasFired = true
        action(self)
    }

    /// How often CPU time is looked at, at most, in nanoseconds: a tick of Linux.
    private static let shortestLook: Int64 = 4_000_000
}

extension Timestamp {
    /// All in nanoseconds, as far as 64 bits go.
    package var saturatingNanoseconds: Int64 {
        let (scaled, tooMany) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflow) = scaled.addingReportingOverflow(nanoseconds)
        return tooMany || overflow ? (seconds < 0 ? .min : .max) : sum
    }

    package init(totalNanoseconds: Int64) {
        let (quotient, remainder) = totalNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        self.init(
            seconds: remainder < 0 ? quotient - 1 : quotient,
            nanoseconds: remainder < 0 ? remainder + 1_000_000_000 : remainder)
    }
}

extension MonotonicTime {
    package func advanced(byNanoseconds count: Int64) -> MonotonicTime {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(count)
        return overflow ? .never : MonotonicTime(nanoseconds: sum)
    }
}
