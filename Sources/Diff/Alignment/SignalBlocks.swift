internal import TraceModel

/// A thread's events with the asynchronous signals, and what their handlers do, taken out: what the program does by itself
/// is compared with what it does by itself, wherever the signals fall.
struct SignalBlocks {
    /// A signal with the calls of its handler, up to the return from it.
    struct Block {
        /// Indices of the thread's events.
        var range: Range<Int>
        /// How many of `own` come before it.
        var anchor: Int
    }

    /// Indices of the events that the thread makes by itself.
    private(set) var own: [Int] = []
    private(set) var blocks: [Block] = []

    /// Events of a handler that is still believed to return.
    private static let longestHandler = 400

    init(_ events: [CanonicalEvent], _ interner: Interner) {
        var index = 0
        while index < events.count {
            guard let signal = events[index].signal else {
                own.append(index)
                index += 1
                continue
            }
            let end = signal.isHandled ? SignalBlocks.end(of: index, events, interner) : index + 1
            blocks.append(Block(range: index..<end, anchor: own.count))
            index = end
        }
    }

    /// Behind the call that returns from the handler of the signal at an index. A handler that never does (it jumps out or
    /// ends the program) is not told from what follows.
    private static func end(of start: Int, _ events: [CanonicalEvent], _ interner: Interner) -> Int {
        var depth = 0
        for index in start..<min(events.count, start + longestHandler) {
            let shape = interner.shape(events[index].shape)
            switch shape.kind {
            case .signal: if events[index].signal?.isHandled ?? true { depth += 1 }
            case .exec, .exit: return start + 1
            case .call where interner.text(shape.name) == "rt_sigreturn":
                depth -= 1
                if depth == 0 { return index + 1 }
            default: break
            }
        }
        return start + 1
    }

    /// Which blocks of two threads are the same signal: first those that are alike in everything, then those of one sender,
    /// then, since a child's end may be told by another's SIGCHLD, those of one name but SIGCHLD.
    /// - Returns: by block of the left, the block of the right.
    static func pairs(
        _ left: SignalBlocks, _ leftEvents: [CanonicalEvent], _ right: SignalBlocks, _ rightEvents: [CanonicalEvent],
        _ interner: Interner
    ) -> [Int: Int] {
        var found: [Int: Int] = [:]
        var taken: Set<Int> = []
        func pair(_ key: (CanonicalEvent) -> [UInt32]?) {
            var places: [[UInt32]: [Int]] = [:]
            for (index, block) in right.blocks.enumerated() where !taken.contains(index) {
                if let key = key(rightEvents[block.range.lowerBound]) { places[key, default: []].append(index) }
            }
            var used: [[UInt32]: Int] = [:]
            for (index, block) in left.blocks.enumerated() where found[index] == nil {
                guard let key = key(leftEvents[block.range.lowerBound]), let open = places[key] else { continue }
                let next = used[key, default: 0]
                guard next < open.count else { continue }
                used[key] = next + 1
                found[index] = open[next]
                taken.insert(open[next])
            }
        }
        pair { [$0.shape] }
        pair { event in event.signal?.sender.map { [interner.shape(event.shape).name, $0] } }
        pair { event in
            let name = interner.shape(event.shape).name
            return interner.text(name) == "SIGCHLD" ? nil : [name]
        }
        return found
    }
}

extension TracedSignal {
    /// Whether it arrives when others want it to: a child's end, a clock, or somebody else's kill(2). What a process sends
    /// itself, and what its own instructions bring about, comes where it does it.
    func isAsynchronous(in process: Int32) -> Bool {
        // SIGALRM, SIGCHLD, SIGVTALRM, SIGPROF, SIGIO
        if [14, 17, 26, 27, 29].contains(number), sender != process || number == 17 { return true }
        // SI_USER and SI_QUEUE to SI_TKILL
        guard code <= 0, code >= -6 else { return false }
        return code == -2 || sender != process
    }
}
