internal import LinuxABI
internal import VFS

/// Epolls that watch epolls. What a wake-up runs through is bounded by how deep they may nest, and by how many ways may lead
/// up from a file. Nothing that is asked for every registration walks through all that are there, or a mesh of a hundred epolls
/// on a hundred, each of which watches each, would take the kernel's time.
extension Epoll {
    struct Watcher {
        weak var epoll: Epoll?
        /// By how many registrations.
        var count = 0
    }

    /// What is known of an epoll's place among others without looking at them. It grows with each registration; what goes is
    /// noticed when it matters.
    struct Nesting {
        /// At most so many epolls stand one upon the other from here upwards, and downwards; this one counted.
        var height = 1
        var depth = 1
        /// Something that is no epoll may be watched by this one or one below.
        var mayHoldFiles = false
    }

    /// Linux's `EP_MAX_NESTS`, and the one at the bottom.
    private static let maximumNesting = 5
    /// Linux's `path_limits`: how many ways may lead from a file to epolls that nobody watches, by how many epolls those stand
    /// above the one that watches the file. How many watch it themselves is nobody's business.
    private static let pathLimits: InlineArray<5, Int> = [.max, 500, 100, 50, 10]
    /// More than any limit, and small enough to multiply.
    private static let tooMany = 1 << 20

    func watches(_ other: Epoll) {
        other.watchers[ObjectIdentifier(self), default: Watcher(epoll: self)].count += 1
        other.rise(to: nesting.height + 1)
        sink(to: other.nesting.depth + 1)
        if other.nesting.mayHoldFiles { holdsFile() }
    }

    func stopsWatching(_ other: Epoll) {
        let own = ObjectIdentifier(self)
        guard var watcher = other.watchers[own] else { return }
        watcher.count -= 1
        other.watchers[own] = watcher.count > 0 ? watcher : nil
    }

    private func rise(to height: Int) {
        guard height > nesting.height else { return }
        nesting.height = height
        for item in items.values { item.inner?.rise(to: height + 1) }
    }

    private func sink(to depth: Int) {
        guard depth > nesting.depth else { return }
        nesting.depth = depth
        for watcher in watchers.values { watcher.epoll?.sink(to: depth + 1) }
    }

    func holdsFile() {
        guard !nesting.mayHoldFiles else { return }
        nesting.mayHoldFiles = true
        for watcher in watchers.values { watcher.epoll?.holdsFile() }
    }

    /// Throws ELOOP where watching `other` would close a circle, or nest too deeply.
    func checkNesting(_ other: Epoll) throws(Errno) {
        // From what nobody watches, and to what watches no epoll, there is no circle.
        let isSurelyOpen = watchers.isEmpty || other.nesting.depth == 1
        if isSurelyOpen, nesting.height + other.nesting.depth <= Epoll.maximumNesting { return }
        var above: Set<ObjectIdentifier> = []
        var below: Set<ObjectIdentifier> = []
        measureHeight(&above)
        other.measureDepth(&below)
        guard !below.contains(ObjectIdentifier(self)), nesting.height + other.nesting.depth <= Epoll.maximumNesting
        else { throw .ELOOP }
    }

    /// Each epoll is looked at once.
    private func measureHeight(_ known: inout Set<ObjectIdentifier>) {
        guard known.insert(ObjectIdentifier(self)).inserted else { return }
        var highest = 0
        for watcher in watchers.values {
            guard let epoll = watcher.epoll else { continue }
            epoll.measureHeight(&known)
            highest = max(highest, epoll.nesting.height)
        }
        nesting.height = highest + 1
    }

    private func measureDepth(_ known: inout Set<ObjectIdentifier>) {
        guard known.insert(ObjectIdentifier(self)).inserted else { return }
        var deepest = 0
        for item in items.values where !item.isGone {
            guard let inner = item.inner else { continue }
            inner.measureDepth(&known)
            deepest = max(deepest, inner.nesting.depth)
        }
        nesting.depth = deepest + 1
    }

    // MARK: Ways from files

    /// Asked when one more epoll watches this one. Throws EINVAL where too many ways would lead up from a file that is watched
    /// here or below.
    func checkPathsFromBelow() throws(Errno) {
        guard nesting.mayHoldFiles else { return }
        var known: Set<ObjectIdentifier> = []
        var queues: [ObjectIdentifier: WaitQueue] = [:]
        collect(&queues, &known)
        try checkPaths(from: Array(queues.values), of: nil)
    }

    private func collect(_ queues: inout [ObjectIdentifier: WaitQueue], _ known: inout Set<ObjectIdentifier>) {
        guard nesting.mayHoldFiles, known.insert(ObjectIdentifier(self)).inserted else { return }
        for item in items.values where !item.isGone {
            if let inner = item.inner {
                inner.collect(&queues, &known)
            } else {
                queues[ObjectIdentifier(item.source)] = item.source
            }
        }
    }

    /// Of one file or, without, of all that have registrations in the queues. Throws EINVAL.
    func checkPaths(from queues: [WaitQueue], of file: OpenFile?) throws(Errno) {
        var above: [ObjectIdentifier: InlineArray<5, Int>] = [:]
        var counts: [ObjectIdentifier: InlineArray<5, Int>] = [:]
        for queue in queues {
            for waiter in queue.waiters {
                guard let item = waiter as? Item, !item.hasLeft, !item.isGone, item.inner == nil,
                    file == nil || file === item.file
                else { continue }
                let (epoll, watched) = (item.epoll, item.file)
                let own = ObjectIdentifier(epoll)
                if above[own] == nil {
                    var paths = InlineArray<5, Int>(repeating: 0)
                    try epoll.countPaths(&paths, depth: 0, times: 1)
                    above[own] = paths
                }
                guard let paths = above[own] else { continue }
                var sum = counts[ObjectIdentifier(watched)] ?? InlineArray(repeating: 0)
                for depth in sum.indices {
                    sum[depth] += paths[depth]
                    guard sum[depth] <= Epoll.pathLimits[depth] else { throw .EINVAL }
                }
                counts[ObjectIdentifier(watched)] = sum
            }
        }
    }

    /// Adds the ways from here to epolls that nobody watches. There are never more than the limits let pass.
    private func countPaths(_ counts: inout InlineArray<5, Int>, depth: Int, times: Int) throws(Errno) {
        guard counts.indices.contains(depth) else { throw .EINVAL }
        var isWatched = false
        for watcher in watchers.values {
            guard let epoll = watcher.epoll else { continue }
            isWatched = true
            let product = min(times, Epoll.tooMany) * min(watcher.count, Epoll.tooMany)
            try epoll.countPaths(&counts, depth: depth + 1, times: product)
        }
        guard !isWatched else { return }
        counts[depth] += times
        guard counts[depth] <= Epoll.pathLimits[depth] else { throw .EINVAL }
    }
}
