internal import CHost
internal import LinuxABI
internal import TraceModel

/// The tracer's loop over the stops of all its tracees. It lives and dies on one thread.
///
/// It goes in rounds: every stop that is there is handled first, then all those threads are resumed. wait(2) looks at the
/// youngest tracee first, so a loop that resumed each at once would, when a few threads stop faster than it handles them,
/// never come to the others (docs/decisions/0009).
struct TraceLoop {
    let table: SyscallTable
    let options: NativeTracer.Options
    let root: Int32
    var tracees: [Int32: Tracee] = [:]
    var newcomers: [Int32: Newcomer] = [:]
    /// False until the program has replaced the forked child.
    var hasStarted = false
    var outcome: NativeRun?
    var pendingError: (any Error)?
    var timedOut = false
    /// What is born while everything is being killed must die as well.
    var isKilling = false
    /// What the threads were doing when time ran out.
    var threads: [ThreadState] = []
    var watch: Watch

    private let command: String
    private let failure: Int32
    private var sequence: UInt64 = 0
    /// Whom this round's end resumes, in order, and with which signal. A thread that has left its stop since stands here
    /// once only: resumed twice, it would lose the stop in between.
    private var standing: [Int32] = []
    private var signals: [Int32: Int32] = [:]

    /// Starts the command, stopped just before its execve, and seizes it.
    init(
        _ command: NativeTracer.Command, path: String, table: SyscallTable, options: NativeTracer.Options
    ) throws {
        self.table = table
        self.options = options
        self.command = path
        var release: Int32 = -1
        var failure: Int32 = -1
        root = try TraceLoop.spawn(command, path: path, release: &release, failure: &failure)
        self.failure = failure
        let seized = apus_ptrace_seize(root)
        guard seized == 0 else {
            _ = apus_ptrace_kill(root)
            var status: Int32 = 0
            // The shim writes the status.
            unsafe _ = apus_ptrace_wait_for(root, &status)
            apus_ptrace_close(release)
            apus_ptrace_close(failure)
            throw TraceError(
                .cannotTrace,
                "cannot trace a child: \(Errno(rawValue: -seized)); see kernel.yama.ptrace_scope and the seccomp profile"
            )
        }
        tracees[root] = Tracee(thread: root, process: root)
        // A seized task runs on untraced until it is resumed from a stop: without this one its execve would go unseen.
        if apus_ptrace_interrupt(root) == 0 {
            var status: Int32 = 0
            // The shim writes the status.
            if unsafe apus_ptrace_wait_for(root, &status) == root { _ = apus_ptrace_resume(root, 0) }
        }
        watch = Watch(options)
        apus_ptrace_release(release)
    }

    /// Handles stops until no tracee is left.
    /// - Throws: `TraceError` if the command could not be run, or tracees stand still and the tracer can't tell why; what
    ///   `sink` throws.
    mutating func run(sink: (TraceEvent) throws -> Void) throws -> NativeRun {
        let ticks = try Watch.Ticks()
        defer { ticks.end() }
        while !tracees.isEmpty || !newcomers.isEmpty {
            var status: Int32 = 0
            // The shim writes the status.
            let thread = unsafe apus_ptrace_wait(&status, standing.isEmpty ? 1 : 0)
            if thread > 0 {
                watch.progressed()
                handle(thread, Stop(status: status), sink)
                // Nobody waits for a turn behind a thread that is alone.
                if tracees.count == 1, newcomers.isEmpty { resumeAll() }
            } else if thread == 0 {
                resumeAll()
            } else if thread != -Errno.EINTR.rawValue {
                break
            }
            lookAtClock()
            if pendingError != nil, !isKilling { killAll() }
            if watch.isHopeless { break }
        }
        if let pendingError {
            apus_ptrace_close(failure)
            throw pendingError
        }
        let failed = apus_ptrace_failure(failure)
        guard failed == 0 else {
            throw TraceError(.cannotStart, "cannot run '\(command)': \(Errno(rawValue: failed))")
        }
        guard var outcome else { throw TraceError(.cannotTrace, "'\(command)' disappeared from its tracer") }
        outcome.timedOut = timedOut
        outcome.threads = threads
        outcome.events = sequence
        return outcome
    }

    /// Handles one stop or end of one thread.
    mutating func handle(_ thread: Int32, _ stop: Stop, _ sink: (TraceEvent) throws -> Void) {
        guard let tracee = tracees[thread] else {
            arrive(thread, stop, sink)
            return
        }
        tracees[thread]?.isListening = false
        switch stop {
        case .ended(let status): end(tracee, status, sink)
        case .call: call(tracee, sink)
        case .clone: clone(tracee, sink)
        case .exec: exec(thread, sink)
        case .exiting: exiting(tracee, sink)
        case .group(let signal):
            emit(.stopped(signal: signal), tracee, sink)
            tracees[thread]?.isListening = true
            _ = apus_ptrace_listen(thread)
        case .resumed: resume(thread)
        case .signal(let number):
            var info = apus_ptrace_signal()
            // The shim fills the structure.
            if unsafe apus_ptrace_signal_info(thread, &info) == 0 {
                let signal = TracedSignal(
                    number: number, code: info.code, sender: info.sender, value: info.value, address: info.address)
                emit(.signal(signal), tracee, sink)
            }
            resume(thread, number)
        }
    }

    /// Hands an event out, unless the program has not begun or the sink has failed.
    mutating func emit(_ kind: TraceEvent.Kind, _ tracee: Tracee, _ sink: (TraceEvent) throws -> Void) {
        guard hasStarted, pendingError == nil else { return }
        let event = TraceEvent(
            sequence: sequence, time: options.times ? apus_ptrace_time() : nil, process: tracee.process,
            thread: tracee.thread, kind: kind)
        sequence += 1
        do { try sink(event) } catch { pendingError = error }
    }

    /// Lets a thread go on when the round ends, with a signal or 0.
    mutating func resume(_ thread: Int32, _ signal: Int32 = 0) {
        if signals.updateValue(signal, forKey: thread) == nil { standing.append(thread) }
    }

    /// A thread that is gone or not in a stop of ours needs no resumption.
    mutating func forgetResumption(_ thread: Int32) { signals[thread] = nil }

    /// Ends a round. A tracee that is gone or killed can't be resumed: its end is reported next.
    private mutating func resumeAll() {
        for thread in standing {
            if let signal = signals.removeValue(forKey: thread) { _ = apus_ptrace_resume(thread, signal) }
        }
        standing.removeAll(keepingCapacity: true)
    }
}
