internal import CHost
internal import LinuxABI
internal import TraceModel

/// Keeps an eye on the clock: the run's time limit, tracees that stand still by the tracer's own fault, and such as can't
/// be killed.
struct Watch {
    /// Interrupts the tracer's wait again and again, until `end`.
    struct Ticks {
        private var timer: Int = 0

        /// - Throws: `TraceError` if the host has no timer left.
        init() throws {
            // The shim writes the timer's number.
            let error = unsafe apus_ptrace_ticks(100, &timer)
            guard error == 0 else {
                throw TraceError(
                    .cannotStart, "no timer for the tracer: \(Errno(rawValue: -error)); see RLIMIT_SIGPENDING")
            }
        }

        func end() { apus_ptrace_ticks_end(timer) }
    }

    /// CLOCK_MONOTONIC in nanoseconds, as everything here.
    private(set) var now = apus_ptrace_time()
    private let deadline: Int64?
    private let patience: Int64
    private var lastProgress: Int64
    private var killTime: Int64?
    /// When nothing had happened for long enough to look, the last time.
    private var suspicion: Int64?
    /// Nothing that was killed has ended for a long time.
    fileprivate(set) var isHopeless = false

    init(_ options: NativeTracer.Options) {
        let start = now
        deadline = options.timeout.map { start + Int64(clamping: $0) * 1_000_000 }
        patience = Int64(clamping: options.patience) * 1_000_000
        lastProgress = start
    }

    /// A stop or an end was reported.
    mutating func progressed() {
        lastProgress = now
        suspicion = nil
    }

    mutating func killed() { killTime = killTime ?? now }

    mutating func look() { now = apus_ptrace_time() }

    var isTimeOver: Bool { deadline.map { now >= $0 } ?? false }

    /// Whether killing everything has had no effect for long.
    var isKillingInVain: Bool { killTime.map { now - max($0, lastProgress) >= 2 * patience } ?? false }

    /// Whether nothing has been reported for long, so that it is worth a look whether anybody stands still. True for the
    /// second look, too, which decides: a tracee may have stopped just before the first, and be reported next.
    var isSilent: Bool { now - (suspicion ?? lastProgress) >= patience }

    /// Notes a first look that found somebody.
    /// - Returns: Whether there was one before.
    mutating func suspects() -> Bool {
        defer { suspicion = now }
        return suspicion != nil
    }

    mutating func acquits() { lastProgress = now }
}

extension TraceLoop {
    /// Ends the run if time is up or the tracer is stuck, and gives up what can't be killed.
    mutating func lookAtClock() {
        watch.look()
        if watch.isTimeOver, !timedOut, pendingError == nil {
            timedOut = true
            threads = states()
            killAll()
        }
        if isKilling {
            guard watch.isKillingInVain else { return }
            pendingError = pendingError ?? stalled("could not end the run", states())
            watch.isHopeless = true
        } else if watch.isSilent {
            let stuck = states { !$0.isListening }.filter { $0.state == "t" }
            if stuck.isEmpty {
                watch.acquits()
            } else if watch.suspects() {
                pendingError = stalled("lost sight of \(stuck.count) stopped threads", states())
            }
        }
    }

    /// What the threads are doing, those that nobody has announced included.
    private func states(where isWanted: (Tracee) -> Bool = { _ in true }) -> [ThreadState] {
        let known = tracees.values.filter(isWanted)
        let unknown = newcomers.filter { $0.value.end == nil }
            .map { Tracee(thread: $0.key, process: $0.value.process == 0 ? $0.key : $0.value.process) }
        return (known + unknown).sorted { ($0.process, $0.thread) < ($1.process, $1.thread) }.map { tracee in
            let name = tracee.call.map { table[$0.number]?.name ?? "call \($0.number)" }
            return ThreadState.of(thread: tracee.thread, process: tracee.process, call: name)
        }
    }

    private func stalled(_ what: String, _ states: [ThreadState]) -> TraceError {
        let lines = states.prefix(64).map { state in
            let place = state.waitingIn.isEmpty ? "" : " in the kernel's \(state.waitingIn)"
            let call = state.call.map { " in \($0)" } ?? ""
            return "\n  \(state.process)/\(state.thread) \(state.name): \(state.state)\(call)\(place)"
        }
        return TraceError(
            .stalled, "the native tracer \(what); this is a fault of its own, please report it:" + lines.joined())
    }
}
