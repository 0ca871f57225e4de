package import LinuxABI
package import TraceModel

/// Prints events as strace does, one line each.
package struct TraceText: Sendable {
    /// The most bytes of a string or buffer, and elements of an array, that are shown (strace's `-s`).
    package var limit = 32
    /// Whether lines start with the time.
    package var showsTime = false
    private let decoder: CallDecoder
    /// The process that the lines without a prefix belong to.
    private var first: Int32?
    private var hasSeveral = false

    package init(table: SyscallTable = .x86_64, limit: Int = 32) {
        decoder = CallDecoder(table: table)
        self.limit = limit
    }

    /// The line for the next event of a trace, without a newline; nil for those that strace shows nothing of.
    ///
    /// The thread is named in front as soon as a second one has appeared.
    package mutating func line(_ event: TraceEvent) -> String? {
        if first == nil { first = event.thread }
        if event.thread != first { hasSeveral = true }
        guard let text = text(event.kind) else { return nil }
        let thread = hasSeveral ? "[pid \(event.thread)] " : ""
        return thread + (showsTime ? event.time.map(TraceText.time) ?? "" : "") + text
    }

    /// What happened, without thread and time; nil for what strace shows nothing of.
    package func text(_ kind: TraceEvent.Kind) -> String? {
        switch kind {
        case .call(let call, let result): return decoder.decode(call, result: result).text(limit: limit)
        case .unfinished(let call, let reason):
            let line = decoder.decode(call, result: nil).text(limit: limit)
            // A successful execve returns 0 to the new program.
            let result = reason == .replaced ? "0" : reason == .ended ? "?" : "? <unfinished ...>"
            return line + String(repeating: " ", count: max(0, 39 - line.count)) + " = " + result
        case .signal(let signal): return "--- " + TraceText.signal(signal) + " ---"
        case .stopped(let signal): return "--- stopped by \(SignalText.name(signal)) ---"
        case .clone, .exec, .exit: return nil
        case .processExit(let status):
            if let code = status.exitCode { return "+++ exited with \(code) +++" }
            return
                "+++ killed by \(SignalText.name(status.signal ?? 0))\(status.dumpedCore ? " (core dumped)" : "") +++"
        }
    }

    /// The fields that strace shows of a delivered signal.
    package static func signal(_ signal: TracedSignal) -> String {
        var fields = [
            "si_signo=\(SignalText.name(signal.number))",
            "si_code=\(SignalText.code(signal.code, of: signal.number))",
        ]
        if signal.sender != 0 { fields.append("si_pid=\(signal.sender)") }
        if signal.number == 17, signal.code > 0 {
            // CLD_EXITED tells a code, all others a signal.
            fields.append("si_status=" + (signal.code == 1 ? "\(signal.value)" : SignalText.name(signal.value)))
        }
        // SI_QUEUE, SI_TIMER, SI_MESGQ
        if (-3)...(-1) ~= signal.code { fields.append("si_int=\(signal.value)") }
        if signal.number == 31, signal.code == 1 {
            let name = SyscallTable.x86_64[Int(signal.value)].map { "__NR_" + $0.name } ?? "\(signal.value)"
            fields.append("si_call_addr=0x" + String(signal.address, radix: 16))
            fields.append("si_syscall=" + name)
        } else if signal.address != 0 || ([7, 11].contains(signal.number) && signal.code > 0 && signal.code < 128) {
            let address = signal.address == 0 ? "NULL" : "0x" + String(signal.address, radix: 16)
            fields.append("si_addr=" + address)
        }
        return "\(SignalText.name(signal.number)) {\(fields.joined(separator: ", "))}"
    }

    private static func time(_ nanoseconds: Int64) -> String {
        let micro = String(nanoseconds / 1000 % 1_000_000)
        return "\(nanoseconds / 1_000_000_000)." + String(repeating: "0", count: 6 - micro.count) + micro + " "
    }
}
