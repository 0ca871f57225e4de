internal import CHost
internal import LinuxABI
internal import TraceModel

/// From one task or program to the next: clone(2) and execve(2).
extension TraceLoop {
    /// CLONE_THREAD of clone(2).
    private static let cloneThread: UInt64 = 0x10000

    mutating func clone(_ parent: Tracee, _ sink: (TraceEvent) throws -> Void) {
        defer { resume(parent.thread) }
        var message: UInt = 0
        // The shim writes the child's number.
        guard unsafe apus_ptrace_message(parent.thread, &message) == 0 else { return }
        let child = Int32(truncatingIfNeeded: message)
        tracees[parent.thread]?.isMaking = false
        announce(child, process: nil, by: parent, sink)
        // Others may have waited to see whether they are this thread's.
        settleNewcomers(sink)
    }

    /// Emits the edge to a new task and takes that over. `process` is its thread group, if that is known otherwise than by
    /// the flags.
    mutating func announce(
        _ child: Int32, process: Int32?, by parent: Tracee, _ sink: (TraceEvent) throws -> Void
    ) {
        let flags = cloneFlags(parent) ?? 0
        let process = process ?? (flags & TraceLoop.cloneThread != 0 ? parent.process : child)
        if newcomers[child] != nil {
            newcomers[child]?.process = process
        } else if tracees[child]?.hasExited ?? true {
            tracees[child] = Tracee(thread: child, process: process)
        }
        if isKilling { _ = apus_ptrace_kill(process) }
        emit(.clone(CloneEdge(child: child, process: process, flags: flags)), parent, sink)
        settle(child, sink)
    }

    /// The flags of the call that a thread is in, in clone(2)'s terms; nil if that can't be told.
    private func cloneFlags(_ parent: Tracee) -> UInt64? {
        guard let call = parent.call, let name = table[call.number]?.name else { return nil }
        switch name {
        case "fork": return 17
        case "vfork": return 0x4111
        case "clone": return call.arguments[0]
        case "clone3":
            var memory = TraceeMemory(thread: parent.thread)
            var bytes: [UInt8] = []
            guard memory.read(40, at: call.arguments[0], into: &bytes) == 40 else { return nil }
            var reader = ByteReader(bytes)
            let flags: UInt64 = reader.take()
            reader.skip(24)
            return flags | reader.take(UInt64.self)
        default: return nil
        }
    }

    mutating func exec(_ leader: Int32, _ sink: (TraceEvent) throws -> Void) {
        defer { resume(leader) }
        var message: UInt = 0
        // The shim writes the number that the thread had before it took the leader's.
        guard unsafe apus_ptrace_message(leader, &message) == 0 else { return }
        exec(leader, formerly: Int32(truncatingIfNeeded: message), sink)
    }

    /// The thread `former` has replaced the program, and is its leader now. All others of its process are gone; the old
    /// leader is the only one whose end is not reported.
    mutating func exec(_ leader: Int32, formerly former: Int32, _ sink: (TraceEvent) throws -> Void) {
        guard var caller = tracees[former] else { return }
        forgetNewcomers(of: caller.process)
        if former != leader, let old = tracees[leader], !old.hasExited {
            finish(old, WaitStatus(exitCode: 0), sink)
        }
        tracees[former] = nil
        hasStarted = true
        var path: [UInt8] = []
        if let call = caller.call {
            path = call.payloads.first { $0.part == .string }?.bytes ?? []
            emit(.unfinished(call, .replaced), caller, sink)
        }
        caller.call = nil
        caller.thread = leader
        tracees[leader] = caller
        emit(.exec(path: path, formerThread: former), caller, sink)
    }
}
