internal import CHost
internal import LinuxABI
internal import TraceModel

/// How threads and processes end, by themselves or by our hand.
extension TraceLoop {
    mutating func exiting(_ tracee: Tracee, _ sink: (TraceEvent) throws -> Void) {
        defer { resume(tracee.thread) }
        guard let status = TraceLoop.exitStatus(of: tracee.thread) else { return }
        finish(tracee, status, sink)
        if tracee.isMaking { settleNewcomers(sink) }
    }

    /// How a thread that stands in PTRACE_EVENT_EXIT ends; nil if it has been killed out of it.
    static func exitStatus(of thread: Int32) -> WaitStatus? {
        var message: UInt = 0
        // The shim writes the wait status.
        guard unsafe apus_ptrace_message(thread, &message) == 0 else { return nil }
        return WaitStatus(rawValue: Int32(truncatingIfNeeded: message))
    }

    /// Emits a thread's last events, once.
    mutating func finish(_ tracee: Tracee, _ status: WaitStatus, _ sink: (TraceEvent) throws -> Void) {
        guard !tracee.hasExited else { return }
        announceLost(by: tracee, sink)
        tracees[tracee.thread]?.hasExited = true
        tracees[tracee.thread]?.call = nil
        tracees[tracee.thread]?.isMaking = false
        if let call = tracee.call {
            let name = table[call.number]?.name
            emit(.unfinished(call, name == "exit" || name == "exit_group" ? .ended : .killed), tracee, sink)
        }
        emit(.exit(status), tracee, sink)
    }

    /// A thread has been reaped. A leader is reaped last: with it, whoever is left of its process is gone.
    mutating func end(_ tracee: Tracee, _ status: WaitStatus, _ sink: (TraceEvent) throws -> Void) {
        forgetResumption(tracee.thread)
        let isProcess = tracee.thread == tracee.process
        announceLost(by: tracee, sink)
        if isProcess { bury(tracee.process, status, sink) }
        finish(tracee, status, sink)
        tracees[tracee.thread] = nil
        if isProcess {
            emit(.processExit(status), tracee, sink)
            if tracee.process == root {
                outcome = NativeRun(status: status)
                if options.killsSurvivors { killAll() }
            }
        }
        settleNewcomers(sink)
    }

    /// The threads of a process whose own end nobody reported: one that called execve and was killed after it had taken
    /// the leader's number.
    private mutating func bury(_ process: Int32, _ status: WaitStatus, _ sink: (TraceEvent) throws -> Void) {
        forgetNewcomers(of: process)
        for other in tracees.values where other.process == process && other.thread != process {
            finish(other, status, sink)
            forgetResumption(other.thread)
            tracees[other.thread] = nil
        }
    }

    /// The threads of a process that nobody has announced: with its leader, or but for one that has called execve, all of
    /// them are gone.
    mutating func forgetNewcomers(of process: Int32) {
        for (thread, newcomer) in newcomers where newcomer.process == process && newcomer.isThread(thread) {
            newcomers[thread] = nil
        }
    }

    /// No number can have been reused: only this thread reaps its tracees.
    mutating func killAll() {
        isKilling = true
        watch.killed()
        for process in Set(tracees.values.map(\.process)).union(newcomers.keys) { _ = apus_ptrace_kill(process) }
    }
}
