internal import LinuxABI

/// What this process has from its caller besides identity and limits.
extension Host {
    /// `getpriority(2)`: -20...19; 0 when the host does not say.
    package static var nice: Int32 {
        // The call gives 1...40, so that errors stay negative.
        guard let result = try? call(140, 0, 0) else { return 0 }
        return Int32(clamping: 20 - result)
    }

    /// The policy, its priority and whether children start with the ordinary one: `sched(7)`.
    package static var scheduling: (policy: Int32, priority: Int32, resetsOnFork: Bool) {
        guard let policy = try? call(145, 0) else { return (0, 0, false) }
        var priority: InlineArray<1, Int32> = [0]
        var span = priority.mutableSpan
        // The host writes the 4 bytes of one `struct sched_param`.
        _ = unsafe span.withUnsafeMutableBytes { try? call(143, 0, UInt(bitPattern: $0.baseAddress)) }
        // SCHED_RESET_ON_FORK
        let reset = 0x4000_0000
        return (Int32(truncatingIfNeeded: policy & ~reset), priority[0], policy & reset != 0)
    }

    /// `ioprio_get(2)` of this process.
    package static var ioPriority: Int32 { Int32(truncatingIfNeeded: (try? call(252, 1, 0)) ?? 0) }

    /// `personality(2)`; asking changes nothing.
    package static var personality: UInt32 {
        UInt32(truncatingIfNeeded: (try? call(135, 0xffff_ffff)) ?? 0)
    }

    /// `PR_GET_TIMERSLACK`, in nanoseconds.
    package static var timerSlack: UInt { UInt(bitPattern: (try? call(157, 30)) ?? 50_000) }

    /// True if the signal is ignored: `sigaction(2)`.
    package static func isIgnored(_ signal: Int32) -> Bool {
        var action: InlineArray<4, UInt> = [0, 0, 0, 0]
        var span = action.mutableSpan
        // The host writes the 32 bytes of one `struct sigaction`.
        let result = unsafe span.withUnsafeMutableBytes {
            try? call(13, word(signal), 0, UInt(bitPattern: $0.baseAddress), 8)
        }
        return result != nil && action[0] == 1
    }

    /// The set of blocked signals, signal 1 in the lowest bit: `sigprocmask(2)`.
    package static var blockedSignals: UInt64 {
        var set: InlineArray<1, UInt64> = [0]
        var span = set.mutableSpan
        // The host writes the 8 bytes of one signal set.
        _ = unsafe span.withUnsafeMutableBytes { try? call(14, 0, 0, UInt(bitPattern: $0.baseAddress), 8) }
        return set[0]
    }

    /// Unblocks every signal.
    package static func unblockSignals() {
        let none: InlineArray<1, UInt64> = [0]
        // The host reads the 8 bytes of one signal set; SIG_SETMASK.
        unsafe none.span.withUnsafeBytes { _ = try? call(14, 2, UInt(bitPattern: $0.baseAddress), 0, 8) }
    }

    /// Gives SIGCHLD its default action, without which children leave no status to wait for.
    package static func stopIgnoringChildren() { handle(17, by: 0) }

    static func ignore(_ signal: Int32) { handle(signal, by: 1) }

    /// By SIG_DFL (0) or SIG_IGN (1).
    private static func handle(_ signal: Int32, by handler: UInt) {
        let action: InlineArray<4, UInt> = [handler, 0, 0, 0]
        // The host reads the 32 bytes of one `struct sigaction`.
        unsafe action.span.withUnsafeBytes { _ = try? call(13, word(signal), UInt(bitPattern: $0.baseAddress), 0, 8) }
    }

    /// `/proc/self/oom_score_adj`: -1000...1000; 0 when the host does not say.
    package static var oomScoreAdjustment: Int32 {
        guard let file = try? openFile("/proc/self/oom_score_adj") else { return 0 }
        defer { close(file) }
        let text = try? [UInt8](capacity: 16) { output throws(Errno) in
            _ = try read(file, at: 0, into: &output, limit: 16)
        }
        let words = String(decoding: text ?? [], as: UTF8.self).split(whereSeparator: \.isWhitespace)
        return words.first.flatMap { Int32($0) } ?? 0
    }
}
