/// Names of signals and of what raised them.
package enum SignalText {
    package static func name(_ number: Int32) -> String {
        if number >= 32, number <= 64 { return number == 32 ? "SIGRTMIN" : "SIGRT_\(number - 32)" }
        if number == 0 { return "0" }
        return FlagLists.set("signal")?.entries.first { $0.value == UInt64(bitPattern: Int64(number)) }?.name
            ?? "\(number)"
    }

    /// A set of signals: `[INT CHLD]`, or `~[KILL]` where most are in it.
    static func set(_ bits: UInt64) -> String {
        let isInverted = bits.nonzeroBitCount > 32
        let shown = isInverted ? ~bits : bits
        let names = (1...64).filter { shown >> UInt64($0 - 1) & 1 == 1 }.map { number in
            let name = name(Int32(number))
            return name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name
        }
        return (isInverted ? "~" : "") + "[" + names.joined(separator: " ") + "]"
    }

    /// `si_code` of a signal.
    package static func code(_ code: Int32, of signal: Int32) -> String {
        if code <= 0 || code == 128 { return FlagLists.text("signal_code", UInt64(bitPattern: Int64(code))) }
        let names: [String]? =
            switch signal {
            case 4: ["ILL_ILLOPC", "ILL_ILLOPN", "ILL_ILLADR", "ILL_ILLTRP", "ILL_PRVOPC", "ILL_PRVREG"]
            case 5: ["TRAP_BRKPT", "TRAP_TRACE", "TRAP_BRANCH", "TRAP_HWBKPT"]
            case 7: ["BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR"]
            case 8: ["FPE_INTDIV", "FPE_INTOVF", "FPE_FLTDIV", "FPE_FLTOVF", "FPE_FLTUND", "FPE_FLTRES", "FPE_FLTINV"]
            case 11: ["SEGV_MAPERR", "SEGV_ACCERR", "SEGV_BNDERR", "SEGV_PKUERR"]
            case 17: ["CLD_EXITED", "CLD_KILLED", "CLD_DUMPED", "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"]
            case 29: ["POLL_IN", "POLL_OUT", "POLL_MSG", "POLL_ERR", "POLL_PRI", "POLL_HUP"]
            case 31: ["SYS_SECCOMP", "SYS_USER_DISPATCH"]
            default: nil
            }
        guard let names, Int(code) <= names.count else { return "\(code)" }
        return names[Int(code) - 1]
    }

    /// A wait status as strace shows it.
    package static func waitStatus(_ status: Int32) -> String {
        if status & 0x7f == 0 { return "[{WIFEXITED(s) && WEXITSTATUS(s) == \((status >> 8) & 0xff)}]" }
        if status == 0xffff { return "[{WIFCONTINUED(s)}]" }
        if status & 0xff == 0x7f { return "[{WIFSTOPPED(s) && WSTOPSIG(s) == \(name((status >> 8) & 0xff))}]" }
        let core = status & 0x80 != 0 ? " && WCOREDUMP(s)" : ""
        return "[{WIFSIGNALED(s) && WTERMSIG(s) == \(name(status & 0x7f))\(core)}]"
    }
}
