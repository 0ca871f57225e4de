package import LinuxABI

/// Why a stub asked the kernel.
package enum StubEvent {
    case syscall(number: Int, arguments: ArgumentRegisters)
    case fault(Fault)
    /// A new host thread stands in its stub and waits for its first registers.
    case ready
    /// The kernel's interrupt has reached it.
    case interrupted
    /// The answer's commands were carried out, and the answer asked to hear of it; `failure` is the errno of the one that
    /// was not, after which none was tried.
    case commandsDone(lastResult: Int, failure: Errno?)
    /// The shared state is not what a stub writes: the guest has forged it.
    case forged
}

/// A fault of guest code, as the host saw it.
package struct Fault: Sendable {
    package var signal: Int32
    /// The host's `si_code`.
    package var code: Int32
    package var address: UInt
    package var error: UInt
    package var trap: UInt
}

/// How the kernel lets a stub go on.
package struct StubAnswer {
    /// The call's result, or its negated errno; ignored with `registers`.
    package var value: Int = 0
    /// Every register, where more than rax changes.
    package var registers: UserRegisters?
    package var commands: [StubCommand] = []
    /// Ask again (`commandsDone`) when the commands are carried out.
    package var reports = false
    /// The floating-point state to load, as an XSAVE area in standard format; nil leaves it alone.
    package var floatingPoint: [UInt8]?

    package init() {}
    package init(value: Int) { self.value = value }
}
