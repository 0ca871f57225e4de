/// Who polls, for how long, and where: the rules alone, without clocks, processors or shared memory, so that simulated machines of
/// any size go by the very same (`Tests/PlatformTests/Polling`). Times are ticks of the time stamp counter.
///
/// To wake somebody on another processor costs 20 to 130 µs, on the own one 1 to 3; to be polled for costs nothing but the
/// processor. So whoever waits polls for about as long as a wake-up would take, if that has paid lately, and never on the processor
/// that the other one needs. With one processor nobody ever polls.
struct PollingPolicy {
    /// Bounds of what one side polls at a time.
    static let mostKernelTicks: UInt64 = 120_000
    static let mostStubTicks: UInt64 = 200_000
    /// Less than an eighth of them is not worth its beginning.
    static let steps: UInt64 = 8
    /// What a wake-up across processors takes, about: added to a budget where who is waited for has just been woken that way.
    static let wakeTicks: UInt64 = 100_000

    /// A stub takes up to about 30 µs from its order to the clone, and the host a few hundred to make it.
    static let orderTicks: UInt64 = 80_000
    static let birthTicks: UInt64 = 600_000

    /// Calls from the kernel's own processor that follow one another in less, switches included, are dense.
    static let denseTicks: UInt64 = 50_000
    /// So many dense calls pay for moving the kernel.
    static let leastPatience = 4
    static let mostPatience = 4096
    /// A move that is followed by fewer calls has not paid.
    static let worthwhile = 32
    /// After so many answers in time stubs wait for them longer again.
    static let calm = 64

    /// What the kernel and the stubs may use.
    let processors: ProcessorSet
    let mayPoll: Bool

    /// For how long the kernel polls before it sleeps.
    private(set) var kernelBudget: UInt64
    /// For how long a stub polls for its answer; 0 where nobody may.
    private(set) var stubBudget: UInt64
    private var answersInTime = 0
    /// A stub was woken on another processor since the last wait: it can't ask before it is awake.
    private var hasWokenElsewhere = false

    private var lastHere: UInt64 = 0
    private(set) var dense = 0
    private(set) var patience = leastPatience
    private var sinceMove = Int.max

    /// With `mayPoll` false nobody polls, although there are processors for it.
    init(processors: ProcessorSet, mayPoll: Bool = true) {
        self.processors = processors
        self.mayPoll = mayPoll && processors.count > 1
        kernelBudget = self.mayPoll ? PollingPolicy.mostKernelTicks : 0
        stubBudget = self.mayPoll ? PollingPolicy.mostStubTicks : 0
    }

    // MARK: Before the kernel sleeps

    /// For how long the kernel, which has nothing to do, looks for requests: not at all where those who could make some run on
    /// its own processor, or nobody runs. Births are waited for, whatever else has paid lately.
    func budget(on processor: Int, running: ProcessorSet, awaitsBirth: Bool = false) -> UInt64 {
        guard !running.isEmpty, !running.contains(processor) else { return 0 }
        if awaitsBirth, mayPoll { return PollingPolicy.birthTicks }
        guard kernelBudget > 0 else { return 0 }
        return kernelBudget + (hasWokenElsewhere ? PollingPolicy.wakeTicks : 0)
    }

    /// A wait is over, before or after the kernel fell asleep. It was ended by a request, or teaches nothing.
    mutating func waited(_ ticks: UInt64, asleep: Bool, byRequest: Bool = true) {
        guard mayPoll else { return }
        let excuses: UInt64 = (hasWokenElsewhere ? 1 : 0) + (asleep ? 1 : 0)
        hasWokenElsewhere = false
        guard byRequest else { return }
        // When would it have come had both been awake?
        let arrival = ticks - min(ticks, excuses * PollingPolicy.wakeTicks)
        let hasPaid = arrival <= PollingPolicy.mostKernelTicks && !(asleep && arrival < kernelBudget)
        kernelBudget = PollingPolicy.adapted(kernelBudget, grows: hasPaid, most: PollingPolicy.mostKernelTicks)
    }

    private static func adapted(_ budget: UInt64, grows: Bool, most: UInt64) -> UInt64 {
        let least = most / steps
        if grows { return budget == 0 ? least : min(2 * budget, most) }
        return budget / 2 < least ? 0 : budget / 2
    }

    // MARK: While requests are served

    /// Whether it wants to hear of requests from elsewhere, too.
    @inline(__always)
    var hears: Bool { sinceMove < PollingPolicy.worthwhile || stubBudget < PollingPolicy.mostStubTicks }

    /// A request was taken.
    /// - Parameters:
    ///   - isHere: it came from the kernel's own processor: the two take turns on it.
    ///   - now: matters only then.
    /// - Returns: true where the kernel should leave that processor to its stubs, if `refuge` knows a better one.
    @inline(__always)
    mutating func served(isHere: Bool, at now: UInt64) -> Bool {
        if sinceMove < PollingPolicy.worthwhile { sinceMove += 1 }
        if stubBudget < PollingPolicy.mostStubTicks, mayPoll { answeredInTime() }
        return isHere && mayPoll && isDense(at: now, within: PollingPolicy.denseTicks)
    }

    /// The kernel is about to sleep, in a row of short waits, because one guest computes on its processor while others ask from
    /// elsewhere: each of their calls would wake it across processors.
    /// - Returns: true where it should leave, if `refuge` knows a better place.
    mutating func isCrowded(on processor: Int, running: ProcessorSet, at now: UInt64) -> Bool {
        guard mayPoll, running.contains(processor), running.count > 1 else { return false }
        return isDense(at: now, within: PollingPolicy.denseTicks + 2 * PollingPolicy.wakeTicks)
    }

    private mutating func isDense(at now: UInt64, within limit: UInt64) -> Bool {
        dense = now &- lastHere < limit ? dense + 1 : 0
        lastHere = now
        if sinceMove < Int.max, dense == 1 {
            // They are together again: what has the last move brought?
            patience =
                sinceMove < PollingPolicy.worthwhile
                ? min(2 * patience, PollingPolicy.mostPatience) : PollingPolicy.leastPatience
            sinceMove = Int.max
        }
        guard dense >= patience else { return false }
        dense = 0
        return true
    }

    /// Where the kernel should go from its processor: where no guest runs. Nil where there is no such place.
    func refuge(from processor: Int, running: ProcessorSet) -> ProcessorSet? {
        var free = processors.subtracting(running)
        free.remove(processor)
        return free.isEmpty ? nil : free
    }

    /// The kernel has gone there.
    mutating func moved() { sinceMove = 0 }

    // MARK: Answers

    private mutating func answeredInTime() {
        answersInTime += 1
        guard answersInTime >= PollingPolicy.calm else { return }
        answersInTime = 0
        stubBudget = PollingPolicy.adapted(stubBudget, grows: true, most: PollingPolicy.mostStubTicks)
    }

    /// A sleeper on another processor has been woken by the kernel.
    mutating func wokeElsewhere() { hasWokenElsewhere = true }

    /// A stub has polled for an answer in vain: it was not told to sleep, but has to be woken. The kernel has worked on it for so
    /// long: where polling on would have brought the answer, it should have.
    mutating func answeredLate(after ticks: UInt64) {
        guard mayPoll else { return }
        answersInTime = 0
        guard ticks > PollingPolicy.mostStubTicks else {
            stubBudget = PollingPolicy.adapted(stubBudget, grows: true, most: PollingPolicy.mostStubTicks)
            return
        }
        let shorter = PollingPolicy.adapted(stubBudget, grows: false, most: PollingPolicy.mostStubTicks)
        // Never nothing: most answers come at once.
        if shorter > 0 { stubBudget = shorter }
    }

    // MARK: From one stub to another

    /// Whether the answer of a stub should wait until those have run whom its call has given something to do: it polls
    /// elsewhere and could wake them.
    func holdsAnswer(of waker: Int, kernel: Int) -> Bool { mayPoll && waker != kernel }

    /// Whether the stub that is answered should wake the sleeper, instead of the kernel: where both share a processor, or the
    /// sleeper would come to the kernel's.
    func handsOver(from waker: Int, to sleeper: Int, kernel: Int) -> Bool {
        holdsAnswer(of: waker, kernel: kernel) && (sleeper == waker || sleeper == kernel)
    }
}
