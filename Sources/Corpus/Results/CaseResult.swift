package import Diff
package import Expect

/// What came of one case in one variant.
package struct CaseResult: Sendable, Codable {
    package enum Outcome: String, Sendable, Hashable, Codable, CaseIterable {
        /// The sandbox does as Linux does.
        case pass
        /// It differs, as the expectations say.
        case expected
        /// It failed once, and not when it was run again alone; what a user sees never differed unexpectedly.
        case unstable
        case fail
        /// The native runs gave nothing to compare with.
        case invalid
        /// The host lacks something.
        case skipped
        /// The case can't be built or run at all.
        case broken

        package init(_ verdict: Judgement.Verdict) {
            self =
                switch verdict {
                case .pass: .pass
                case .expected: .expected
                case .fail: .fail
                case .invalid: .invalid
                }
        }

        /// Whether a run with such a case has failed.
        package var isFailure: Bool { self == .fail || self == .invalid || self == .broken }
    }

    /// `family/name`.
    package var id: String
    package var family: String
    package var name: String
    package var variant: String
    package var file: String
    package var summary: String
    /// The calls under test.
    package var calls: [String]
    package var command: [String]
    package var outcome: Outcome
    /// Why it was skipped, broken or invalid, or what the comparison had to leave out.
    package var reason: String?
    package var difference: CaseDifference?
    package var judgement: Judgement?
    /// What the other of two runs gave, if it was run again; `difference` and the rest are of the one to look at.
    package var other: OtherRun?
    package var native: [RunSummary]
    package var sandbox: [RunSummary]

    package init(_ job: CaseJob) {
        id = job.subject.id
        family = job.subject.family
        name = job.subject.name
        variant = job.variantName
        file = job.subject.file
        summary = job.subject.summary
        calls = job.subject.calls
        command = []
        outcome = .broken
        native = []
        sandbox = []
    }

    /// `files/pread@musl-static`, `programs/sort`.
    package var title: String { variant == "command" ? id : "\(id)@\(variant)" }

    /// What is to be thought of one divergence.
    package enum Standing: Sendable, Hashable {
        /// Nothing explains it: it fails its case.
        case open
        /// An expectation speaks of it.
        case expected(reason: String)
        /// Its own cause explains it.
        case explained
    }

    /// The standing of a divergence of the list.
    package func standing(of index: Int) -> Standing {
        if let entry = judgement?.expected.first(where: { $0.divergence == index }) {
            return .expected(reason: entry.reason)
        }
        guard let difference, difference.divergences.indices.contains(index) else { return .open }
        return difference.divergences[index].cause.isExplained ? .explained : .open
    }

    /// The divergences that nothing explains, with their places in the list.
    package var open: [(index: Int, divergence: Divergence)] {
        (difference?.divergences ?? []).enumerated().filter { standing(of: $0.offset) == .open }
            .map { ($0.offset, $0.element) }
    }

    /// The divergence to look at first, and its place in the list.
    package var first: (index: Int, divergence: Divergence)? {
        guard let difference else { return nil }
        // What is expected is not worth a first look while something else is there.
        let causal = difference.firstCausal.flatMap { standing(of: $0) == .open ? $0 : nil }
        let index = [causal, judgement?.unexpected.first, difference.firstCausal, 0].compactMap(\.self).first {
            difference.divergences.indices.contains($0)
        }
        return index.map { ($0, difference.divergences[$0]) }
    }
}

extension CaseResult {
    /// Places of the divergences that a user of the program sees: outputs, exit status, files left behind, crashes, hangs.
    private var visible: [Int] {
        let kinds: Set<DivergenceClass> = [.output, .endState, .exitStatus, .crash, .hang]
        // A thread's own end is part of the trace; the program's is not a call.
        return (difference?.divergences ?? []).enumerated().filter {
            kinds.contains($0.element.kind) && $0.element.call == nil
        }
        .map(\.offset)
    }

    /// Whether a user of the program sees a difference, expected or not.
    package var hasVisibleDifference: Bool { !visible.isEmpty }

    /// The divergences without an expectation that a user of the program would see.
    package var visibleDivergences: [Divergence] {
        guard let difference, let judgement else { return [] }
        return visible.filter(judgement.unexpected.contains).map { difference.divergences[$0] }
    }

    /// True if what a user of the program would see differs without an expectation, or the case could not be built. A
    /// program that does not end natively says nothing about the sandbox.
    package var hasUnexpectedOutcome: Bool {
        guard outcome == .fail else { return outcome == .broken }
        return difference == nil || judgement == nil || !visibleDivergences.isEmpty
    }
}
