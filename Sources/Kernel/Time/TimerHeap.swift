package import LinuxABI

/// A scheduled expiry; hand it back to `TimerHeap.cancel`.
package final class Deadline {
    let time: MonotonicTime
    let order: UInt64
    var action: (() -> Void)?

    init(time: MonotonicTime, order: UInt64, action: @escaping () -> Void) {
        self.time = time
        self.order = order
        self.action = action
    }

    func isBefore(_ other: Deadline) -> Bool { (time, order) < (other.time, other.order) }
}

/// Everything that happens at a time, soonest first; equal times in the order of scheduling.
///
/// Cancelled entries stay in the heap until they surface or outnumber the live ones.
package final class TimerHeap {
    private var heap: [Deadline] = []
    private var nextOrder: UInt64 = 0
    private var cancelled = 0

    package init() {}

    package func schedule(at time: MonotonicTime, _ action: @escaping () -> Void) -> Deadline {
        nextOrder += 1
        let entry = Deadline(time: time, order: nextOrder, action: action)
        heap.append(entry)
        siftUp(heap.count - 1)
        return entry
    }

    package func cancel(_ entry: Deadline) {
        guard entry.action != nil else { return }
        entry.action = nil
        cancelled += 1
        if cancelled > 64, cancelled > heap.count / 2 { sweep() }
    }

    /// When the soonest live entry is due.
    package var next: MonotonicTime? {
        dropCancelled()
        return heap.first?.time
    }

    /// Runs every action that is due at `now`, including ones that those actions schedule in the past.
    package func run(until now: MonotonicTime) {
        while let first = next, first <= now {
            let action = removeFirst().action
            action?()
        }
    }

    private func dropCancelled() {
        while let first = heap.first, first.action == nil {
            _ = removeFirst()
            cancelled -= 1
        }
    }

    private func sweep() {
        let live = heap.filter { $0.action != nil }.sorted { $0.isBefore($1) }
        heap = live
        cancelled = 0
    }

    private func removeFirst() -> Deadline {
        let first = heap[0]
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            siftDown(0)
        }
        // Taken out, it can no longer be cancelled.
        defer { if first.action != nil { first.action = nil } }
        return Deadline(time: first.time, order: first.order, action: first.action ?? {})
    }

    private func siftUp(_ start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard heap[index].isBefore(heap[parent]) else { return }
            heap.swapAt(index, parent)
            index = parent
        }
    }

    private func siftDown(_ start: Int) {
        var index = start
        while true {
            var smallest = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count {
                if heap[child].isBefore(heap[smallest]) { smallest = child }
            }
            guard smallest != index else { return }
            heap.swapAt(index, smallest)
            index = smallest
        }
    }
}
