internal import Corpus
internal import Foundation

/// A run's figures as a table of words, which the terminal, Markdown and the page all show.
package struct BenchTable: Sendable {
    package enum Mark: String, Sendable {
        case met, missed
        case none = ""
    }

    package struct Row: Sendable {
        package var cells: [String]
        /// Of each binding, in order.
        package var marks: [Mark]
    }

    package let header: [String]
    package let rows: [Row]
    /// What has no figures, and why: a name and a reason each.
    package let skipped: [(name: String, reason: String)]

    package init(_ results: BenchResults) {
        var header = ["operation"]
        for binding in results.bindings {
            let title = binding.title(processors: results.host.processors)
            header += ["native, \(title)", "sandbox", "ratio", "lowest–highest", "target", ""]
            header += results.others.map(\.name)
        }
        self.header = header
        rows = results.rows.filter { $0.skipped == nil }.map { row in
            let parts = results.bindings.map { Self.part(row, $0, results.others) }
            return Row(cells: [row.title] + parts.flatMap(\.cells), marks: parts.map(\.mark))
        }
        skipped =
            results.rows.compactMap { row in row.skipped.map { (row.title, $0) } }
            + results.runtimes.compactMap { runtime in runtime.skipped.map { (runtime.name, $0) } }
    }

    private static func part(
        _ row: BenchResults.Row, _ binding: Binding, _ others: [Runtime]
    ) -> (cells: [String], mark: Mark) {
        let mark: Mark = row.meetsTarget(binding).map { $0 ? .met : .missed } ?? .none
        let native = row.spread(Runtime.nativeName, binding)
        let sandbox = row.spread(Runtime.sandboxName, binding)
        let ratio = row.ratio(Runtime.sandboxName, binding)
        func amount(_ value: Double) -> String {
            row.measure == .megabytes ? "\(digits(value / 1e6)) MB" : time(value)
        }
        var span = ""
        switch row.measure {
        case .ratio: span = ratio.map { "\(digits($0.lowest))–\(digits($0.highest))" } ?? ""
        case .milliseconds, .megabytes:
            span = row.judged(binding).map { "\(digits($0.lowest))–\(digits($0.highest))" } ?? ""
        }
        let target = row.target[binding].map { "≤ \(digits($0))\(unit(row.measure))" }
        var cells: [String] = []
        cells.append(native.map { amount($0.median) } ?? "")
        cells.append(sandbox.map { amount($0.median) } ?? "")
        cells.append(ratio.map { digits($0.median) + "×" } ?? "")
        cells += [span, target ?? "", mark.rawValue]
        for other in others {
            let ratio = row.ratio(other.name, binding).map { "\(digits($0.median))×" }
            cells.append(ratio ?? row.spread(other.name, binding).map { amount($0.median) } ?? "")
        }
        return (cells, mark)
    }

    private static func unit(_ measure: Operation.Measure) -> String {
        switch measure {
        case .ratio: "×"
        case .milliseconds: " ms"
        case .megabytes: " MB"
        }
    }

    /// Nanoseconds in the unit in which they can be read.
    static func time(_ nanoseconds: Double) -> String {
        for (limit, unit, scale) in [(1e3, "ns", 1), (1e6, "µs", 1e3), (1e9, "ms", 1e6)] where nanoseconds < limit {
            return "\(digits(nanoseconds / scale)) \(unit)"
        }
        return "\(digits(nanoseconds / 1e9)) s"
    }

    /// Three digits, and no more than two behind the point.
    package static func digits(_ value: Double) -> String {
        let places = abs(value) >= 99.95 ? 0 : abs(value) >= 9.995 ? 1 : 2
        let text = String(format: "%.\(places)f", value)
        guard places > 0 else { return text }
        var trimmed = text[...]
        while trimmed.hasSuffix("0") { trimmed = trimmed.dropLast() }
        return String(trimmed.hasSuffix(".") ? trimmed.dropLast() : trimmed)
    }
}
