internal import CHost
internal import LinuxABI
internal import TraceModel

/// Entering and leaving calls.
extension TraceLoop {
    mutating func call(_ tracee: Tracee, _ sink: (TraceEvent) throws -> Void) {
        defer { resume(tracee.thread) }
        var info = apus_ptrace_call()
        // The shim fills the structure.
        guard unsafe apus_ptrace_call_info(tracee.thread, &info) == 0 else { return }
        var tracee = tracee
        if tracee.hasExited, let caller = missedExec(by: tracee) {
            exec(tracee.thread, formerly: caller, sink)
            guard let replaced = tracees[tracee.thread] else { return }
            tracee = replaced
        }
        var memory = TraceeMemory(thread: tracee.thread)
        var number = Int(truncatingIfNeeded: Int64(bitPattern: info.number))
        // AUDIT_ARCH_I386: `int 0x80`, whose numbers are another table's.
        if info.architecture == 0x4000_0003 { number &+= TracedCall.foreignBase }
        if info.phase == 1 {
            let raw = info.arguments
            let arguments = CallArguments([raw.0, raw.1, raw.2, raw.3, raw.4, raw.5])
            let payloads =
                table[number].map { options.planner.entering($0, arguments, memory: &memory) } ?? []
            tracees[tracee.thread]?.call = TracedCall(number: number, arguments: arguments, payloads: payloads)
            let isMaking = makes(number)
            tracees[tracee.thread]?.isMaking = isMaking
        } else if info.phase == 2, var call = tracee.call {
            tracees[tracee.thread]?.call = nil
            tracees[tracee.thread]?.isMaking = false
            let result = CallResult(info.result)
            if let description = table[call.number] {
                call.payloads += options.planner.returning(
                    description, call.arguments, entered: call.payloads, result: result, memory: &memory)
            }
            emit(.call(call, result: result), tracee, sink)
            if tracee.isMaking { settleNewcomers(sink) }
        }
    }

    /// Whether a call may make a task. Any of another ABI may: no table names them.
    private func makes(_ number: Int) -> Bool {
        number >= TracedCall.foreignBase
            || table[number].map { ["clone", "clone3", "fork", "vfork"].contains($0.name) } ?? false
    }

    /// The thread that took a dead leader's number without our seeing it: its PTRACE_EVENT_EXEC was resumed together with
    /// the leader's own last stop, which had ended in between.
    private func missedExec(by leader: Tracee) -> Int32? {
        tracees.values.first { tracee in
            guard tracee.process == leader.process, tracee.thread != leader.thread, let call = tracee.call else {
                return false
            }
            return ["execve", "execveat"].contains(table[call.number]?.name)
        }?.thread
    }
}
