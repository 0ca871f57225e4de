/// All that the comparison of a case's runs has found.
package struct CaseDifference: Sendable, Codable {
    package var verdict: DifferenceVerdict
    /// In the order of the native trace; no more than `Comparison.Options.maximumDivergences`, `counts` has them all.
    package var divergences: [Divergence]
    /// The index in `divergences` of the first one that nothing else explains: look there first.
    package var firstCausal: Int?
    /// All of them by class's raw value. The same divergence in several places of a run is one.
    package var counts: [String: Int]
    /// By call name, for the coverage table.
    package var calls: [String: CallStatistics]
    package var statistics: ComparisonStatistics

    package init(
        verdict: DifferenceVerdict, divergences: [Divergence] = [], firstCausal: Int? = nil,
        counts: [String: Int] = [:], calls: [String: CallStatistics] = [:],
        statistics: ComparisonStatistics = ComparisonStatistics()
    ) {
        self.verdict = verdict
        self.divergences = divergences
        self.firstCausal = firstCausal
        self.counts = counts
        self.calls = calls
        self.statistics = statistics
    }
}

extension CaseDifference {
    /// The first causal divergence of some of them, such as those that nobody expects.
    package func firstCausal(among indices: [Int]) -> Int? { Causality.first(divergences, among: Set(indices)) }
}

/// The outcome of a comparison before anything is said of expectations.
package enum DifferenceVerdict: String, Hashable, Sendable, Codable {
    /// Nothing differs beyond the native runs' own envelope.
    case same
    /// Only divergences whose cause explains them (the environment, the clock, a race).
    case explained
    case different
    /// The sandbox, or the program only under it, died.
    case crash
    /// The sandboxed run did not end in its time; the native ones did.
    case hang
    /// The native runs themselves hang, or there is none: nothing can be said.
    case invalid
}

/// How often a call was made, and how often it diverged.
package struct CallStatistics: Hashable, Sendable, Codable {
    /// In the first run of each side.
    package var native = 0
    package var sandbox = 0
    package var divergences = 0
    /// How often the sandbox answered ENOSYS where the native run did not.
    package var unimplemented = 0

    package init() {}
}

/// The size of what was compared, in the first run of each side.
package struct ComparisonStatistics: Hashable, Sendable, Codable {
    package var nativeEvents = 0
    package var sandboxEvents = 0
    package var nativeThreads = 0
    package var sandboxThreads = 0
    /// Pairs of events that were lined up.
    package var aligned = 0
    /// Fields that differ between the native runs, and so may differ in the sandbox.
    package var maskedFields = 0

    package init() {}
}
