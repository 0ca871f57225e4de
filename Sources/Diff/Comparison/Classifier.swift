internal import LinuxABI

/// Says of a finding which class it is, why it may be, and in one sentence what it means.
struct Classifier {
    let interner: Interner
    /// Whether the native run has several threads or processes: only then can they race.
    let isConcurrent: Bool
    /// Whether the process at hand has several threads: only then do they meet in its allocator.
    let isThreaded: Bool
    /// Fields that differ between the native runs, in some event.
    let unstable: Set<Envelope.Place>
    let ending: RunEnding
    /// The signals that the thread at hand gets on both sides.
    var commonSignals: Set<UInt32> = []
    /// What the sandboxed thread is told by signals more often than the native one, and more than once.
    var repeatedSignals: Set<UInt32> = []
    /// Whether others have ended the thread at hand on one side.
    var isEndedByOthers = false
    /// Whether it is the last that a thread does which does not end by itself.
    var isKilled = false

    struct Class {
        var kind: DivergenceClass
        var cause: DivergenceCause
        var field: String?
        var native: String?
        var sandbox: String?
        var explanation: String
    }

    // MARK: Changed

    /// The class of an event that both sides have, by the most telling of the fields that differ.
    func changed(_ native: CanonicalShape, _ sandbox: CanonicalShape, _ differences: [FieldDifference]) -> Class? {
        let name = interner.text(native.name)
        let isPlaced = MemoryCalls.names.contains(name) && native.errno == sandbox.errno
        // Another input explains another result, unless one is an error.
        let follows = isPlaced || (native.errno == sandbox.errno && differences.contains { $0.side == .input })
        guard let first = differences.min(by: { rank($0, follows) < rank($1, follows) }) else { return nil }
        let left = first.left.map { interner.text($0.value) }
        let right = first.right.map { interner.text($0.value) }
        var path = interner.text(first.path)
        var found = Class(kind: .value, cause: .bug, field: path, native: left, sandbox: right, explanation: "")
        switch native.kind {
        case .signal, .stopped:
            found.kind = .signal
            found.explanation = "the signal arrives differently"
            return found
        case .exit:
            let isKilled = right?.contains("killed") == true && left?.contains("killed") == false
            found.kind = isKilled ? .crash : .exitStatus
            found.explanation = isKilled ? "the thread dies in the sandbox only" : "the thread ends with another status"
            let ends = [left, right].compactMap(\.self)
            // SIGPIPE tells a writer, when it writes the next time, that its reader has gone.
            let isPipe = ends.contains { $0.contains("killed by signal 13 ") }
            if isConcurrent, isEndedByOthers || isPipe, ends.contains(where: { $0.contains("killed") }),
                ends.contains(where: { $0.contains("exited with 0 ") })
            {
                found.cause = .amplifiedRace
                found.explanation += ": whether it gets to its own end before others end it is a matter of timing"
            }
            return found
        default: break
        }
        if native.kind == .interrupted, sandbox.kind == .interrupted, native.errno != sandbox.errno {
            found.kind = .errno
            found.explanation = "\(name) is interrupted on both sides, but is to be restarted in another way"
            return found
        }
        if native.kind == .interrupted || sandbox.kind == .interrupted {
            found.cause = isConcurrent || native.kind == sandbox.kind ? .amplifiedRace : .bug
            found.explanation =
                "\(name) is interrupted by a signal on one side: when a signal arrives is a matter of timing"
            return found
        }
        if native.kind != sandbox.kind, isConcurrent, !Environment.deadly.contains(name),
            has("end", "killed", native) || has("end", "killed", sandbox)
        {
            found.cause = .amplifiedRace
            found.explanation = "\(name) is left on one side because its thread is killed: when is a matter of timing"
            return found
        }
        if native.kind != sandbox.kind {
            found.explanation = "\(name) returns on one side only"
            return found
        }
        if name == "rt_sigreturn", isConcurrent, native.errno == 0 || sandbox.errno == 0 {
            found.cause = .amplifiedRace
            found.explanation =
                "rt_sigreturn gives what the interrupted call gave, on one side only: where a signal falls is a matter of timing"
            return found
        }
        if first.side == .result, native.errno != sandbox.errno {
            let isMissing = sandbox.errno == Errno.ENOSYS.rawValue
            found.kind = isMissing ? .unimplemented : .errno
            found.cause = isMissing ? .missingFeature : cause(name, path, native, left, right)
            found.explanation =
                isMissing
                ? "the sandbox does not implement \(name) (or this use of it)"
                : "\(name) gives \(left ?? "nothing") natively and \(right ?? "nothing") in the sandbox"
            return found
        }
        if first.side == .output, isReordered(differences) || (name.hasPrefix("getdents") && isCut(native, sandbox)) {
            path = "order"
            found.kind = .order
            found.cause = name.hasPrefix("getdents") ? .environment : .bug
            found.field = path
            found.explanation =
                name.hasPrefix("getdents")
                ? "the directory's entries come in another order; Linux promises none"
                : "\(name) gives the same values in another order"
            return found
        }
        found.kind = first.side == .output && first.isBytes ? .payload : .value
        if MemoryCalls.names.contains(name),
            unstable.contains(Envelope.Place(call: native.name, path: first.path))
        {
            found.cause = .amplifiedRace
            found.explanation =
                "\(name) differs in \(path) between the native runs, too, elsewhere: it depends on where memory happens to lie"
            return found
        }
        found.cause = cause(name, path, native, left, right)
        found.explanation = sentence(name, path, first.side, found.cause)
        return found
    }

    /// Results tell more than what came out, and that more than what the program passed; but a result that follows from
    /// what was asked for tells nothing.
    private func rank(_ difference: FieldDifference, _ follows: Bool) -> Int {
        switch difference.side {
        case .result: follows ? 4 : 0
        case .output: follows ? 3 : 1
        case .input: 2
        }
    }

    private func sentence(_ name: String, _ path: String, _ side: CanonicalField.Side, _ cause: DivergenceCause)
        -> String
    {
        switch (side, cause) {
        case (_, .environment): "\(name) tells of another environment in \(path)"
        case (_, .amplifiedRace): "\(name) depends on timing in \(path)"
        case (_, .timePrecision): "\(name) reads a clock in \(path)"
        case (.input, _): "the program passes another \(path) to \(name): something before has led it elsewhere"
        case (.output, _): "\(name) gives another \(path)"
        case (.result, _): "\(name) returns something else"
        }
    }

    /// Whether what came out is the same values at other places.
    private func isReordered(_ differences: [FieldDifference]) -> Bool {
        let outputs = differences.filter { $0.side == .output }
        guard outputs.count > 1, outputs.count == differences.count else { return false }
        let left = outputs.compactMap(\.left?.value).sorted()
        let right = outputs.compactMap(\.right?.value).sorted()
        return left == right && left.count == outputs.count
    }

    /// Whether a list was captured in part only, on both sides: then another order looks like other entries.
    private func isCut(_ native: CanonicalShape, _ sandbox: CanonicalShape) -> Bool {
        [native, sandbox].allSatisfy { shape in
            shape.fields.contains {
                interner.text($0.path).hasSuffix(".count") && interner.text($0.value).hasSuffix("+")
            }
        }
    }

    private func cause(
        _ name: String, _ path: String, _ native: CanonicalShape, _ left: String?, _ right: String?
    ) -> DivergenceCause {
        let field = path.split(separator: ".").last.map(String.init) ?? path
        if Environment.calls.contains(name) || Environment.fields.contains(field) { return .environment }
        if field == "st_nlink" || field == "stx_nlink", isDirectory(native) { return .environment }
        // Natively the process group, the session and the parent may be those of whoever started the program.
        if left != right, isOutside(left) || isOutside(right) {
            return .environment
        }
        if Set([left, right]) == ["0", "TIME"] { return .timePrecision }
        // How often a timer has fired unseen is a matter of when somebody looks; whether it has is not.
        if name == "timer_getoverrun" || field == "si_overrun", left != "0", right != "0" { return .timePrecision }
        guard isConcurrent else { return .bug }
        // Whether the reader has gone already.
        if native.isStream, path == "result", [left, right].contains(where: { $0?.contains("EPIPE") ?? false }),
            [left, right].contains(where: { $0?.contains(" E") == false })
        {
            return .amplifiedRace
        }
        if name == "futex" || name == "sched_yield" { return .amplifiedRace }
        if native.isStream, path == "result", native.errno == 0 { return .amplifiedRace }
        if name == "wait4" || name == "waitid" {
            if has("options", "WNOHANG", native) { return .amplifiedRace }
            // Of several children any may end first.
            let isAny = has("upid", "-1", native) || has("which", "P_ALL", native)
            if isAny, path == "result" || path.hasPrefix("infop") { return .amplifiedRace }
        }
        return .bug
    }

    private func isOutside(_ value: String?) -> Bool { value == "OUTSIDE" || value == "-OUTSIDE" }

    private func has(_ path: String, _ text: String, _ shape: CanonicalShape) -> Bool {
        shape.fields.contains { interner.text($0.path) == path && interner.text($0.value).contains(text) }
    }

    private func isDirectory(_ shape: CanonicalShape) -> Bool {
        shape.fields.contains {
            interner.text($0.path).hasSuffix("_mode") && interner.text($0.value).hasPrefix("S_IFDIR")
        }
    }

    // MARK: Missing, extra, moved

    func missing(_ shape: CanonicalShape, count: Int) -> Class { absent(shape, count, isExtra: false) }
    func extra(_ shape: CanonicalShape, count: Int) -> Class { absent(shape, count, isExtra: true) }

    private func absent(_ shape: CanonicalShape, _ count: Int, isExtra: Bool) -> Class {
        let name = interner.text(shape.name)
        let times = count == 1 ? "" : " (\(count) events)"
        let side = isExtra ? "in the sandbox" : "natively"
        var found = Class(
            kind: isExtra ? .extraCall : .missingCall, cause: .bug, field: nil, native: nil, sandbox: nil,
            explanation: "\(name) is seen \(side) only\(times)")
        switch shape.kind {
        case .signal, .stopped:
            found.kind = .signal
            // Children that end close to each other make one SIGCHLD or two, but not none.
            let isRepeated = isExtra && shape.fields.first.map { repeatedSignals.contains($0.value) } ?? false
            if name == "SIGCHLD", isConcurrent, !isRepeated, commonSignals.contains(shape.name) {
                found.cause = .amplifiedRace
                found.explanation += ": one of another child stands for it, which had not been taken yet"
            }
            return found
        case .interrupted:
            found.cause = .amplifiedRace
            found.explanation =
                "\(name) is interrupted by a signal \(side) only: when a signal arrives is a matter of timing"
            return found
        case .unfinished where isConcurrent && has("end", "killed", shape):
            found.cause = .amplifiedRace
            found.explanation += ": where a thread is when it is killed is a matter of timing"
            return found
        default: break
        }
        if isKilled {
            found.cause = .amplifiedRace
            found.explanation += ": how far a thread gets before it is killed is a matter of timing"
            return found
        }
        if Environment.virtual.contains(name), shape.errno == 0 {
            found.cause = .environment
            found.explanation =
                "\(name) is a call \(side) only: the other side answers it in user space, by the vDSO\(times)"
        } else if name == "getrandom", shape.errno == 0 {
            found.cause = .amplifiedRace
            found.explanation += ": how many random bytes the C library asks for depends on those that it got"
        } else if isConcurrent, isRacing(shape) {
            found.cause = .amplifiedRace
            found.explanation += ": how often depends on how threads and processes meet"
        }
        return found
    }

    private func isRacing(_ shape: CanonicalShape) -> Bool {
        let name = interner.text(shape.name)
        return shape.isStream || Environment.racing.contains(name)
            || (isThreaded && Environment.allocating.contains(name))
    }

    func moved(_ shape: CanonicalShape, by rows: Int) -> Class {
        let name = interner.text(shape.name)
        let isSignal = shape.kind == .signal || shape.kind == .stopped
        let isRace = isConcurrent && (isSignal || isRacing(shape) || shape.kind == .interrupted)
        return Class(
            kind: isSignal ? .signal : .order, cause: isRace ? .amplifiedRace : .bug, field: nil, native: nil,
            sandbox: nil,
            explanation: "\(name) comes \(abs(rows)) events \(rows < 0 ? "earlier" : "later") in the sandbox")
    }

    /// A signal that is the same on both sides, but for the moment at which it comes.
    func displaced(_ shape: CanonicalShape, by distance: Int) -> Class {
        let name = interner.text(shape.name)
        // While a processor works for itself, it makes any number of calls, or none, until its time has passed.
        let isNear = abs(distance) <= Self.nearby || Environment.processorClocks.contains(name)
        return Class(
            kind: .signal, cause: isNear ? .amplifiedRace : .bug, field: "moment", native: nil, sandbox: nil,
            explanation:
                "\(name) comes \(abs(distance)) events \(distance < 0 ? "earlier" : "later") "
                + "in the sandbox, and is the same but for that: when "
                + (isNear ? "it arrives is a matter of timing" : "it arrives is a matter of timing, but not by so much")
        )
    }

    /// Events by which a signal may come late.
    private static let nearby = 200

    func cut(_ count: Int, last: String?) -> Class {
        let what = last.map { ", after \($0)" } ?? ""
        var found = Class(
            kind: .missingCall, cause: .bug, field: nil, native: nil, sandbox: nil,
            explanation: "the thread ends here in the sandbox\(what); natively \(count) events follow")
        switch ending {
        case .ended: break
        case .timedOut: found.kind = .hang
        case .sandboxFailed: found.kind = .crash
        }
        return found
    }
}

/// What honestly differs between a host and a sandbox, by the names of calls and fields.
private enum Environment {
    /// They tell who started the program, which limits it has, and what machine it runs on.
    static let calls: Set = [
        "uname", "sysinfo", "getppid", "getpgrp", "getpgid", "getsid", "prlimit64", "getrlimit", "sched_getaffinity",
        "statfs", "fstatfs", "getcpu",
    ]
    /// They tell how a file system lays files out.
    static let fields: Set = [
        "st_blksize", "st_blocks", "stx_blksize", "stx_blocks", "stx_attributes", "stx_attributes_mask", "stx_mask",
    ]
    /// The C library asks the vDSO first.
    static let virtual: Set = ["clock_gettime", "gettimeofday", "time", "getcpu", "clock_getres"]
    /// They are sent when a process has used so much of a processor.
    static let processorClocks: Set = ["SIGPROF", "SIGVTALRM", "SIGXCPU"]
    /// Threads that meet at a lock, and processes whose children end, make more or fewer of them.
    static let racing: Set = [
        "futex", "sched_yield", "restart_syscall", "rt_sigreturn", "wait4", "waitid", "nanosleep", "clock_nanosleep",
    ]
    /// Calls that can end or replace the one that makes them: only elsewhere is being killed in a call a matter of timing.
    static let deadly: Set = [
        "kill", "tgkill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "execve", "execveat", "exit", "exit_group",
    ]
    /// Threads that meet in the allocator make more or fewer of them.
    static let allocating: Set = ["madvise", "mprotect", "munmap", "mmap", "brk"]
}
