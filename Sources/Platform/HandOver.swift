internal import HostSystem
internal import Stub

/// How one stub's answer wakes another stub.
///
/// Where a call gives somebody else what he sleeps for, the kernel, polling on a processor of its own, would have to interrupt
/// the caller's processor to have it switch: some microseconds on both. The caller's stub, which runs there, wakes him cheaper.
/// So its answer is held until the sleeper has his, and tells it to. Nobody relies on a guest for that: who still
/// sleeps a little later is woken by the kernel.
struct HandOver {
    /// The stub whose answer is held.
    var held: StubThread?
    /// Whom the last such answer was to wake, and when it was given, in TSC ticks.
    var entrusted: StubThread?
    var entrustedAt: UInt64 = 0
    let words = WakeWords()
}

/// The words on the doorbell's page that are nobody's. Whoever has one keeps this object.
final class WakeWords {
    private var free: [UInt32] = (1..<UInt32(APUS_WAKE_WORDS)).reversed()

    /// 0 when all are taken.
    func take() -> UInt32 { free.popLast() ?? 0 }
    func giveBack(_ index: UInt32) { if index != 0 { free.append(index) } }
}

extension TrapPlatform {
    /// Holds the answer of a stub that looks for it from another processor, if it is the only one.
    func holds(_ thread: StubThread) -> Bool {
        guard handOver.held == nil, policy.holdsAnswer(of: Int(thread.processor), kernel: Int(publishedProcessor)),
            !thread.sleeps
        else { return false }
        handOver.held = thread
        thread.isHeld = true
        return true
    }

    /// A stub that sleeps has its answer.
    func wake(_ thread: StubThread) {
        if thread.isBlocked {
            thread.isBlocked = false
        } else if UInt32(thread.processor) != publishedProcessor {
            policy.answeredLate(after: Host.ticks &- workBegan)
        }
        if let waker = handOver.held,
            policy.handsOver(
                from: Int(waker.processor), to: Int(thread.processor), kernel: Int(publishedProcessor)),
            waker.entrust(thread)
        {
            // One that is told again has been woken, and has asked since.
            if handOver.entrusted !== thread { wakeEntrusted() }
            handOver.entrusted = thread
            handOver.entrustedAt = Host.ticks
            return
        }
        wakeNow(thread)
    }

    func wakeNow(_ thread: StubThread) {
        if UInt32(thread.processor) != publishedProcessor { policy.wokeElsewhere() }
        guard thread.wakeIndex != 0 else { return thread.memory.wake(at: thread.hot) }
        let word = MemoryLayout<apus_doorbell>.offset(of: \.wake).map { $0 + 4 * Int(thread.wakeIndex) } ?? 0
        doorbell.increment(at: word)
        doorbell.wake(at: word, count: UInt(Int32.max))
    }

    /// All that the last call has made runnable has run: its stub goes on. To be called before requests are looked for.
    package func settleHandOver() {
        if let held = handOver.held {
            handOver.held = nil
            held.isHeld = false
            held.letGo()
        }
        if handOver.entrusted != nil, Host.ticks &- handOver.entrustedAt > TrapPlatform.trust { wakeEntrusted() }
    }

    /// What a held stub was answered does not count any more.
    func dropHeld() {
        handOver.held?.isHeld = false
        handOver.held = nil
        wakeEntrusted()
    }

    /// Wakes whoever a stub should have woken, and has not.
    func wakeEntrusted() {
        guard let thread = handOver.entrusted else { return }
        handOver.entrusted = nil
        if thread.oversleeps { wakeNow(thread) }
    }

    /// Wakes all who sleep although they have their answers: a guest can spoil the words that others sleep on.
    func wakeOversleepers() { for thread in watched.threads where thread.oversleeps { wakeNow(thread) } }

    /// For how long a stub is believed to wake another one, in TSC ticks.
    private static let trust: UInt64 = 100_000
}

extension StubThread {
    /// It sleeps for its answer.
    var sleeps: Bool { memory.loadSequential(at: cold + Cold.sleeps) == 1 }

    /// It has its answer, and sleeps.
    fileprivate var oversleeps: Bool { sleeps && memory.loadSequential(at: hot) == UInt32(APUS_STATE_DONE) }

    /// Has the answer that is held tell its stub to wake a sleeper.
    /// - Returns: false where that is not possible.
    fileprivate func entrust(_ sleeper: StubThread) -> Bool {
        let action: UInt16 = memory.load(at: hot + Hot.action)
        guard sleeper.wakeIndex != 0, action & UInt16(APUS_ACTION_WAKE) == 0 else { return false }
        memory.store(UInt64(sleeper.wakeIndex), at: hot + Hot.arguments)
        memory.store(action | UInt16(APUS_ACTION_WAKE), at: hot + Hot.action)
        return true
    }

    /// It is about to be told to wait; where it `keeps` what was said, after it has woken another one.
    func beginWait(keeps: Bool) {
        let platform = process.platform
        let maySwitch = platform.mayPoll && UInt32(processor) != platform.publishedProcessor
        // Else the request's stands there.
        if !keeps { memory.store(UInt16(0), at: hot + Hot.action) }
        if turns.begins(at: apus_ticks(), maySwitch: maySwitch) { addTurn() }
    }

    /// What it waits for has come. Whose call has brought that gives way to it, if its answer is held.
    func endWait() {
        let platform = process.platform
        let (here, kernel) = (processor, platform.publishedProcessor)
        let bringer = platform.lastProcessor
        turns.ended(at: apus_ticks(), isElsewhere: UInt32(here) != kernel && UInt32(bringer) != kernel)
        guard turns.isTaking, !sleeps else { return }
        isBlocked = false
        addTurn()
        if bringer == here, let waker = platform.handOver.held, waker !== self { waker.addTurn() }
    }

    /// It waits and does not sleep: by the time that it has the processor it has its answer, too, and nobody need wake it.
    var takesTurns: Bool { turns.isTaking && isBlocked && !sleeps }

    /// Has what it is told next say that it should give way on its processor.
    private func addTurn() {
        let action: UInt16 = memory.load(at: hot + Hot.action)
        memory.store(action | UInt16(APUS_ACTION_TURN), at: hot + Hot.action)
    }

    /// The answer that was held stands.
    fileprivate func letGo() {
        if isHeldAtRest {
            block()
            // One that sleeps does not look.
            if sleeps { process.platform.wakeEntrusted() }
            return
        }
        memory.exchange(UInt32(APUS_STATE_DONE), at: hot)
        if sleeps { process.platform.wakeNow(self) }
    }
}
