package import LinuxABI

/// A set of signals 1...64; bit 0 is signal 1. Linux's `sigset_t`.
package struct SignalSet: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package init(_ signal: SignalNumber) { rawValue = signal.isValid ? 1 << UInt64(signal.rawValue - 1) : 0 }

    private init(numbers: [Int32]) {
        var bits: UInt64 = 0
        for number in numbers { bits |= 1 << UInt64(number - 1) }
        rawValue = bits
    }

    /// SIGKILL and SIGSTOP: never blocked, caught or ignored.
    package static let unblockable = SignalSet(numbers: [9, 19])
    /// SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU.
    package static let stop = SignalSet(numbers: [19, 20, 21, 22])
    /// SIGCONT, SIGCHLD, SIGWINCH, SIGURG: their default is to do nothing (SIGCONT continues when it is sent).
    package static let ignoredByDefault = SignalSet(numbers: [18, 17, 28, 23])
    /// SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGSEGV, SIGBUS, SIGSYS, SIGXCPU, SIGXFSZ: their default dumps core.
    package static let core = SignalSet(numbers: [3, 4, 5, 6, 8, 11, 7, 31, 24, 25])
    /// SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS: what the thread's own instructions cause; taken before others.
    package static let synchronous = SignalSet(numbers: [11, 7, 4, 5, 8, 31])
}

extension SignalNumber {
    package static let hangUp = SignalNumber(1)
    package static let kill = SignalNumber(9)
    package static let segmentationViolation = SignalNumber(11)
    /// SIGXFSZ.
    package static let fileSizeExceeded = SignalNumber(25)
    package static let alarm = SignalNumber(14)
    package static let child = SignalNumber(17)
    package static let `continue` = SignalNumber(18)
    package static let stop = SignalNumber(19)
    package static let virtualAlarm = SignalNumber(26)
    package static let profiling = SignalNumber(27)

    /// True for 32...64, of which each instance is queued.
    package var isRealTime: Bool { rawValue >= 32 }
}
