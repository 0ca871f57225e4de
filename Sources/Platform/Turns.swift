/// Whether the kernel and the stubs on its one processor take turns by `sched_yield(2)` instead of sleeping and waking.
///
/// A conversation that way costs two calls of the host and two switches, without the queueing of who sleeps: two thirds of the
/// time. But who gives way gives it to anybody: beside another program that computes, a turn takes a slice of the scheduler's.
/// So a turn that was long is the last one for a while, and for twice as long as the while before.
struct Turns {
    /// In TSC ticks: what a turn may take, switches included. Stubs may have something to do before they ask: a process that
    /// begins or ends, a program that computes. A slice of the scheduler's is ten times as long.
    static let shortTicks: UInt64 = 500_000
    static let leastRest = 64
    /// A long turn loses some milliseconds: once in so many waits that is next to nothing.
    static let mostRest = 1 << 16
    /// So many short turns are the proof that the processor is ours again.
    static let proof = 256

    /// How many waits are left until the next try.
    private(set) var resting = 0
    private(set) var nextRest = leastRest
    private var short = 0

    /// The kernel is about to wait for what stubs on its processor ask.
    /// - Returns: true if it should give way once before it sleeps.
    mutating func shouldGiveWay() -> Bool {
        guard resting > 0 else { return true }
        resting -= 1
        return false
    }

    /// It has given way.
    /// - Parameters:
    ///   - ticks: until it ran again.
    ///   - brought: a stub has asked meanwhile. A turn without that has found nobody to give way to, and says nothing.
    mutating func gaveWay(for ticks: UInt64, brought: Bool) {
        guard ticks >= Turns.shortTicks else {
            guard brought else { return }
            short += 1
            if short >= Turns.proof { nextRest = Turns.leastRest }
            return
        }
        short = 0
        resting = nextRest
        nextRest = min(2 * nextRest, Turns.mostRest)
    }
}
