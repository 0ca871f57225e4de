internal import HostSystem

/// What `PollingPolicy` decides, carried out.
extension TrapPlatform {
    /// Tells the stubs for how long to poll; only when that has changed, since every stub reads that line at every call.
    func publishBudget() {
        guard policy.stubBudget != publishedBudget else { return }
        publishedBudget = policy.stubBudget
        config.store(publishedBudget, at: 8)
    }

    /// Moves the kernel to a processor where no guest runs, if there is one and the host lets it. It may come back: where it is
    /// woken is the host's to choose.
    func leaveProcessor() {
        guard let refuge = policy.refuge(from: Int(Host.currentProcessor), running: watched.running),
            (try? Host.bind(0, to: refuge.words)) != nil
        else { return }
        try? Host.bind(0, to: processors)
        policy.moved()
        publishProcessor()
    }

    /// Waits for a clone that was ordered: it comes within some microseconds, and whoever makes it waits for the word.
    func awaitClones(from start: UInt64) {
        while clones?.isExpecting == true, Host.ticks &- start < PollingPolicy.orderTicks {
            clones?.serve()
            guard watched.firstAsking(from: 0) == nil else { return }
            // It may have to be made on this processor.
            Host.yield()
        }
    }
}
