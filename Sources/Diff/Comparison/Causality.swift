/// Picks the divergence that the others most likely follow from.
enum Causality {
    /// Of each thread only its first one can be the cause. Of two threads' first ones, the one that comes before the
    /// other natively and in the sandbox is; where the two runs disagree, the graver one is.
    /// - Returns: an index; nil if every divergence explains itself.
    static func first(_ divergences: [Divergence], among allowed: Set<Int>? = nil) -> Int? {
        var seen: Set<String> = []
        var candidates: [Int] = []
        for (index, divergence) in divergences.enumerated() where !divergence.cause.isExplained {
            guard allowed?.contains(index) ?? true else { continue }
            guard divergence.nativePosition != nil || divergence.sandboxPosition != nil else { continue }
            if seen.insert(divergence.thread).inserted { candidates.append(index) }
        }
        // Only what is left at the end differs.
        guard !candidates.isEmpty else {
            return divergences.indices.first {
                !divergences[$0].cause.isExplained && (allowed?.contains($0) ?? true)
            }
        }
        let minimal = candidates.filter { index in
            !candidates.contains { $0 != index && precedes(divergences[$0], divergences[index]) }
        }
        return minimal.min { left, right in
            let (a, b) = (divergences[left], divergences[right])
            return (gravity(a.kind), a.nativePosition?.sequence ?? .max, left)
                < (gravity(b.kind), b.nativePosition?.sequence ?? .max, right)
        }
    }

    private static func precedes(_ left: Divergence, _ right: Divergence) -> Bool {
        guard let a = left.nativePosition, let b = right.nativePosition, let c = left.sandboxPosition,
            let d = right.sandboxPosition
        else { return false }
        return a.sequence < b.sequence && c.sequence < d.sequence
    }

    /// What a kernel has got wrong for certain comes before what may only follow from it.
    private static func gravity(_ kind: DivergenceClass) -> Int {
        switch kind {
        case .unimplemented: 0
        case .errno: 1
        case .value, .payload: 2
        case .signal, .crash: 3
        case .missingCall, .extraCall, .order: 4
        case .hang, .exitStatus, .output, .endState: 5
        }
    }
}
