internal import CHost
package import LinuxABI

/// What the kernel process gives up before the first guest runs. None of it can be taken back.
extension Host {
    /// `PR_SET_NO_NEW_PRIVS`, `PR_SET_DUMPABLE` 0 and `RLIMIT_CORE` 0: no program can raise this process's rights, nobody but
    /// the superuser can look into its memory, and it leaves no image of it behind.
    package static func giveUpPrivileges() throws(Errno) {
        try forgoPrivileges()
        try call(157, 4, 0)
        let none: InlineArray<2, UInt64> = [0, 0]
        // The host reads the 16 bytes of one `struct rlimit`.
        _ = try unsafe none.span.withUnsafeBytes { bytes throws(Errno) in
            try call(160, 4, UInt(bitPattern: bytes.baseAddress))
        }
    }

    /// `PR_SET_NO_NEW_PRIVS` alone.
    package static func forgoPrivileges() throws(Errno) { try call(157, 38, 1) }

    /// Keeps of the calling thread's capabilities those in `kept` that it has, and drops all others: from its effective and
    /// permitted sets, and with CAP_SETPCAP from the bounding set, too, for good (securebits). See `capabilities(7)`.
    /// - Returns: false if the bounding set had to stay.
    package static func keepCapabilities(_ kept: UInt64) throws(Errno) -> Bool {
        let (effective, permitted, _) = capabilities
        // NOROOT, NO_SETUID_FIXUP, NO_CAP_AMBIENT_RAISE, each locked, and KEEP_CAPS locked off.
        let isBound = (try? call(157, 28, 0xef)) != nil
        if isBound {
            for number in 0..<UInt(64) where kept & 1 << UInt64(number) == 0 { _ = try? call(157, 24, number) }
        }
        let (newEffective, newPermitted) = (effective & kept, permitted & kept)
        let header: InlineArray<2, UInt32> = [0x2008_0522, 0]
        func low(_ set: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: set) }
        func high(_ set: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: set >> 32) }
        let words: InlineArray<6, UInt32> = [
            low(newEffective), low(newPermitted), 0, high(newEffective), high(newPermitted), 0,
        ]
        // The host reads 8 bytes of the header and the 24 bytes of two `__user_cap_data_struct`.
        try unsafe header.span.withUnsafeBytes { header throws(Errno) in
            try unsafe words.span.withUnsafeBytes { data throws(Errno) in
                _ = try call(126, UInt(bitPattern: header.baseAddress), UInt(bitPattern: data.baseAddress))
            }
        }
        return isBound
    }

    /// From here on every thread of this process makes the calls of `AllowedCall.all` alone; any other ends the process with
    /// a message that names it. `tracing` adds those of a tracer, `AllowedCall.tracing`. Needs `giveUpPrivileges` first.
    package static func restrictCalls(tracing: Bool = false) throws(Errno) {
        apus_host_report_refused_calls()
        // A thread begins with calls of the C library's that are not in the list.
        apus_poller_settle()
        let program = SealFilter.program(for: tracing ? AllowedCall.tracing + AllowedCall.all : AllowedCall.all)
        // The host reads the `struct sock_fprog` and the program, which outlive the call.
        let result = try unsafe program.span.withUnsafeBytes { program throws(Errno) in
            let description: InlineArray<2, UInt> = [
                UInt(program.count / 8), UInt(bitPattern: program.baseAddress),
            ]
            // SECCOMP_SET_MODE_FILTER; TSYNC, so that the poller's thread is in it, and SPEC_ALLOW: no guest's code runs in
            // this process. What the host reads outlives the call.
            return try unsafe description.span.withUnsafeBytes { description throws(Errno) in
                try call(317, 1, 1 | 4, UInt(bitPattern: description.baseAddress))
            }
        }
        // The number of a thread that could not be brought in.
        if result > 0 { throw .ESRCH }
    }
}
