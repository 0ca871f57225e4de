package import Bench
internal import Corpus

/// A run's figures as Markdown: `bench.md`.
package struct BenchMarkdown {
    private let results: BenchResults

    package init(_ results: BenchResults) { self.results = results }

    package var text: String {
        let table = BenchTable(results)
        var parts = [
            BenchPage.verdict(results), BenchPage.conditions(results),
            MarkdownReport.table(table.header, table.rows.map(\.cells), numbersFrom: 1),
        ]
        let notes = results.others.map { "- \($0.name): \(MarkdownReport.plain($0.note))" }
        if !notes.isEmpty { parts.append(notes.joined(separator: "\n")) }
        let skipped = table.skipped.map {
            "- \(MarkdownReport.plain($0.name)): skipped: \(MarkdownReport.plain($0.reason))"
        }
        if !skipped.isEmpty { parts.append(skipped.joined(separator: "\n")) }
        let failures = results.failures.map {
            "- \($0.operation), \($0.runtime), \($0.binding.title(processors: results.host.processors)): "
                + MarkdownReport.plain($0.text)
        }
        if !failures.isEmpty { parts.append("Not measured:\n\n" + failures.joined(separator: "\n")) }
        return parts.joined(separator: "\n\n") + "\n"
    }
}
