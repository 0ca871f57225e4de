internal import HostSystem

/// How guests' calls reach the kernel: see `docs/platform.md`.
package enum PlatformChoice: String, Sendable {
    /// By user dispatch and seccomp.
    case trap
    /// The kernel traces the stubs.
    case trace = "ptrace"
    /// What the host has, the faster first.
    case automatic = "auto"

    /// What this host lacks of what trapping needs; nil where there is all of it.
    static var lacking: String? {
        if !Host.hasTrappingFilters { return "seccomp" }
        return Host.hasUserDispatch ? nil : "user dispatch"
    }

    /// Why guests cannot be trapped that somebody wants trapped. Without user dispatch they can: filters trap every call alone.
    static let refusal = "--platform trap needs seccomp, which this host lacks; --platform ptrace does without"

    /// Why guests are traced that nobody wanted traced.
    static func notice(_ lacking: String) -> String {
        let more = lacking == "seccomp" ? ", and nothing but its own code limits the kernel process's calls" : ""
        return "this host has no \(lacking): guests are traced by ptrace, which is slower\(more) (see apus doctor)"
    }
}
