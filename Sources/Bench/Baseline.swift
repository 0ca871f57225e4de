package import Corpus
internal import Foundation

/// What an earlier run has found, committed: what the short form compares with.
package struct Baseline: Sendable, Codable {
    package static let currentVersion = 1

    package var version = Baseline.currentVersion
    /// Of the machine: with another number, what was not bound to one of them can't be compared.
    package var processors: Int
    /// By operation.
    package var entries: [String: Bound<Entry>] = [:]

    /// A ratio, or megabytes.
    package struct Entry: Sendable, Codable, Hashable {
        package var median: Double
        package var lowest: Double
        package var highest: Double
        /// `Spread.noise`; nothing is known of it where it is missing.
        package var noise: Double?

        package init(_ spread: Spread) {
            median = Self.rounded(spread.median)
            lowest = Self.rounded(spread.lowest)
            highest = Self.rounded(spread.highest)
            noise = Self.rounded(spread.noise)
        }

        /// Four digits say enough.
        private static func rounded(_ value: Double) -> Double {
            guard value > 0, value.isFinite else { return 0 }
            let unit = pow(10, floor(log10(value)) - 3)
            // By way of the text, so that the file shows four digits, too.
            return Double(String(format: "%.8g", (value / unit).rounded() * unit)) ?? value
        }
    }

    /// How one figure compares.
    package struct Judgement: Sendable, Hashable {
        package enum Verdict: String, Sendable { case worse, better, same }

        package var operation: String
        package var binding: Binding
        package var before: Double
        package var now: Double
        /// What it may differ by, without that meaning anything.
        package var noise: Double
        package var verdict: Verdict
    }

    /// Less than that share of a figure counts as nothing, however quiet two runs have been: where a run's processes come
    /// to lie in memory, and on which processor, is settled once for each of them.
    package static let indifference = 0.15

    package init(processors: Int) { self.processors = processors }

    /// What is compared: a ratio, wherever there is a native side.
    static func figure(_ row: BenchResults.Row, _ binding: Binding) -> Spread? {
        row.measure == .megabytes ? row.judged(binding) : row.ratio(Runtime.sandboxName, binding)
    }

    /// Takes over what a run has measured; the rest stays.
    package mutating func update(with results: BenchResults) {
        if processors != results.host.processors {
            processors = results.host.processors
            entries = [:]
        }
        for row in results.rows {
            for binding in results.bindings {
                guard let found = Self.figure(row, binding) else { continue }
                entries[row.name, default: Bound()][binding] = Entry(found)
            }
        }
    }

    /// Compares what both have. A figure is worse, or better, if it is by more than the noise of this run or of the baseline's,
    /// whichever is larger.
    package func judge(_ results: BenchResults) -> [Judgement] {
        var judgements: [Judgement] = []
        for row in results.rows {
            for binding in results.bindings where binding == .one || processors == results.host.processors {
                guard let before = entries[row.name]?[binding], let now = Self.figure(row, binding) else { continue }
                let noise = max(now.noise, before.noise ?? 0, before.median * Self.indifference)
                let difference = now.median - before.median
                judgements.append(
                    Judgement(
                        operation: row.name, binding: binding, before: before.median, now: now.median, noise: noise,
                        verdict: difference > noise ? .worse : difference < -noise ? .better : .same))
            }
        }
        return judgements
    }

    package static func read(_ path: String) throws(CorpusError) -> Baseline {
        try JSONFile.read(path, version: currentVersion, made: "apus bench --quick --update-baseline")
    }

    package func write(to path: String) throws(CorpusError) { try JSONFile.write(self, to: path) }
}
