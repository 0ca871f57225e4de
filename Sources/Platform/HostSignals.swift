/// Signals of the host that have come, bit 0 for signal 1.
package struct HostSignals {
    /// From the terminal, or sent to every process of the sandbox's group: for a group of guests.
    package var group: UInt64 = 0
    /// Sent to the sandbox's one process that the outside knows: for the first program alone.
    package var process: UInt64 = 0

    package var isEmpty: Bool { group | process == 0 }
}
