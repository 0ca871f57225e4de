internal import LinuxABI

extension GuestThread {
    /// True if this thread may look into the other. Linux's `ptrace_may_access` for reading with real ids.
    package func mayInspect(_ other: GuestThread) -> Bool {
        guard other.process !== process else { return true }
        let own = credentials
        let theirs = other.credentials
        if own.has(capability: GuestThread.tracingCapability) { return true }
        return other.process.dumpable
            && [theirs.userID, theirs.effectiveUserID, theirs.savedUserID].allSatisfy { $0 == own.userID }
            && [theirs.groupID, theirs.effectiveGroupID, theirs.savedGroupID].allSatisfy { $0 == own.groupID }
    }

    /// `CAP_SYS_PTRACE`.
    private static let tracingCapability = 19
}
