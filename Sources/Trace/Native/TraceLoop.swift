internal import CHost
internal import Foundation
internal import LinuxABI
internal import TraceModel

/// The tracer's loop over the stops of all its tracees. It lives and dies on one thread.
struct TraceLoop {
    private let table: SyscallTable
    private let options: NativeTracer.Options
    private let command: String
    private let root: Int32
    private let failure: Int32
    private let timer: Int32?
    private var tracees: [Int32: Tracee] = [:]
    /// New tasks that stopped before the event that says whose they are.
    private var early: [Int32: [Int32]] = [:]
    /// Tasks that were taken over before anybody announced them: an announcement that comes late finds them here.
    private var orphans: Set<Int32> = []
    /// False until the program has replaced the forked child.
    private var hasStarted = false
    private var outcome: NativeRun?
    private var sequence: UInt64 = 0
    private var pendingError: (any Error)?
    private var timedOut = false
    /// What is born while everything is being killed must die as well.
    private var isKilling = false
    private var threads: [ThreadState] = []

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
        // The timer is made last: it must not keep the pipes above open.
        timer = options.timeout.map { apus_ptrace_timer($0) }.flatMap { $0 > 0 ? $0 : nil }
        apus_ptrace_release(release)
    }

    /// Handles stops until no tracee is left.
    mutating func run(sink: (TraceEvent) throws -> Void) throws -> NativeRun {
        while !tracees.isEmpty || !early.isEmpty {
            var status: Int32 = 0
            // The shim writes the status.
            let thread = unsafe apus_ptrace_wait(&status, 1)
            guard thread > 0 else { break }
            if thread == timer {
                timeOut()
            } else {
                handle(thread, status, sink)
            }
            if pendingError != nil { killAll() }
        }
        if let timer, !timedOut {
            _ = apus_ptrace_kill(timer)
            var status: Int32 = 0
            // The shim writes the status.
            unsafe _ = apus_ptrace_wait_for(timer, &status)
        }
        let failed = apus_ptrace_failure(failure)
        if let pendingError { throw pendingError }
        guard failed == 0 else {
            throw TraceError(.cannotStart, "cannot run '\(command)': \(Errno(rawValue: failed))")
        }
        guard var outcome else { throw TraceError(.cannotTrace, "'\(command)' disappeared from its tracer") }
        outcome.timedOut = timedOut
        outcome.threads = threads
        outcome.events = sequence
        return outcome
    }

    private mutating func handle(_ thread: Int32, _ status: Int32, _ sink: (TraceEvent) throws -> Void) {
        let stop = Stop(status: status)
        guard let tracee = tracees[thread] ?? adopted(thread, stop) else {
            early[thread, default: []].append(status)
            return
        }
        switch stop {
        case .ended(let status): end(tracee, status, sink)
        case .call: call(tracee, sink)
        case .clone: clone(tracee, sink)
        case .exec: exec(thread, sink)
        case .exiting: exiting(tracee, sink)
        case .group(let signal):
            emit(.stopped(signal: signal), tracee, sink)
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

    // MARK: Calls

    private mutating func call(_ tracee: Tracee, _ sink: (TraceEvent) throws -> Void) {
        defer { resume(tracee.thread) }
        var info = apus_ptrace_call()
        // The shim fills the structure.
        guard unsafe apus_ptrace_call_info(tracee.thread, &info) == 0 else { return }
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
        } else if info.phase == 2, var call = tracee.call {
            tracees[tracee.thread]?.call = nil
            let result = CallResult(info.result)
            if let description = table[call.number] {
                call.payloads += options.planner.returning(
                    description, call.arguments, entered: call.payloads, result: result, memory: &memory)
            }
            emit(.call(call, result: result), tracee, sink)
            adoptOrphans(sink)
        }
    }

    // MARK: Edges

    private mutating func clone(_ parent: Tracee, _ sink: (TraceEvent) throws -> Void) {
        defer { resume(parent.thread) }
        var message: UInt = 0
        // The shim writes the child's number.
        guard unsafe apus_ptrace_message(parent.thread, &message) == 0 else { return }
        let child = Int32(truncatingIfNeeded: message)
        let flags = cloneFlags(parent)
        // CLONE_THREAD
        let process = flags & 0x10000 != 0 ? parent.process : child
        if orphans.remove(child) == nil { tracees[child] = Tracee(thread: child, process: process) }
        if isKilling { _ = apus_ptrace_kill(process) }
        emit(.clone(CloneEdge(child: child, process: process, flags: flags)), parent, sink)
        for status in early.removeValue(forKey: child) ?? [] { handle(child, status, sink) }
    }

    /// The flags of the call that a thread is in, in clone(2)'s terms.
    private func cloneFlags(_ parent: Tracee) -> UInt64 {
        guard let call = parent.call, let name = table[call.number]?.name else { return 0 }
        switch name {
        case "fork": return 17
        case "vfork": return 0x4111
        case "clone": return call.arguments[0]
        case "clone3":
            var memory = TraceeMemory(thread: parent.thread)
            var bytes: [UInt8] = []
            guard memory.read(40, at: call.arguments[0], into: &bytes) == 40 else { return 0 }
            var reader = ByteReader(bytes)
            let flags: UInt64 = reader.take()
            reader.skip(24)
            return flags | reader.take(UInt64.self)
        default: return 0
        }
    }

    private mutating func exec(_ leader: Int32, _ sink: (TraceEvent) throws -> Void) {
        defer { resume(leader) }
        var message: UInt = 0
        // The shim writes the number that the thread had before it took the leader's.
        guard unsafe apus_ptrace_message(leader, &message) == 0 else { return }
        let former = Int32(truncatingIfNeeded: message)
        guard var caller = tracees.removeValue(forKey: former) else { return }
        if former != leader, let old = tracees[leader], !old.hasExited {
            finish(old, WaitStatus(exitCode: 0), sink)
        }
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

    // MARK: Ends

    private mutating func exiting(_ tracee: Tracee, _ sink: (TraceEvent) throws -> Void) {
        defer { resume(tracee.thread) }
        var message: UInt = 0
        // The shim writes the wait status.
        guard unsafe apus_ptrace_message(tracee.thread, &message) == 0 else { return }
        finish(tracee, WaitStatus(rawValue: Int32(truncatingIfNeeded: message)), sink)
    }

    /// Emits a thread's last events, once.
    private mutating func finish(_ tracee: Tracee, _ status: WaitStatus, _ sink: (TraceEvent) throws -> Void) {
        guard !tracee.hasExited else { return }
        tracees[tracee.thread]?.hasExited = true
        tracees[tracee.thread]?.call = nil
        if let call = tracee.call {
            let name = table[call.number]?.name
            emit(.unfinished(call, name == "exit" || name == "exit_group" ? .ended : .killed), tracee, sink)
        }
        emit(.exit(status), tracee, sink)
    }

    private mutating func end(_ tracee: Tracee, _ status: WaitStatus, _ sink: (TraceEvent) throws -> Void) {
        finish(tracee, status, sink)
        tracees[tracee.thread] = nil
        if tracee.thread == tracee.process {
            emit(.processExit(status), tracee, sink)
            if tracee.process == root {
                outcome = NativeRun(status: status)
                if options.killsSurvivors { killAll() }
            }
        }
        adoptOrphans(sink)
    }

    // MARK: Tasks whose parent never said so

    /// A task that nothing will announce: its parent was killed between making it and saying so.
    private mutating func adopted(_ thread: Int32, _ stop: Stop) -> Tracee? {
        let makers: Set = ["clone", "clone3", "fork", "vfork"]
        let isAwaited = tracees.values.contains { tracee in
            tracee.call.map { makers.contains(table[$0.number]?.name ?? "") } ?? false
        }
        // What leaves before it was let go was killed: its maker may be dead too, and wait for it to be reaped.
        let isLeaving =
            switch stop {
            case .exiting, .ended: true
            default: false
            }
        guard !isAwaited || isLeaving else { return nil }
        orphans.insert(thread)
        let status = FileManager.default.contents(atPath: "/proc/\(thread)/status") ?? Data()
        let line = String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("Tgid:") }
        let process = line.flatMap { Int32($0.dropFirst(5).trimmingCharacters(in: .whitespaces)) } ?? thread
        let tracee = Tracee(thread: thread, process: process)
        tracees[thread] = tracee
        if isKilling { _ = apus_ptrace_kill(process) }
        return tracee
    }

    private mutating func adoptOrphans(_ sink: (TraceEvent) throws -> Void) {
        guard !early.isEmpty else { return }
        for (thread, statuses) in early {
            guard let status = statuses.first, adopted(thread, Stop(status: status)) != nil else { continue }
            early[thread] = nil
            for status in statuses { handle(thread, status, sink) }
        }
    }

    // MARK: The rest

    private mutating func emit(_ kind: TraceEvent.Kind, _ tracee: Tracee, _ sink: (TraceEvent) throws -> Void) {
        guard hasStarted, pendingError == nil else { return }
        let event = TraceEvent(
            sequence: sequence, time: options.times ? apus_ptrace_time() : nil, process: tracee.process,
            thread: tracee.thread, kind: kind)
        sequence += 1
        do { try sink(event) } catch { pendingError = error }
    }

    /// A tracee that is gone or killed can't be resumed: its end is reported next.
    private func resume(_ thread: Int32, _ signal: Int32 = 0) { _ = apus_ptrace_resume(thread, signal) }

    private mutating func timeOut() {
        timedOut = true
        threads = tracees.values.sorted { ($0.process, $0.thread) < ($1.process, $1.thread) }.map { tracee in
            let name = tracee.call.map { table[$0.number]?.name ?? "call \($0.number)" }
            return ThreadState.of(thread: tracee.thread, process: tracee.process, call: name)
        }
        killAll()
    }

    /// No number can have been reused: only this thread reaps its tracees.
    private mutating func killAll() {
        isKilling = true
        for process in Set(tracees.values.map(\.process)).union(early.keys) { _ = apus_ptrace_kill(process) }
    }

    private static func spawn(
        _ command: NativeTracer.Command, path: String, release: inout Int32, failure: inout Int32
    ) throws -> Int32 {
        // Copies that outlive the call that reads them, and are freed below.
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe ([command.program] + command.arguments).map {
            unsafe strdup($0)
        }
        var environment: [UnsafeMutablePointer<CChar>?] = unsafe command.environment.map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        unsafe environment.append(nil)
        // The copies are NUL-terminated vectors of strings that live until the child has been forked with its own.
        defer { unsafe (arguments + environment).forEach { unsafe free($0) } }
        let standard = [command.standardInput, command.standardOutput, command.standardError]
        // The shim reads the vectors and three descriptors, and writes two.
        let child = unsafe apus_ptrace_spawn(
            path, arguments, environment, command.workingDirectory, standard, command.startsSession ? 1 : 0, &release,
            &failure)
        guard child > 0 else {
            throw TraceError(.cannotStart, "cannot fork for '\(path)': \(Errno(rawValue: -child))")
        }
        return child
    }
}
