internal import Bench
internal import Corpus

/// What `bench.html` shows.
struct BenchPage {
    struct Cell {
        let text: String
        /// The cell's style: `met`, `missed`, or nothing.
        let style: String
    }

    struct Row {
        let title: String
        let cells: [Cell]
    }

    struct Skip {
        let name: String
        let reason: String
    }

    let root = ""
    let title = "Speed"
    let verdict: String
    let date: String
    let host: String
    let conditions: String
    let header: [String]
    let rows: [Row]
    /// As it is: an SVG inside the page.
    let chart: String
    let skips: [Skip]
    let hasSkips: Bool
    let notes: [Skip]
    let hasNotes: Bool
    let failures: [Skip]
    let hasFailures: Bool

    init(_ results: BenchResults) {
        let table = BenchTable(results)
        verdict = Self.verdict(results)
        date = Words.date(results.date)
        host = Words.host(results.host)
        conditions = Self.conditions(results)
        header = Array(table.header.dropFirst())
        rows = table.rows.map { row in
            Row(
                title: row.cells.first ?? "",
                cells: row.cells.dropFirst().map { text in
                    let mark = BenchTable.Mark(rawValue: text)
                    return Cell(text: text, style: mark == .met ? "pass" : mark == .missed ? "fail" : "")
                })
        }
        chart = RatioChart(results).inline
        skips = table.skipped.map { Skip(name: $0.name, reason: $0.reason) }
        hasSkips = !skips.isEmpty
        notes = results.others.map { Skip(name: $0.name, reason: $0.note) }
        hasNotes = !notes.isEmpty
        failures = results.failures.map { Skip(name: "\($0.operation), \($0.runtime)", reason: $0.text) }
        hasFailures = !failures.isEmpty
    }

    /// One sentence for a whole run.
    static func verdict(_ results: BenchResults) -> String {
        let parts = results.bindings.map { binding in
            let (met, measured) = results.targets(binding)
            return "\(met) of \(measured) on \(binding.title(processors: results.host.processors))"
        }
        var text = "Targets met: " + parts.joined(separator: ", ")
        if !results.failures.isEmpty { text += "; \(Words.count(results.failures.count, "figure")) could not be had" }
        return text + "."
    }

    /// Under which the figures were measured.
    static func conditions(_ results: BenchResults) -> String {
        "Medians of \(Words.count(results.rounds, "round")), in each of which every side was measured; a ratio is taken within "
            + "a round. \(Words.count(results.host.processors, "processor"))"
            + "\(results.model.isEmpty ? "" : " (\(results.model))"), load average \(BenchTable.digits(results.load)) at the start."
    }
}
