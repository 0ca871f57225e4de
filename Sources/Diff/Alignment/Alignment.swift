/// Which elements of two sequences belong together: pairs of indices, in order on both sides.
struct Alignment {
    struct Pair: Hashable {
        var left: Int
        var right: Int
    }

    /// Lines two sequences of numbers up so that many equal ones stand beside each other.
    ///
    /// Few differences are found exactly (Myers' greedy algorithm). Where there are more than `bound`, elements that
    /// are unique on both sides split the sequences; where there are none, windows of a fixed size are lined up one
    /// after the other. So the cost stays near linear in the lengths, whatever they hold.
    static func align(_ left: [UInt32], _ right: [UInt32], bound: Int = 600) -> [Pair] {
        var pairs: [Pair] = []
        var work = [(left.indices, right.indices)]
        while let (a, b) = work.popLast() {
            let (a, b) = trim(left, right, a, b, into: &pairs)
            guard !a.isEmpty, !b.isEmpty else { continue }
            if let found = Myers.shortest(left[a], right[b], bound: bound) {
                pairs += found
                continue
            }
            let anchors = Anchors.unique(left[a], right[b])
            guard anchors.isEmpty else {
                pairs += anchors
                var from = (a.lowerBound, b.lowerBound)
                for anchor in anchors {
                    work.append((from.0..<anchor.left, from.1..<anchor.right))
                    from = (anchor.left + 1, anchor.right + 1)
                }
                work.append((from.0..<a.upperBound, from.1..<b.upperBound))
                continue
            }
            // Within a window no more can differ than the bound allows.
            let window = bound / 2
            let head = (a.prefix(window), b.prefix(window))
            let found = Myers.shortest(left[head.0], right[head.1], bound: bound) ?? []
            pairs += found
            let next = found.last.map { ($0.left + 1, $0.right + 1) } ?? (head.0.upperBound, head.1.upperBound)
            work.append((next.0..<a.upperBound, next.1..<b.upperBound))
        }
        return pairs.sorted { $0.left < $1.left }
    }

    /// Pairs equal beginnings and ends, and gives what is left between.
    private static func trim(
        _ left: [UInt32], _ right: [UInt32], _ a: Range<Int>, _ b: Range<Int>, into pairs: inout [Pair]
    ) -> (Range<Int>, Range<Int>) {
        var (a, b) = (a, b)
        while let i = a.first, let j = b.first, left[i] == right[j] {
            pairs.append(Pair(left: i, right: j))
            (a, b) = (i + 1..<a.upperBound, j + 1..<b.upperBound)
        }
        while let i = a.last, let j = b.last, left[i] == right[j] {
            pairs.append(Pair(left: i, right: j))
            (a, b) = (a.lowerBound..<i, b.lowerBound..<j)
        }
        return (a, b)
    }
}

/// Myers' "An O(ND) Difference Algorithm": the shortest edit script, found by furthest-reaching paths.
enum Myers {
    /// The equal pairs of a longest common subsequence; nil if more than `bound` elements differ.
    static func shortest(
        _ left: ArraySlice<UInt32>, _ right: ArraySlice<UInt32>, bound: Int
    ) -> [Alignment.Pair]? {
        let n = left.count
        let m = right.count
        guard abs(n - m) <= bound else { return nil }
        let most = min(bound, n + m)
        // `reached[k + most]`: how far in `left` the best path on diagonal k has come.
        var reached = [Int32](repeating: 0, count: 2 * most + 2)
        var history: [[Int32]] = []
        for distance in 0...most {
            history.append(Array(reached[(most - distance)...(most + distance)]))
            for k in stride(from: -distance, through: distance, by: 2) {
                let down = k == -distance || (k != distance && reached[k - 1 + most] < reached[k + 1 + most])
                var x = down ? Int(reached[k + 1 + most]) : Int(reached[k - 1 + most]) + 1
                while x < n, x - k < m, x - k >= 0,
                    left[left.startIndex + x] == right[right.startIndex + x - k]
                {
                    x += 1
                }
                reached[k + most] = Int32(x)
                if x >= n, x - k >= m { return trace(left, right, history, distance) }
            }
        }
        return nil
    }

    /// Walks the paths back from the end.
    private static func trace(
        _ left: ArraySlice<UInt32>, _ right: ArraySlice<UInt32>, _ history: [[Int32]], _ distance: Int
    ) -> [Alignment.Pair] {
        var pairs: [Alignment.Pair] = []
        var x = left.count
        var y = right.count
        for step in stride(from: distance, through: 0, by: -1) {
            // What stood in `reached` before this step; its middle is diagonal 0.
            let before = history[step]
            func reached(_ k: Int) -> Int { abs(k) <= step ? Int(before[k + step]) : 0 }
            let k = x - y
            let down = k == -step || (k != step && reached(k - 1) < reached(k + 1))
            let from =
                step == 0
                ? (0, 0) : down ? (reached(k + 1), reached(k + 1) - k - 1) : (reached(k - 1), reached(k - 1) - k + 1)
            let start = step == 0 ? (0, 0) : down ? (from.0, from.1 + 1) : (from.0 + 1, from.1)
            while x > start.0, y > start.1 {
                x -= 1
                y -= 1
                pairs.append(Alignment.Pair(left: left.startIndex + x, right: right.startIndex + y))
            }
            (x, y) = from
        }
        return pairs.reversed()
    }
}

/// Elements that stand once on each side (patience diff).
enum Anchors {
    /// As many of them as keep their order on both sides.
    static func unique(_ left: ArraySlice<UInt32>, _ right: ArraySlice<UInt32>) -> [Alignment.Pair] {
        let places = once(right)
        let mine = once(left)
        let candidates = mine.compactMap { value, index in
            places[value].map { Alignment.Pair(left: index, right: $0) }
        }
        return increasing(candidates.sorted { $0.left < $1.left })
    }

    private static func once(_ values: ArraySlice<UInt32>) -> [UInt32: Int] {
        var places: [UInt32: Int] = [:]
        for index in values.indices { places[values[index]] = places[values[index]] == nil ? index : -1 }
        return places.filter { $0.value >= 0 }
    }

    /// A longest run of pairs whose right sides increase (patience sorting).
    private static func increasing(_ pairs: [Alignment.Pair]) -> [Alignment.Pair] {
        var piles: [Int] = []
        var previous = [Int](repeating: -1, count: pairs.count)
        for (index, pair) in pairs.enumerated() {
            var low = 0
            var high = piles.count
            while low < high {
                let middle = (low + high) / 2
                if pairs[piles[middle]].right < pair.right { low = middle + 1 } else { high = middle }
            }
            if low > 0 { previous[index] = piles[low - 1] }
            if low == piles.count { piles.append(index) } else { piles[low] = index }
        }
        var result: [Alignment.Pair] = []
        var index = piles.last ?? -1
        while index >= 0 {
            result.append(pairs[index])
            index = previous[index]
        }
        return result.reversed()
    }
}
