@testable import Platform

/// A machine with some processors, a kernel's thread and guests, moved from event to event by a fixed seed. The kernel and the stubs
/// decide by `PollingPolicy`, as the real ones do; what waking, switching and noticing cost is drawn from what was measured.
///
/// Times are ticks of 2.2 GHz: see `SimulatedMachine.microsecond`.
struct SimulatedMachine {
    static let microsecond: UInt64 = 2200

    /// What the host does with somebody who is woken.
    enum Placement {
        /// Puts him where he was, or beside whoever wakes him: as this project's machines mostly do.
        case nearBy
        /// Puts him where he was, or where nobody is.
        case whereIdle
    }

    struct Guest {
        /// How long it computes between two calls, in microseconds.
        var thinks: ClosedRange<UInt64>
        /// Its calls wait for this guest's next call, in turns, as a ping-pong's do; nil for calls that are answered at once.
        var partner: Int?
        var isFirst = true
    }

    enum Activity: Equatable {
        case computes, polls, notices, serves, blocked, sleeps
        /// Waits for another guest, and gives way to it again and again.
        case turns
        /// Guest code waits for nobody, but is to ask as the next thing.
        case isToAsk
    }

    struct Actor {
        var activity: Activity
        var processor: Int
        /// Of the activity, while it has the processor.
        var remaining: UInt64 = 0
        var asks = false
        /// Its answer stands.
        var isAnswered = false
        var wasBlocked = false
        var turns = WaitTurns()
        /// Ends its turns.
        var turnsUntil: UInt64 = 0
        var calls = 0
        var answersByPolling = 0
        var polled: UInt64 = 0
        var longestPoll: UInt64 = 0
        var thisPoll: UInt64 = 0
        var computed: UInt64 = 0
    }

    private(set) var policy: PollingPolicy
    private(set) var now: UInt64 = 1_000_000
    private(set) var actors: [Actor]
    private(set) var moves = 0
    /// Ticks for which the kernel polled on a processor on which a guest waited for its turn.
    private(set) var pollsBeforeGuests: UInt64 = 0
    /// The same while another processor had nothing to do.
    private(set) var pollsBeforeGuestsBesideIdle: UInt64 = 0
    private(set) var wakeUps = 0
    /// Wake-ups from one processor to another.
    private(set) var interrupts = 0
    /// How often a guest gave way to another one.
    private(set) var turnsTaken = 0

    private let guests: [Guest]
    private let placement: Placement
    private let count: Int
    private var generator: SplitMix
    /// Who wants each processor; the first one has it.
    private var queues: [[Int]]
    private var sliceEnds: [UInt64]
    /// Who is on the way to a processor, and when he arrives.
    private var arrivals: [(at: UInt64, actor: Int, processor: Int)] = []
    private var nextBalance: UInt64 = 0
    private var waitBegan: UInt64 = 0
    private var workBegan: UInt64 = 0
    private var fellAsleep = false
    private var serving = 0
    private var lastServed = 0
    private var held: Int?
    private var heldWakes: Int?

    static let kernel = 0
    private static let slice: UInt64 = 3000 * microsecond

    init(processors: Int, guests: [Guest], placement: Placement, seed: UInt64) {
        policy = PollingPolicy(processors: ProcessorSet(0..<processors))
        count = processors
        self.guests = guests
        self.placement = placement
        generator = SplitMix(state: seed)
        queues = Array(repeating: [], count: processors)
        sliceEnds = Array(repeating: 0, count: processors)
        actors = [Actor(activity: .sleeps, processor: 0)]
        for index in guests.indices {
            // Where programs start; who computes is soon taken over by idle processors.
            actors.append(Actor(activity: .computes, processor: 0))
            actors[index + 1].remaining = think(index + 1)
            queues[0].append(index + 1)
        }
        fellAsleep = true
        waitBegan = now
    }

    // MARK: Time

    /// Runs for so many microseconds.
    mutating func run(for microseconds: UInt64) {
        let end = now + microseconds * Self.microsecond
        while now < end {
            var next = end
            for arrival in arrivals { next = min(next, arrival.at) }
            for (index, queue) in queues.enumerated() {
                guard let first = queue.first else { continue }
                next = min(next, now + actors[first].remaining)
                if queue.count > 1 { next = min(next, max(sliceEnds[index], now)) }
            }
            advance(to: next)
            if now >= nextBalance {
                balance()
                nextBalance = now + Self.slice / 3
            }
            while let due = arrivals.firstIndex(where: { $0.at <= now }) {
                let arrival = arrivals.remove(at: due)
                queues[arrival.processor].insert(arrival.actor, at: 0)
                sliceEnds[arrival.processor] = now + Self.slice
            }
            for index in queues.indices {
                if let first = queues[index].first, actors[first].remaining == 0 { finished(first) }
                if queues[index].count > 1, sliceEnds[index] <= now {
                    queues[index].append(queues[index].removeFirst())
                    sliceEnds[index] = now + Self.slice
                }
            }
        }
    }

    private mutating func advance(to next: UInt64) {
        let step = next - now
        let someIdle = queues.contains { $0.isEmpty }
        for queue in queues {
            guard let first = queue.first else { continue }
            actors[first].remaining -= min(step, actors[first].remaining)
            switch actors[first].activity {
            case .polls:
                actors[first].polled += step
                actors[first].thisPoll += step
                actors[first].longestPoll = max(actors[first].longestPoll, actors[first].thisPoll)
                if first == Self.kernel, queue.count > 1 {
                    pollsBeforeGuests += step
                    if someIdle { pollsBeforeGuestsBesideIdle += step }
                }
            case .computes: actors[first].computed += step
            default: break
            }
        }
        now = next
    }

    /// An idle processor takes somebody who waits for another one.
    private mutating func balance() {
        for idle in queues.indices where queues[idle].isEmpty {
            guard let full = queues.indices.first(where: { queues[$0].count > 1 }) else { return }
            let actor = queues[full].removeLast()
            queues[idle] = [actor]
            actors[actor].processor = idle
        }
    }

    private mutating func microseconds(_ range: ClosedRange<UInt64>) -> UInt64 {
        UInt64.random(in: (range.lowerBound * 10)...(range.upperBound * 10), using: &generator) * Self.microsecond / 10
    }

    private mutating func think(_ guest: Int) -> UInt64 { max(1, microseconds(guests[guest - 1].thinks)) }
    /// Until who polls sees it: 0.15 to 0.45 µs.
    private mutating func noticing() -> UInt64 { UInt64.random(in: 330...990, using: &generator) }

    // MARK: The host

    private mutating func sleep(_ actor: Int, as activity: Activity) {
        actors[actor].activity = activity
        actors[actor].thisPoll = 0
        for index in queues.indices { queues[index].removeAll { $0 == actor } }
    }

    private mutating func wake(_ actor: Int, from processor: Int, to activity: Activity, remaining: UInt64) {
        guard actors[actor].activity == .sleeps || actors[actor].activity == .blocked else { return }
        wakeUps += 1
        actors[actor].activity = activity
        actors[actor].remaining = remaining
        var target = actors[actor].processor
        if !queues[target].isEmpty {
            target = placement == .nearBy ? processor : queues.firstIndex { $0.isEmpty } ?? target
        }
        actors[actor].processor = target
        let isNear = target == processor
        if !isNear { interrupts += 1 }
        // It is the way out of idleness that takes long.
        let delay: ClosedRange<UInt64> = isNear ? 1...3 : queues[target].isEmpty ? 20...130 : 3...6
        arrivals.append((now + microseconds(delay), actor, target))
    }

    // MARK: Stubs

    private mutating func finished(_ actor: Int) {
        guard actor != Self.kernel else { return kernelGoesOn() }
        switch actors[actor].activity {
        case .computes, .isToAsk: ask(actor)
        case .notices: goOn(actor)
        case .polls: actors[actor].isAnswered ? goOn(actor) : sleep(actor, as: .sleeps)
        case .turns:
            if now >= actors[actor].turnsUntil { sleep(actor, as: .blocked) } else { giveWay(actor) }
        default: break
        }
    }

    /// To who waits for the processor, if anybody does; what the switch and its own look take it has ahead of itself.
    private mutating func giveWay(_ guest: Int) {
        let processor = actors[guest].processor
        queues[processor].removeAll { $0 == guest }
        queues[processor].append(guest)
        sliceEnds[processor] = now + Self.slice
        actors[guest].remaining = 1100 + noticing()
        turnsTaken += 1
    }

    private mutating func ask(_ guest: Int) {
        actors[guest].turns.asked(at: now)
        actors[guest].asks = true
        actors[guest].isAnswered = false
        actors[guest].wasBlocked = false
        actors[guest].thisPoll = 0
        let kernel = actors[Self.kernel]
        if kernel.activity == .polls, queues[kernel.processor].first == Self.kernel {
            actors[Self.kernel].activity = .notices
            actors[Self.kernel].remaining = noticing()
        } else if kernel.activity == .sleeps {
            wake(Self.kernel, from: actors[guest].processor, to: .notices, remaining: 0)
        }
        if policy.stubBudget > 0, actors[Self.kernel].processor != actors[guest].processor {
            actors[guest].activity = .polls
            actors[guest].remaining = policy.stubBudget
        } else {
            sleep(guest, as: .sleeps)
        }
    }

    private mutating func goOn(_ guest: Int) {
        actors[guest].activity = .computes
        actors[guest].calls += 1
        actors[guest].remaining = think(guest)
        actors[guest].thisPoll = 0
    }

    // MARK: The kernel

    private mutating func kernelGoesOn() {
        switch actors[Self.kernel].activity {
        case .notices: takeRequest()
        case .serves: serve()
        case .polls:
            fellAsleep = true
            sleep(Self.kernel, as: .sleeps)
        default: break
        }
    }

    private mutating func takeRequest() {
        let order = (1...guests.count).map { (lastServed + $0 - 1) % guests.count + 1 }
        guard let guest = order.first(where: { actors[$0].asks }) else { return wait() }
        if waitBegan != 0 {
            policy.waited(now - waitBegan, asleep: fellAsleep)
            waitBegan = 0
            workBegan = now - (fellAsleep ? PollingPolicy.wakeTicks : 0)
        }
        fellAsleep = false
        lastServed = guest
        serving = guest
        actors[guest].asks = false
        let here = actors[Self.kernel].processor
        let moving = policy.served(isHere: actors[guest].processor == here, at: now) && leave()
        actors[Self.kernel].activity = .serves
        actors[Self.kernel].remaining = 660 + (moving ? microseconds(5...20) : 0)
    }

    private mutating func leave() -> Bool {
        let here = actors[Self.kernel].processor
        guard let refuge = policy.refuge(from: here, running: running) else { return false }
        let target = queues.indices.first { refuge.contains($0) && queues[$0].isEmpty }
        let place = target ?? queues.indices.first { refuge.contains($0) } ?? here
        queues[here].removeAll { $0 == Self.kernel }
        queues[place].insert(Self.kernel, at: 0)
        actors[Self.kernel].processor = place
        policy.moved()
        moves += 1
        return true
    }

    private mutating func serve() {
        let guest = serving
        if let partner = guests[guest - 1].partner.map({ $0 + 1 }) {
            // The call wakes the partner, and waits for his.
            if actors[partner].activity == .blocked || actors[partner].activity == .turns {
                answer(partner, through: guest)
            }
            actors[guest].wasBlocked = true
            let maySwitch = policy.mayPoll && actors[guest].processor != actors[Self.kernel].processor
            if actors[guest].turns.begins(at: now, maySwitch: maySwitch), actors[guest].activity == .polls {
                actors[guest].activity = .turns
                actors[guest].turnsUntil = now + WaitTurns.denseTicks
                giveWay(guest)
            }
            if actors[guest].activity == .polls { sleep(guest, as: .blocked) }
            if actors[guest].activity == .sleeps { actors[guest].activity = .blocked }
            // Somebody begins.
            if guests[guest - 1].isFirst, actors[partner].calls == 0, actors[guest].calls == 0 {
                answer(guest, through: nil)
            }
        } else {
            answer(guest, through: nil)
        }
        takeRequest()
    }

    /// Gives an answer; a sleeper is woken by the kernel or, where the policy has it so, by the stub whose call woke him.
    private mutating func answer(_ guest: Int, through waker: Int?) {
        actors[guest].isAnswered = true
        let here = actors[Self.kernel].processor
        if let waker {
            let place = actors[guest].processor
            actors[guest].turns.ended(at: now, isElsewhere: actors[waker].processor != here && place != here)
        }
        if actors[guest].activity == .turns {
            // As soon as it has the processor again.
            actors[guest].activity = .notices
            return
        }
        if actors[guest].activity == .polls {
            actors[guest].answersByPolling += 1
            actors[guest].activity = .notices
            actors[guest].remaining = noticing()
            return
        }
        if !actors[guest].wasBlocked, actors[guest].processor != here { policy.answeredLate(after: now - workBegan) }
        var from = here
        if let waker, policy.handsOver(from: actors[waker].processor, to: actors[guest].processor, kernel: here) {
            from = actors[waker].processor
        } else if actors[guest].processor != here {
            policy.wokeElsewhere()
        }
        wake(guest, from: from, to: .notices, remaining: 0)
    }

    private var running: ProcessorSet {
        var set = ProcessorSet()
        for guest in actors.dropFirst() where !guest.asks {
            if guest.activity == .computes || guest.activity == .notices { set.insert(guest.processor) }
        }
        return set
    }

    private mutating func wait() {
        waitBegan = now
        if policy.isCrowded(on: actors[Self.kernel].processor, running: running, at: now) { _ = leave() }
        let budget = policy.budget(on: actors[Self.kernel].processor, running: running)
        guard budget > 0 else {
            fellAsleep = true
            return sleep(Self.kernel, as: .sleeps)
        }
        actors[Self.kernel].activity = .polls
        actors[Self.kernel].thisPoll = 0
        actors[Self.kernel].remaining = budget
    }

    // MARK: What came of it

    var kernelPolled: UInt64 { actors[Self.kernel].polled }
    var guestsPolled: UInt64 { actors.dropFirst().reduce(0) { $0 + $1.polled } }
    func calls(_ guest: Int) -> Int { actors[guest + 1].calls }
    /// Of a guest's calls, in hundredths.
    func answeredByPolling(_ guest: Int) -> Int {
        actors[guest + 1].answersByPolling * 100 / max(1, actors[guest + 1].calls)
    }
}

/// Vigna's splitmix64.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
