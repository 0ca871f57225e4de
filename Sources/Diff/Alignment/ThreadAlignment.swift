/// Two threads' events side by side.
struct ThreadAlignment {
    /// A row of it; one side may be missing.
    struct Row: Hashable {
        var left: Int?
        var right: Int?
        /// Of a signal that both sides have: how many events later it comes on the right.
        var displacement = 0
    }

    var rows: [Row] = []

    /// The largest table that is filled to pair the events of a gap by likeness.
    private static let largestTable = 60_000

    /// Lines up what the threads do by themselves, and then each asynchronous signal, with what its handler does, beside the
    /// other side's.
    init(_ left: [CanonicalEvent], _ right: [CanonicalEvent], _ interner: Interner) {
        let (mine, theirs) = (SignalBlocks(left, interner), SignalBlocks(right, interner))
        guard !mine.blocks.isEmpty || !theirs.blocks.isEmpty else {
            self = ThreadAlignment(plain: left, right, interner)
            return
        }
        let own = ThreadAlignment(plain: mine.own.map { left[$0] }, theirs.own.map { right[$0] }, interner).rows
        let pairs = SignalBlocks.pairs(mine, left, theirs, right, interner)
        let paired = Set(pairs.values)
        let (leftPlaces, rightPlaces) = ThreadAlignment.places(own, mine.own.count, theirs.own.count)
        // Before which row each block stands. A pair stands where the left side has it.
        var before: [Int: [Row]] = [:]
        for (index, block) in mine.blocks.enumerated() {
            let place = leftPlaces[block.anchor]
            guard let other = pairs[index].map({ theirs.blocks[$0] }) else {
                before[place, default: []] += block.range.map { Row(left: $0) }
                continue
            }
            let between = min(place, rightPlaces[other.anchor])..<max(place, rightPlaces[other.anchor])
            let distance = own[between].count { $0.left != nil && $0.right != nil }
            let inner = ThreadAlignment(plain: Array(left[block.range]), Array(right[other.range]), interner).rows
            let later = rightPlaces[other.anchor] > place
            for row in inner {
                let (i, j) = (
                    row.left.map { $0 + block.range.lowerBound }, row.right.map { $0 + other.range.lowerBound }
                )
                let isSignal = i == block.range.lowerBound && j == other.range.lowerBound
                before[place, default: []].append(
                    Row(left: i, right: j, displacement: isSignal ? (later ? distance : -distance) : 0))
            }
        }
        for (index, block) in theirs.blocks.enumerated() where !paired.contains(index) {
            before[rightPlaces[block.anchor], default: []] += block.range.map { Row(right: $0) }
        }
        for (index, row) in own.enumerated() {
            rows += before[index] ?? []
            rows.append(Row(left: row.left.map { mine.own[$0] }, right: row.right.map { theirs.own[$0] }))
        }
        rows += before[own.count] ?? []
    }

    /// Before which row a side stands that has had so many of its events: by that number.
    private static func places(_ rows: [Row], _ left: Int, _ right: Int) -> (left: [Int], right: [Int]) {
        var places = (left: [Int](), right: [Int]())
        for (index, row) in rows.enumerated() {
            if row.left != nil { places.left.append(index) }
            if row.right != nil { places.right.append(index) }
        }
        return (places.left + [rows.count], places.right + [rows.count])
    }

    /// Lines events up by their whole shape first; in the gaps that this leaves, those of the same kind and name are
    /// paired, the most alike ones with each other.
    private init(plain left: [CanonicalEvent], _ right: [CanonicalEvent], _ interner: Interner) {
        let equal = Alignment.align(left.map(\.shape), right.map(\.shape))
        var from = (0, 0)
        for pair in equal + [Alignment.Pair(left: left.count, right: right.count)] {
            fill(from.0..<pair.left, from.1..<pair.right, left, right, interner)
            if pair.left < left.count || pair.right < right.count {
                rows.append(Row(left: pair.left, right: pair.right))
            }
            from = (pair.left + 1, pair.right + 1)
        }
    }

    private mutating func fill(
        _ a: Range<Int>, _ b: Range<Int>, _ left: [CanonicalEvent], _ right: [CanonicalEvent], _ interner: Interner
    ) {
        guard !a.isEmpty, !b.isEmpty else {
            rows += a.map { Row(left: $0) } + b.map { Row(right: $0) }
            return
        }
        let pairs =
            a.count * b.count <= Self.largestTable
            ? ThreadAlignment.mostAlike(a, b, left, right, interner)
            : ThreadAlignment.byName(a, b, left, right, interner)
        var from = (a.lowerBound, b.lowerBound)
        for pair in pairs + [Alignment.Pair(left: a.upperBound, right: b.upperBound)] {
            rows += (from.0..<pair.left).map { Row(left: $0) } + (from.1..<pair.right).map { Row(right: $0) }
            if pair.left < a.upperBound { rows.append(Row(left: pair.left, right: pair.right)) }
            from = (pair.left + 1, pair.right + 1)
        }
    }

    private static func byName(
        _ a: Range<Int>, _ b: Range<Int>, _ left: [CanonicalEvent], _ right: [CanonicalEvent], _ interner: Interner
    ) -> [Alignment.Pair] {
        func names(_ events: ArraySlice<CanonicalEvent>) -> [UInt32] {
            events.map { interner.shape($0.shape).name << 4 | UInt32(group(interner.shape($0.shape).kind)) }
        }
        return Alignment.align(names(left[a]), names(right[b])).map {
            Alignment.Pair(left: $0.left + a.lowerBound, right: $0.right + b.lowerBound)
        }
    }

    /// The pairing of the highest total likeness, by dynamic programming.
    private static func mostAlike(
        _ a: Range<Int>, _ b: Range<Int>, _ left: [CanonicalEvent], _ right: [CanonicalEvent], _ interner: Interner
    ) -> [Alignment.Pair] {
        let width = b.count + 1
        var best = [Int32](repeating: 0, count: (a.count + 1) * width)
        var likeness = [Int32](repeating: 0, count: a.count * b.count)
        for i in stride(from: a.count - 1, through: 0, by: -1) {
            for j in stride(from: b.count - 1, through: 0, by: -1) {
                let alike = Self.likeness(
                    interner.shape(left[a.lowerBound + i].shape), interner.shape(right[b.lowerBound + j].shape))
                likeness[i * b.count + j] = alike
                let paired = alike > 0 ? best[(i + 1) * width + j + 1] + alike : 0
                best[i * width + j] = max(paired, best[(i + 1) * width + j], best[i * width + j + 1])
            }
        }
        var pairs: [Alignment.Pair] = []
        var (i, j) = (0, 0)
        while i < a.count, j < b.count {
            let alike = likeness[i * b.count + j]
            if alike > 0, best[i * width + j] == best[(i + 1) * width + j + 1] + alike {
                pairs.append(Alignment.Pair(left: a.lowerBound + i, right: b.lowerBound + j))
                i += 1
                j += 1
            } else if best[i * width + j] == best[(i + 1) * width + j] {
                i += 1
            } else {
                j += 1
            }
        }
        return pairs
    }

    /// 0 for events that can't be each other's counterpart; more, the more of their fields agree.
    private static func likeness(_ left: CanonicalShape, _ right: CanonicalShape) -> Int32 {
        guard left.name == right.name, group(left.kind) == group(right.kind) else { return 0 }
        let agreeing = zip(left.fields, right.fields).count { $0 == $1 }
        return 100 + Int32(agreeing * 50 / max(1, left.fields.count, right.fields.count))
    }

    /// A call may have returned on one side and been interrupted or left on the other.
    private static func group(_ kind: CanonicalShape.Kind) -> UInt8 {
        switch kind {
        case .call, .interrupted, .unfinished: 0
        default: kind.rawValue
        }
    }
}

/// The threads of two runs side by side, matched by who made them.
struct TraceAlignment {
    struct Pair {
        var left: Int
        var right: Int
        var alignment: ThreadAlignment
    }

    /// In the order in which the left run made them.
    var pairs: [Pair] = []
    /// Threads that only one side has.
    var onlyLeft: [Int] = []
    var onlyRight: [Int] = []

    init(_ left: CanonicalTrace, _ right: CanonicalTrace, _ interner: Interner) {
        var leftDone: Set<Int> = []
        var rightDone: Set<Int> = []
        var next = left.threads.isEmpty || right.threads.isEmpty ? [] : [(0, 0)]
        while !next.isEmpty {
            let (l, r) = next.removeFirst()
            guard leftDone.insert(l).inserted, rightDone.insert(r).inserted else { continue }
            let alignment = ThreadAlignment(left.threads[l].events, right.threads[r].events, interner)
            pairs.append(Pair(left: l, right: r, alignment: alignment))
            for row in alignment.rows {
                guard let i = row.left, let j = row.right else { continue }
                let (a, b) = (left.threads[l].events[i].child, right.threads[r].events[j].child)
                if a >= 0, b >= 0 { next.append((Int(a), Int(b))) }
            }
        }
        onlyLeft = left.threads.indices.filter { !leftDone.contains($0) }
        onlyRight = right.threads.indices.filter { !rightDone.contains($0) }
        // A thread whose maker is unknown is matched by its label.
        for l in onlyLeft {
            guard left.threads[l].label.hasPrefix("?"),
                let r = onlyRight.first(where: { right.threads[$0].label == left.threads[l].label })
            else { continue }
            pairs.append(
                Pair(
                    left: l, right: r,
                    alignment: ThreadAlignment(left.threads[l].events, right.threads[r].events, interner)))
            onlyLeft.removeAll { $0 == l }
            onlyRight.removeAll { $0 == r }
        }
    }
}
