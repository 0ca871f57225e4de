internal import CHost
internal import LinuxABI

/// The host's kernel, as this process may call it. Every call of the sandbox's kernel process goes through here; each
/// wrapper stands in the reviewed list (`docs/host-calls.md`) with its reason.
package enum Host {
    /// One call by number, for the wrappers of this target only. Throws the host's errno.
    @discardableResult
    static func call(
        _ number: Int, _ a: UInt = 0, _ b: UInt = 0, _ c: UInt = 0, _ d: UInt = 0, _ e: UInt = 0, _ f: UInt = 0
    ) throws(Errno) -> Int {
        let result = apus_host_call(number, a, b, c, d, e, f)
        guard result < 0, result >= -4095 else { return result }
        throw Errno(rawValue: Int32(truncatingIfNeeded: -result))
    }

    /// The same, with the host's answer as it is.
    @inline(__always)
    static func rawCall(
        _ number: Int, _ a: UInt = 0, _ b: UInt = 0, _ c: UInt = 0, _ d: UInt = 0, _ e: UInt = 0, _ f: UInt = 0
    ) -> Int { apus_host_call(number, a, b, c, d, e, f) }

    /// Throws the errno that an answer is.
    @inline(__always)
    static func check(_ result: Int) throws(Errno) {
        guard result < 0, result >= -4095 else { return }
        throw Errno(rawValue: Int32(truncatingIfNeeded: -result))
    }

    /// A descriptor as a register.
    static func word(_ descriptor: Int32) -> UInt { UInt(bitPattern: Int(descriptor)) }
}
