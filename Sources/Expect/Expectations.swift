package import Diff

/// The expectations of a corpus.
package struct Expectations: Sendable {
    package var entries: [Expectation]

    package init(_ entries: [Expectation] = []) { self.entries = entries }

    /// Says of a divergence of a case's variant whether an entry explains it.
    package func knows(case name: String, variant: String) -> @Sendable (Divergence) -> Bool {
        let entries = entries.filter { $0.covers(case: name, variant: variant) }
        return { divergence in entries.contains { $0.explains(divergence) } }
    }

    /// Judges one case's variant.
    package func judge(_ difference: CaseDifference, case name: String, variant: String) -> Judgement {
        let entries = entries.filter { $0.covers(case: name, variant: variant) }
        var judgement = Judgement(verdict: .pass, expected: [], unexpected: [], unseen: [])
        var used: Set<Int> = []
        for (index, divergence) in difference.divergences.enumerated() {
            let explaining = entries.indices.filter { entries[$0].explains(divergence) }
            used.formUnion(explaining)
            if let first = explaining.first {
                let entry = entries[first]
                judgement.expected.append(
                    .init(divergence: index, reason: entry.reason, issue: entry.issue))
            } else if !divergence.cause.isExplained {
                judgement.unexpected.append(index)
            }
        }
        judgement.firstUnexpected = difference.firstCausal(among: judgement.unexpected)
        judgement.unseen = entries.indices.filter { !used.contains($0) }.map { entries[$0] }
        // Divergences beyond those that were kept are unknown, and so are not expected.
        let isComplete = difference.counts.values.reduce(0, +) <= difference.divergences.count
        if difference.verdict == .invalid {
            judgement.verdict = .invalid
        } else if !judgement.unexpected.isEmpty || (!isComplete && difference.verdict != .explained) {
            judgement.verdict = .fail
        } else {
            judgement.verdict = judgement.expected.isEmpty ? .pass : .expected
        }
        return judgement
    }

    /// The entries that explained nothing in a whole run: each is stale, or its cases did not run.
    /// `judgements` holds every case that ran, with its name and variant.
    package func stale(
        after judgements: [(name: String, variant: String, judgement: Judgement)]
    ) -> [Expectation] {
        entries.filter { entry in
            guard !entry.isIntermittent else { return false }
            let covered = judgements.filter { entry.covers(case: $0.name, variant: $0.variant) }
            return !covered.isEmpty && covered.allSatisfy { $0.judgement.unseen.contains(entry) }
        }
    }
}
