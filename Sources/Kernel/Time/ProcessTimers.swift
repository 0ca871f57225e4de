package import LinuxABI

/// The timers of a process: the three of `setitimer(2)` and those of `timer_create(2)`.
package final class ProcessTimers {
    /// `ITIMER_REAL`, `ITIMER_VIRTUAL`, `ITIMER_PROF`, made when first set.
    private var intervals: [IntervalTimer?] = [nil, nil, nil]
    package private(set) var created: [Int32: CreatedTimer] = [:]
    private var nextID: Int32 = 0

    package init() {}

    /// One of `setitimer(2)`'s, by its number 0..<3.
    package func interval(_ which: Int, of process: Process) -> IntervalTimer {
        if let timer = intervals[which] { return timer }
        let clocks: [TimerClock] = [.monotonic, .processUser, .process]
        let signals: [SignalNumber] = [.alarm, .virtualAlarm, .profiling]
        let timer = IntervalTimer(clocks[which], of: process) { [weak process] timer in
            guard let process else { return }
            process.kernel.send(SignalInfo(kernel: signals[which]), to: process)
            // The CPU timers go on by themselves, at the kernel's own tick.
            if which != 0 { timer.armNext() }
        }
        intervals[which] = timer
        return timer
    }

    /// Adds a timer of `timer_create(2)`. Throws EAGAIN beyond the number of timers.
    package func create(
        _ clock: TimerClock, clockNumber: Int32, event: TimerEvent, of process: Process
    ) throws(Errno) -> CreatedTimer {
        // Linux charges each to RLIMIT_SIGPENDING.
        guard UInt64(created.count) < process.limits.values[11].soft, created.count < ProcessTimers.most else {
            throw .EAGAIN
        }
        while created[nextID] != nil { nextID = nextID == .max ? 0 : nextID + 1 }
        let timer = CreatedTimer(nextID, clock, clockNumber: clockNumber, event: event, of: process)
        created[nextID] = timer
        nextID = nextID == .max ? 0 : nextID + 1
        return timer
    }

    private static let most = 65536

    package func delete(_ id: Int32) throws(Errno) {
        guard let timer = created.removeValue(forKey: id) else { throw .EINVAL }
        timer.timer.cancel()
    }

    /// What `execve(2)` does: those of `setitimer(2)` stay.
    package func deleteCreated() {
        for timer in created.values { timer.timer.cancel() }
        created = [:]
    }

    package func cancelAll() {
        deleteCreated()
        for timer in intervals { timer?.cancel() }
        intervals = [nil, nil, nil]
    }

    /// A timer's signal has been taken: it counts what it missed, and goes on.
    /// - Returns: false if the timer does not wait for it any more.
    func signalTaken(_ info: inout SignalInfo) -> Bool {
        guard let timer = created[info.timerID], timer.isQueued else { return false }
        info.overrun = timer.signalTaken()
        return true
    }

    /// `SIGALRM` was taken from the process's signals.
    func alarmTaken() { intervals[0]?.armNext() }
}

/// What happens at the expiry of a timer of `timer_create(2)`.
package struct TimerEvent: Sendable {
    /// None for `SIGEV_NONE`.
    package var signal: SignalNumber?
    /// `SIGEV_THREAD_ID`: the thread that gets the signal.
    package var thread: ProcessID?
    package var value: UInt64

    package init(signal: SignalNumber?, thread: ProcessID? = nil, value: UInt64) {
        self.signal = signal
        self.thread = thread
        self.value = value
    }
}

/// One timer of `timer_create(2)`.
package final class CreatedTimer {
    package let id: Int32
    /// The clock as the guest named it.
    package let clockNumber: Int32
    package var event: TimerEvent
    private unowned let process: Process
    /// Its signal is pending.
    package private(set) var isQueued = false
    /// Of the last signal taken.
    package private(set) var overrun: Int32 = 0
    package private(set) lazy var timer = IntervalTimer(clock, of: process) { [weak self] _ in self?.expire() }
    private let clock: TimerClock

    init(_ id: Int32, _ clock: TimerClock, clockNumber: Int32, event: TimerEvent, of process: Process) {
        self.id = id
        self.clock = clock
        self.clockNumber = clockNumber
        self.event = event
        self.process = process
    }

    /// The timer is set anew: a signal that is still pending counts for nothing.
    package func forgetQueued() {
        isQueued = false
        overrun = 0
    }

    private func expire() {
        guard let signal = event.signal else { return }
        var info = SignalInfo(signal, code: SignalInfo.timer)
        info.timerID = id
        info.value = event.value
        isQueued = true
        if let number = event.thread {
            guard let thread = process.kernel.threads[number], thread.process === process else { return }
            process.kernel.send(info, to: thread)
            isQueued = thread.signals.pending.contains(signal) { [id] in $0.timerID == id && $0.code == SignalInfo.timer
            }
        } else {
            process.kernel.send(info, to: process)
            isQueued = process.pendingSignals.contains(signal) { [id] in $0.timerID == id && $0.code == SignalInfo.timer
            }
        }
        // Ignored: nobody will take it. The next look is not before a tick, so that a short interval costs nothing.
        if !isQueued, timer.interval > 0 {
            _ = process.kernel.timers.schedule(at: process.kernel.clock.now.advanced(byNanoseconds: 4_000_000)) {
                [weak self] in self?.timer.armNext()
            }
        }
    }

    /// - Returns: how often the timer went off since its signal was queued.
    func signalTaken() -> Int32 {
        isQueued = false
        overrun = Int32(clamping: timer.armNext())
        return overrun
    }
}

extension Process {
    /// What the end of a process does to its timers.
    package func releaseTimers() {
        timers.cancelAll()
        cpuLimitTimer?.cancel()
        cpuLimitTimer = nil
    }
}
