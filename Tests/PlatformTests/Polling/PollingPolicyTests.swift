import Testing

@testable import Platform

@Suite struct PollingPolicyTests {
    private static let two = ProcessorSet(0..<2)

    /// Dense or other requests from the kernel's own processor; which one had it move.
    private static func move(_ policy: inout PollingPolicy, every ticks: UInt64, requests: Int) -> Int? {
        for request in 0..<requests where policy.served(isHere: true, at: 1_000_000 + UInt64(request) * ticks) {
            policy.moved()
            return request
        }
        return nil
    }

    @Test func oneProcessorIsNeverPolledOn() {
        var policy = PollingPolicy(processors: ProcessorSet([5]))
        #expect(!policy.mayPoll && policy.stubBudget == 0)
        policy.waited(10, asleep: true)
        policy.answeredLate(after: 10)
        #expect(policy.budget(on: 5, running: ProcessorSet([3])) == 0)
        #expect(policy.stubBudget == 0)
        #expect(!policy.holdsAnswer(of: 4, kernel: 5))
        #expect(Self.move(&policy, every: 100, requests: 1000) == nil)
    }

    @Test func nobodyPollsWhereTheOtherSideRuns() {
        let policy = PollingPolicy(processors: Self.two)
        #expect(policy.budget(on: 0, running: ProcessorSet([1])) == PollingPolicy.mostKernelTicks)
        #expect(policy.budget(on: 0, running: ProcessorSet([0, 1])) == 0)
        #expect(policy.budget(on: 0, running: ProcessorSet()) == 0)
    }

    @Test func theBudgetFollowsWhatPollingBrings() {
        var policy = PollingPolicy(processors: Self.two)
        let budget = { (policy: PollingPolicy) in policy.budget(on: 0, running: ProcessorSet([1])) }
        // Guests that ask every few milliseconds.
        for _ in 0..<4 { policy.waited(10_000_000, asleep: true) }
        #expect(budget(policy) == 0)
        // One that would have been met had anybody polled.
        policy.waited(PollingPolicy.wakeTicks + 30_000, asleep: true)
        #expect(budget(policy) == PollingPolicy.mostKernelTicks / PollingPolicy.steps)
        policy.waited(PollingPolicy.wakeTicks + 30_000, asleep: true)
        policy.waited(PollingPolicy.wakeTicks + 35_000, asleep: true)
        for _ in 0..<100 { policy.waited(1000, asleep: false) }
        #expect(budget(policy) == PollingPolicy.mostKernelTicks)
    }

    /// Where a process is made the next request comes late, and to sleep then costs its maker and it a wake-up each.
    @Test func birthsAreWaitedForWhateverHasPaid() {
        var policy = PollingPolicy(processors: Self.two)
        for _ in 0..<4 { policy.waited(10_000_000, asleep: true) }
        #expect(policy.budget(on: 0, running: ProcessorSet([1])) == 0)
        #expect(policy.budget(on: 0, running: ProcessorSet([1]), awaitsBirth: true) == PollingPolicy.birthTicks)
        #expect(policy.budget(on: 0, running: ProcessorSet([0, 1]), awaitsBirth: true) == 0)
        let alone = PollingPolicy(processors: ProcessorSet([5]))
        #expect(alone.budget(on: 5, running: ProcessorSet([3]), awaitsBirth: true) == 0)
    }

    @Test func stubsWaitShorterForALateKernelAndLongerAgain() {
        var policy = PollingPolicy(processors: Self.two)
        for _ in 0..<20 { policy.answeredLate(after: PollingPolicy.mostStubTicks + 1) }
        let least = policy.stubBudget
        #expect(least > 0 && least < PollingPolicy.mostStubTicks / 4)
        for _ in 0..<(4 * PollingPolicy.calm) { _ = policy.served(isHere: false, at: 0) }
        #expect(policy.stubBudget == PollingPolicy.mostStubTicks)
    }

    /// Calls that take longer than a short budget, but not so long that a wake-up would be cheaper.
    @Test func stubsWaitForAKernelThatWorks() {
        var policy = PollingPolicy(processors: Self.two)
        for _ in 0..<20 { policy.answeredLate(after: PollingPolicy.mostStubTicks + 1) }
        for _ in 0..<4 { policy.answeredLate(after: PollingPolicy.mostStubTicks / 2) }
        #expect(policy.stubBudget == PollingPolicy.mostStubTicks)
    }

    @Test func theKernelMovesForDenseCallsOnly() {
        var policy = PollingPolicy(processors: Self.two)
        #expect(Self.move(&policy, every: PollingPolicy.denseTicks * 2, requests: 1000) == nil)
        #expect(
            Self.move(&policy, every: PollingPolicy.denseTicks / 5, requests: 100) == PollingPolicy.leastPatience)
    }

    /// Each move that brings few calls makes the next one later; one that brings many makes it early again.
    @Test func theKernelLearnsWhetherMovesPay() {
        var policy = PollingPolicy(processors: Self.two)
        var moves: [Int] = []
        for _ in 0..<4 { moves.append(Self.move(&policy, every: 1000, requests: 10_000) ?? -1) }
        #expect(moves == moves.sorted())
        #expect(policy.patience >= 4 * PollingPolicy.leastPatience)
        for _ in 0..<PollingPolicy.worthwhile { _ = policy.served(isHere: false, at: 0) }
        _ = Self.move(&policy, every: 1000, requests: 10_000)
        #expect(policy.patience == PollingPolicy.leastPatience)
        for _ in 0..<40 { _ = Self.move(&policy, every: 1000, requests: 100_000) }
        #expect(policy.patience == PollingPolicy.mostPatience)
    }

    @Test func theKernelGoesWhereNoGuestRuns() {
        let policy = PollingPolicy(processors: ProcessorSet(0..<4))
        #expect(policy.refuge(from: 1, running: ProcessorSet([2])) == ProcessorSet([0, 3]))
        #expect(policy.refuge(from: 1, running: ProcessorSet([0, 2, 3])) == nil)
    }

    @Test func theWakerWakesWhoeverSharesItsProcessor() {
        let policy = PollingPolicy(processors: ProcessorSet(0..<4))
        #expect(policy.handsOver(from: 1, to: 1, kernel: 0))
        // It would come to the kernel's.
        #expect(policy.handsOver(from: 1, to: 0, kernel: 0))
        #expect(!policy.handsOver(from: 1, to: 2, kernel: 0))
        #expect(!policy.handsOver(from: 0, to: 0, kernel: 0))
    }

    @Test func aSetHoldsTheFirst256Processors() {
        var set = ProcessorSet([0, 63, 64, 255, 256, -1])
        #expect(set.count == 4 && set.contains(255) && !set.contains(256))
        set.remove(64)
        #expect(ProcessorSet(words: set.words) == set)
        #expect(set.subtracting(ProcessorSet([0, 63])) == ProcessorSet([255]))
    }
}
