/// Whether a stub that has to wait for another one gives way on its processor for a while instead of sleeping there.
///
/// Two guests that answer each other while the kernel polls on a processor that neither needs want no waking. Where they share one,
/// each gives way to the other by `sched_yield(2)`, at half the cost of a sleep and a wake-up; where each has its own, giving way
/// comes back at once, and the answer is polled for. That pays where the wait is short: so a stub does it after some waits in a row
/// that were. And it does not pay where somebody else wants the processor, who would get a slice of the scheduler's each time: that is
/// what `Turns` finds out. Times are ticks of the time stamp counter.
struct WaitTurns {
    /// What a wait may take, from its beginning to the stub's next request.
    static let denseTicks = Turns.shortTicks
    /// After so many waits in a row as they should be.
    static let proof = 8

    private var turns = Turns()
    private(set) var row = 0
    private var began: UInt64 = 0
    /// The stub gives way, or has done so since it asked last.
    private(set) var isTaking = false

    /// The stub is about to be told to wait.
    /// - Parameters:
    ///   - now: in ticks.
    ///   - maySwitch: the kernel is elsewhere and polls.
    /// - Returns: true if it should give way instead of sleeping.
    mutating func begins(at now: UInt64, maySwitch: Bool) -> Bool {
        began = now
        isTaking = maySwitch && row >= WaitTurns.proof && turns.shouldGiveWay()
        return isTaking
    }

    /// What it waits for has come.
    /// - Parameters:
    ///   - now: in ticks.
    ///   - isElsewhere: neither it nor who has brought that is on the kernel's processor.
    mutating func ended(at now: UInt64, isElsewhere: Bool) {
        row = isElsewhere && now &- began < WaitTurns.denseTicks ? min(row + 1, WaitTurns.proof) : 0
    }

    /// It asks again.
    mutating func asked(at now: UInt64) {
        guard isTaking else { return }
        isTaking = false
        turns.gaveWay(for: now &- began, brought: true)
    }
}
