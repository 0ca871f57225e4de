package import LinuxABI

/// Something that waits on queues: a parked thread, an epoll item.
package protocol Waiter: AnyObject {
    /// What the waiter waits for may have happened; it looks for itself. Called with the queue unlocked: the waiter
    /// may remove itself or others from any queue.
    func fire(_ queue: WaitQueue, _ events: PollEvents)
}

/// The waiters for one condition of one object, in the order in which they came. Linux's `wait_queue_head`.
///
/// A wake-up is only a hint: every waiter checks its condition again.
package final class WaitQueue {
    private struct Entry {
        let waiter: any Waiter
        let events: PollEvents
        let isExclusive: Bool
    }

    /// Nil where somebody has left.
    private var entries: [Entry?] = []
    private var gaps = 0
    /// Where each waiter stands, in a queue so long that looking for one would take its time: a guest can have hundreds of
    /// thousands in one.
    private var places: [ObjectIdentifier: [Int]]?
    private static let long = 32

    package init() {}

    package var isEmpty: Bool { gaps == entries.count }

    /// Whoever waits, in the order in which they came.
    package var waiters: [any Waiter] { entries.compactMap { $0?.waiter } }

    /// Adds a waiter. An exclusive one is woken alone (Linux's `WQ_FLAG_EXCLUSIVE`), in the order of arrival.
    package func add(_ waiter: any Waiter, for events: PollEvents = .all, exclusive: Bool = false) {
        places?[ObjectIdentifier(waiter), default: []].append(entries.count)
        entries.append(Entry(waiter: waiter, events: events, isExclusive: exclusive))
        if places == nil, entries.count > WaitQueue.long { findPlaces() }
    }

    /// Removes every entry of the waiter.
    package func remove(_ waiter: any Waiter) {
        guard places != nil else { return entries.removeAll { $0?.waiter === waiter } }
        for place in places?.removeValue(forKey: ObjectIdentifier(waiter)) ?? [] {
            entries[place] = nil
            gaps += 1
        }
        guard gaps * 2 > entries.count else { return }
        entries.removeAll { $0 == nil }
        gaps = 0
        places = nil
        if entries.count > WaitQueue.long { findPlaces() }
    }

    private func findPlaces() {
        var found: [ObjectIdentifier: [Int]] = [:]
        for (place, entry) in entries.enumerated() {
            if let entry { found[ObjectIdentifier(entry.waiter), default: []].append(place) }
        }
        places = found
    }

    /// Fires all shared waiters that wait for any of `events`, and at most `exclusive` exclusive ones.
    /// - Returns: how many waiters were fired.
    @discardableResult
    package func wake(_ events: PollEvents = .all, exclusive: Int = 1) -> Int {
        guard !entries.isEmpty else { return 0 }
        var left = exclusive
        var fired = 0
        for case let entry? in entries where !entry.events.isDisjoint(with: events) {
            if entry.isExclusive {
                guard left > 0 else { continue }
                left -= 1
            }
            fired += 1
            entry.waiter.fire(self, events)
        }
        return fired
    }

    /// Fires every waiter, exclusive or not.
    package func wakeAll(_ events: PollEvents = .all) { wake(events, exclusive: .max) }
}
