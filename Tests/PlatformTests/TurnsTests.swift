import Testing

@testable import Platform

@Suite struct TurnsTests {
    /// How many of so many waits gave way, each for that long.
    private static func given(_ turns: inout Turns, waits: Int, ticks: UInt64, brought: Bool = true) -> Int {
        var given = 0
        for _ in 0..<waits where turns.shouldGiveWay() {
            given += 1
            turns.gaveWay(for: ticks, brought: brought)
        }
        return given
    }

    @Test func shortTurnsGoOn() {
        var turns = Turns()
        #expect(Self.given(&turns, waits: 10_000, ticks: Turns.shortTicks / 10) == 10_000)
    }

    @Test func nobodyToGiveWayToSaysNothing() {
        var turns = Turns()
        _ = Self.given(&turns, waits: 1, ticks: Turns.shortTicks)
        let rest = turns.nextRest
        #expect(Self.given(&turns, waits: 10_000, ticks: 0, brought: false) > 0)
        #expect(turns.nextRest == rest)
    }

    /// A process that begins or ends, or computes for a while, holds nobody up who had been there first: some 100 µs.
    @Test func birthsAndDeathsAreShort() {
        var turns = Turns()
        #expect(Self.given(&turns, waits: 1000, ticks: 250_000) == 1000)
    }

    /// Beside a program that computes each try costs a slice: of a hundred thousand waits hardly any may be one.
    @Test func longTurnsBecomeRare() {
        var turns = Turns()
        #expect((2...12).contains(Self.given(&turns, waits: 100_000, ticks: 100 * Turns.shortTicks)))
        #expect(turns.nextRest == Turns.mostRest)
        #expect(Self.given(&turns, waits: 10 * Turns.mostRest, ticks: Turns.shortTicks) <= 11)
        #expect(turns.nextRest == Turns.mostRest)
    }

    @Test func restsOnceAfterOneLongTurn() {
        var turns = Turns()
        #expect(Self.given(&turns, waits: 1, ticks: Turns.shortTicks) == 1)
        #expect(Self.given(&turns, waits: 1000, ticks: 1) == 1000 - Turns.leastRest)
    }

    /// A few short turns between long ones are no proof: another program may wait for its disk now and then.
    @Test func forgetsSlowly() {
        var turns = Turns()
        for _ in 0..<4 {
            while turns.nextRest < 8 * Turns.leastRest { _ = Self.given(&turns, waits: 1, ticks: Turns.shortTicks) }
            _ = Self.given(&turns, waits: turns.resting + Turns.proof / 2, ticks: 1)
            #expect(turns.nextRest == 8 * Turns.leastRest)
            _ = Self.given(&turns, waits: Turns.proof, ticks: 1)
            #expect(turns.nextRest == Turns.leastRest)
        }
    }
}
