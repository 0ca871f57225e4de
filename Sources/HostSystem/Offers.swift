internal import CHost
internal import LinuxABI

/// What this host offers: asked without changing anything.
extension Host {
    /// What the stubs' code needs of the processor and it lacks, or its kernel hides: bit 1 of `AT_HWCAP2` says that guests may
    /// set the bases of %fs and %gs.
    package static var missingInstructions: [String] {
        (auxiliary(26) & 2 == 0 ? ["fsgsbase"] : []) + (apus_host_has_bit_instructions() == 0 ? ["bmi2"] : [])
    }

    /// Syscall User Dispatch, by turning it off where it is off: `prctl(2)`, from Linux 5.11 on.
    package static var hasUserDispatch: Bool { (try? call(157, 59, 0, 0, 0, 0)) != nil }

    /// Whether seccomp filters may answer with a trap: `SECCOMP_GET_ACTION_AVAIL`.
    package static var hasTrappingFilters: Bool { hasFilters(answering: FilterInstruction.trap) }

    /// Whether they may ask another process: SECCOMP_RET_USER_NOTIF. (Some container runtimes keep the one listener that a
    /// process can have.)
    package static var hasAskingFilters: Bool { hasFilters(answering: FilterInstruction.ask) }

    private static func hasFilters(answering action: UInt32) -> Bool {
        let action: InlineArray<1, UInt32> = [action]
        // The host reads the four bytes of the action.
        return unsafe action.span.withUnsafeBytes { bytes in
            (try? call(317, 2, 0, UInt(bitPattern: bytes.baseAddress))) != nil
        }
    }

    /// Whether mappings can be sealed: `mseal(2)`, from Linux 6.10 on, asked of no bytes.
    package static var hasSeals: Bool { (try? call(462, 0, 0, 0)) != nil }

    /// The commands of `membarrier(2)` that the host knows; 0 where it lacks the call.
    package static var memoryBarrierCommands: Int { (try? call(324, 0)) ?? 0 }

    /// Whether one process's memory can be read from another: `process_vm_readv(2)`, tried on this one.
    package static var hasProcessMemory: Bool {
        let source: InlineArray<1, UInt64> = [0x6170_7573]
        var target: InlineArray<1, UInt64> = [0]
        var span = target.mutableSpan
        // The host copies eight bytes between two places that outlive the call.
        let count = unsafe source.span.withUnsafeBytes { source in
            unsafe span.withUnsafeMutableBytes { target in
                try? unsafe readMemory(of: processID, at: UInt(bitPattern: source.baseAddress), into: target)
            }
        }
        return count == 8 && target[0] == source[0]
    }

    /// Yama's `ptrace_scope`: who may look into whose memory; 0 where the host has no such rule.
    package static var tracingScope: Int {
        guard let file = try? openFile("/proc/sys/kernel/yama/ptrace_scope") else { return 0 }
        defer { close(file) }
        let text = try? [UInt8](capacity: 16) { output throws(Errno) in
            _ = try read(file, at: 0, into: &output, limit: 16)
        }
        guard let digit = text?.first, (0x30...0x39).contains(digit) else { return 0 }
        return Int(digit) - 0x30
    }
}
