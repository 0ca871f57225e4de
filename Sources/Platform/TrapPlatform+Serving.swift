internal import Stub

/// How requests are found and handed on: what happens for every call.
extension TrapPlatform {
    /// The next request, if a stub has one; every stub gets its turn.
    package func nextEvent() -> (thread: StubThread, event: StubEvent)? {
        if tracer != nil { takeStops() }
        var next: (thread: StubThread, event: StubEvent)?
        _ = take(at: watched.firstAsking(from: nextToScan), of: watched) { next = ($0, $1) }
        return next
    }

    /// Reads the request of the thread at the index, or one behind it if that is not for its owner.
    /// - Returns: false if there was none.
    @inline(__always)
    private func take(at index: Int?, of list: WatchList, _ body: (StubThread, StubEvent) -> Void) -> Bool {
        var index = index
        var list = list
        while let found = index {
            let thread = list.threads[found]
            nextToScan = found + 1 < list.count ? found + 1 : 0
            if let clones, clones.isExpecting { serveClones(everySoOften: true) }
            let event = thread.event()
            var isOwners = !thread.isDisowned
            if case .commandsDone(_, nil) = event, thread.continueCommands() {
                isOwners = false
            } else if !isOwners {
                if thread === heir { heirHasCome(event) } else { thread.process.dismiss(thread) }
            }
            if isOwners {
                body(thread, event)
                return true
            }
            list = watched
            index = list.firstAsking(from: nextToScan)
        }
        nextToScan = 0
        if let clones, clones.isExpecting { serveClones(everySoOften: false) }
        return false
    }

    /// Hands the next request to its owner.
    /// - Parameter lingering: look a little longer where the stub that was served last runs on another processor: its next
    ///   call mostly comes before all that is done between two looks.
    /// - Returns: whether there was one.
    package func serveNext(lingering: Bool) -> Bool {
        if tracer != nil { takeStops() }
        // A copy: the list does not change while this thread looks at it, and need not be guarded at every look.
        let list = watched
        var index = list.firstAsking(from: nextToScan)
        if lingering, index == nil {
            if mayPoll {
                // A stub that runs on this processor can't ask while we spin on it.
                if UInt32(lastProcessor) != publishedProcessor { index = linger(list) }
            } else if tracer == nil {
                hasGivenWay = true
                if giveWay() { index = list.firstAsking(from: nextToScan) }
            }
        }
        return take(at: index, of: list) { thread, event in
            hasGivenWay = false
            lastProcessor = thread.processor
            let isHere = UInt32(lastProcessor) == publishedProcessor
            if isHere || policy.hears, policy.served(isHere: isHere, at: isHere ? apus_ticks() : 0) { leaveProcessor() }
            thread.owner?.stubAsked(event, through: thread)
        }
    }

    /// In TSC ticks: what the loop's other work takes and a switch from one stub to another, which a request follows.
    private static let lingerTicks: UInt64 = 4000

    @inline(__always)
    private func linger(_ list: WatchList) -> Int? {
        let start = apus_ticks()
        let first = nextToScan
        repeat {
            for _ in 0..<4 {
                apus_relax()
                if let index = list.firstAsking(from: first) { return index }
            }
        } while apus_ticks() &- start < TrapPlatform.lingerTicks
        return nil
    }

    /// Whoever keeps the kernel waiting for a clone must not make every request of others dearer.
    private func serveClones(everySoOften: Bool) {
        looksForClones &+= 1
        if !everySoOften || looksForClones % 16 == 0 { clones?.serve() }
    }
}
