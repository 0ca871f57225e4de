import Testing

@testable import Platform

@Suite struct WaitTurnsTests {
    /// Waits that last so long, and the next request comes so much later; how many of them gave way.
    private static func given(
        _ turns: inout WaitTurns, waits: Int, lasting: UInt64 = 5000, then: UInt64 = 3000, maySwitch: Bool = true,
        isElsewhere: Bool = true
    ) -> Int {
        var now: UInt64 = 1_000_000
        var given = 0
        for _ in 0..<waits {
            if turns.begins(at: now, maySwitch: maySwitch) { given += 1 }
            now += lasting
            turns.ended(at: now, isElsewhere: isElsewhere)
            now += then
            turns.asked(at: now)
        }
        return given
    }

    @Test func someShortWaitsInARowAreTheProof() {
        var turns = WaitTurns()
        #expect(Self.given(&turns, waits: WaitTurns.proof) == 0)
        #expect(Self.given(&turns, waits: 1000) == 1000)
    }

    @Test func notForWhatTheKernelsProcessorBrings() {
        var turns = WaitTurns()
        #expect(Self.given(&turns, waits: 1000, isElsewhere: false) == 0)
        _ = Self.given(&turns, waits: 100)
        // The first wait of that kind is not known for one.
        #expect(Self.given(&turns, waits: 1000, isElsewhere: false) == 1)
    }

    @Test func notForLongWaits() {
        var turns = WaitTurns()
        #expect(Self.given(&turns, waits: 1000, lasting: WaitTurns.denseTicks) == 0)
    }

    @Test func notOnTheKernelsProcessor() {
        var turns = WaitTurns()
        _ = Self.given(&turns, waits: 100)
        #expect(Self.given(&turns, waits: 1000, maySwitch: false) == 0)
    }

    /// The answer was there soon, but somebody else had the processor for a slice of the scheduler's.
    @Test func rarelyBesideSomebodyElse() {
        var turns = WaitTurns()
        #expect((1...12).contains(Self.given(&turns, waits: 100_000, then: 100 * WaitTurns.denseTicks)))
    }

    @Test func aWaitThatEndsOtherwiseSaysNothing() {
        var turns = WaitTurns()
        _ = Self.given(&turns, waits: 100)
        let begun = turns.begins(at: 1000, maySwitch: true)
        #expect(begun && turns.isTaking)
        // Interrupted: the stub asks without having been answered.
        turns.asked(at: 2000)
        #expect(!turns.isTaking)
    }
}
