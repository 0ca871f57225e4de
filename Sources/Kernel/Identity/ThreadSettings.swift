/// What a thread carries along for calls that mostly keep what they are told: `prctl(2)`, `sched(7)`, `personality(2)`,
/// `ioprio_set(2)`. Children begin with a copy.
package struct ThreadSettings: Sendable {
    /// In nanoseconds: `PR_SET_TIMERSLACK`.
    package var timerSlack: UInt = 50_000
    /// What `PR_SET_TIMERSLACK` with 0 goes back to: that of the creating thread.
    package var defaultTimerSlack: UInt = 50_000
    package var personality: UInt32 = 0
    /// -20...19.
    package var nice: Int32 = 0
    /// `SCHED_OTHER` 0, `SCHED_FIFO` 1, `SCHED_RR` 2, `SCHED_BATCH` 3, `SCHED_IDLE` 5.
    package var policy: Int32 = 0
    /// 1...99 for real-time policies, else 0.
    package var priority: Int32 = 0
    /// `SCHED_RESET_ON_FORK`: children start with the ordinary policy.
    package var resetsOnFork = false
    /// `ioprio_set(2)`; 0 until set.
    package var ioPriority: Int32 = 0
    /// The processors the thread may use, as a bit set; nil for all.
    package var affinity: [UInt64]?
    /// `set_mempolicy(2)`'s mode.
    package var memoryPolicy: Int32 = 0
    /// `PR_MCE_KILL`: 0 late, 1 early, 2 the default.
    package var machineCheckPolicy = 2

    package init() {}

    /// What a new thread or process begins with.
    package var inherited: ThreadSettings {
        var copy = self
        copy.defaultTimerSlack = timerSlack
        if resetsOnFork {
            copy.resetsOnFork = false
            if policy == 1 || policy == 2 {
                copy.policy = 0
                copy.priority = 0
                copy.nice = 0
            } else if nice < 0 {
                copy.nice = 0
            }
        }
        return copy
    }
}
