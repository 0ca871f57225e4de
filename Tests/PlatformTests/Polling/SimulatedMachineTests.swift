import Testing

@testable import Platform

/// What the rules of polling bring on machines of one, two and sixteen processors.
@Suite struct SimulatedMachineTests {
    typealias Guest = SimulatedMachine.Guest

    static let seeds: [UInt64] = [1, 0x5eed]
    /// Calls as those of a loop that reads bytes.
    static let dense = Guest(thinks: 1...3)
    /// Computes, and seldom asks.
    static let sparse = Guest(thinks: 2000...6000)
    static let pair = [Guest(thinks: 1...2, partner: 1), Guest(thinks: 1...2, partner: 0, isFirst: false)]

    private static func run(
        _ processors: Int, _ guests: [Guest], _ seed: UInt64, _ placement: SimulatedMachine.Placement = .nearBy,
        milliseconds: UInt64 = 10
    ) -> SimulatedMachine {
        var machine = SimulatedMachine(processors: processors, guests: guests, placement: placement, seed: seed)
        machine.run(for: milliseconds * 1000)
        return machine
    }

    @Test(arguments: [[dense], [dense, dense], [sparse, dense], pair], seeds)
    func onOneProcessorNobodyPolls(_ guests: [Guest], _ seed: UInt64) {
        let machine = Self.run(1, guests, seed)
        #expect(machine.kernelPolled == 0)
        #expect(machine.guestsPolled == 0)
        #expect((0..<guests.count).allSatisfy { machine.calls($0) > 0 })
    }

    /// Whatever the host does, the calls of one busy guest come to be polled for.
    @Test(arguments: [2, 16], seeds)
    func aBusyGuestIsServedByPolling(_ processors: Int, _ seed: UInt64) {
        for placement in [SimulatedMachine.Placement.nearBy, .whereIdle] {
            let machine = Self.run(processors, [Self.dense], seed, placement)
            #expect(machine.answeredByPolling(0) >= 95)
            // 10 ms of calls that take some 3 to 4 µs each.
            #expect(machine.calls(0) > 2000)
        }
    }

    @Test(arguments: seeds)
    func twoBusyGuestsOnTwoProcessorsDoNotStarveEachOther(_ seed: UInt64) {
        for placement in [SimulatedMachine.Placement.nearBy, .whereIdle] {
            let machine = Self.run(2, [Self.dense, Self.dense], seed, placement, milliseconds: 40)
            let (one, other) = (machine.calls(0), machine.calls(1))
            #expect(min(one, other) * 4 > max(one, other), "\(one) and \(other) calls")
        }
    }

    /// What computes keeps its processor, whoever polls on others.
    @Test(arguments: [2, 16], seeds)
    func aGuestThatComputesKeepsItsProcessor(_ processors: Int, _ seed: UInt64) {
        let machine = Self.run(processors, [Self.sparse], seed, milliseconds: 200)
        // Of 440 million ticks.
        #expect(machine.actors[1].computed > 390_000_000)
    }

    /// Fourteen guests that compute give the kernel nothing to poll for.
    @Test(arguments: seeds)
    func onSixteenProcessorsTheKernelPollsOnlyForDenseGuests(_ seed: UInt64) {
        let guests = [Guest](repeating: Guest(thinks: 20_000...60_000), count: 14)
        for placement in [SimulatedMachine.Placement.nearBy, .whereIdle] {
            let quiet = Self.run(16, guests, seed, placement, milliseconds: 200)
            #expect(quiet.kernelPolled * 100 < 440_000_000, "\(quiet.kernelPolled) ticks")
            let busy = Self.run(16, guests + [Self.dense], seed, placement, milliseconds: 30)
            #expect(busy.answeredByPolling(14) >= 90)
        }
    }

    @Test(arguments: [3, 16], seeds)
    func guestsDoNotWaitBehindThePollerWhileProcessorsAreIdle(_ processors: Int, _ seed: UInt64) {
        for guests in [[Self.dense, Self.dense], [Self.dense, Self.sparse], Self.pair] {
            for placement in [SimulatedMachine.Placement.nearBy, .whereIdle] {
                let machine = Self.run(processors, guests, seed, placement)
                // A budget at most each time that the host has put one behind it.
                let polled = machine.pollsBeforeGuestsBesideIdle
                #expect(polled * 100 < machine.now, "\(polled) ticks")
            }
        }
    }

    /// A ping-pong of two guests: the wake-ups that cross processors are few, since each wakes the other.
    @Test(arguments: [2], seeds)
    func aPingPongStaysOnOneProcessorAndTheKernelPollsOnAnother(_ processors: Int, _ seed: UInt64) {
        let machine = Self.run(processors, Self.pair, seed)
        #expect(machine.calls(0) > 400)
        #expect(machine.interrupts * 10 < machine.wakeUps, "\(machine.interrupts) of \(machine.wakeUps)")
    }

    /// The two of a ping-pong come to wait without sleeping where the kernel needs none of their processors, and nobody wakes anybody.
    @Test(arguments: [1, 2, 3, 16], seeds)
    func aPingPongTakesTurns(_ processors: Int, _ seed: UInt64) {
        let machine = Self.run(processors, Self.pair, seed)
        #expect(machine.calls(0) > 400)
        if processors == 1 {
            #expect(machine.turnsTaken == 0)
        } else {
            #expect(machine.wakeUps * 10 < machine.calls(0), "\(machine.wakeUps) for \(machine.calls(0))")
        }
    }

    /// Who computes on their processor ends that: both would wait a slice each time.
    @Test(arguments: [2, 3], seeds)
    func turnsEndBesideWhoComputes(_ processors: Int, _ seed: UInt64) {
        let load = [Guest](repeating: Guest(thinks: 50_000...90_000), count: processors)
        let machine = Self.run(processors, Self.pair + load, seed, milliseconds: 2000)
        #expect(machine.turnsTaken * 4 < machine.calls(0) + machine.calls(1), "\(machine.turnsTaken) turns")
    }

    /// Guests that compute and talk to nobody have all processors.
    @Test(arguments: [2, 3], seeds)
    func computingGuestsHaveAllProcessors(_ processors: Int, _ seed: UInt64) {
        let machine = Self.run(
            processors, [Guest](repeating: Self.sparse, count: processors), seed, milliseconds: 200)
        let computed = machine.actors.dropFirst().reduce(0) { $0 + $1.computed }
        #expect(computed > UInt64(processors) * 390_000_000, "\(computed) ticks")
        #expect(machine.turnsTaken == 0)
    }

    /// Nobody polls longer at a time than the bounds say, on any machine.
    @Test(arguments: [1, 2, 3, 16], seeds)
    func pollingIsBounded(_ processors: Int, _ seed: UInt64) {
        for guests in [[Self.dense], [Self.sparse, Self.sparse], Self.pair, [Self.dense, Self.sparse, Self.dense]] {
            for placement in [SimulatedMachine.Placement.nearBy, .whereIdle] {
                let machine = Self.run(processors, guests, seed, placement)
                #expect(machine.actors[0].longestPoll <= PollingPolicy.mostKernelTicks + PollingPolicy.wakeTicks)
                for guest in machine.actors.dropFirst() {
                    #expect(guest.longestPoll <= PollingPolicy.mostStubTicks)
                }
            }
        }
    }

    /// Guests that have nothing to do leave the machine to others.
    @Test(arguments: [1, 2, 16], seeds)
    func anIdleMachineSleeps(_ processors: Int, _ seed: UInt64) {
        let guests = [Self.pair[0], Guest(thinks: 1_000_000...2_000_000, partner: 0, isFirst: false)]
        let machine = Self.run(processors, guests, seed, milliseconds: 100)
        #expect(machine.kernelPolled + machine.guestsPolled <= 4 * PollingPolicy.mostKernelTicks)
    }
}
