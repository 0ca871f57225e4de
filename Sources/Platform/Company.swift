/// Whether the kernel's thread should leave the processor that it shares with the one stub that keeps it busy.
///
/// On one processor each call costs two switches; on two it costs some hundred nanoseconds, once the kernel has moved. The
/// host wakes whoever is waited for on the processor of who waits, and there they stay, while another one has nothing to do.
/// For calls that are far apart that is the cheaper way, and so it is where several stubs hand over to one another.
struct Company {
    /// In TSC ticks: calls that follow one another in less, switches included, are dense.
    static let denseTicks: UInt64 = 50_000
    /// So many dense calls pay for moving.
    static let leastPatience = 4
    static let mostPatience = 4096
    /// A move that is followed by fewer calls has not paid.
    static let worthwhile = 32

    private var lastServed: ObjectIdentifier?
    private var lastWait: UInt64 = 0
    private(set) var dense = 0
    private(set) var patience = leastPatience
    private var sinceMove = Int.max

    /// A request of this stub's was served.
    @inline(__always)
    mutating func served(_ stub: ObjectIdentifier) {
        if sinceMove < Int.max { sinceMove += 1 }
        guard stub != lastServed else { return }
        lastServed = stub
        dense = 0
    }

    /// The kernel is about to sleep on the processor of the only stub that runs.
    /// - Parameter now: in TSC ticks.
    /// - Returns: true when moving is likely to pay.
    mutating func shouldPart(at now: UInt64) -> Bool {
        dense = now &- lastWait < Company.denseTicks ? dense + 1 : 0
        lastWait = now
        if sinceMove < Int.max, dense == 1 {
            // They are together again: what has the last move brought?
            patience =
                sinceMove < Company.worthwhile
                ? min(2 * patience, Company.mostPatience) : Company.leastPatience
            sinceMove = Int.max
        }
        guard dense >= patience else { return false }
        dense = 0
        sinceMove = 0
        return true
    }
}
