internal import Corpus

/// What a run found, by family, and where the reports are.
struct SummaryTable {
    /// The unstable cases that are named; the report has them all.
    private static let named = 20

    private let results: Results
    private let directory: String

    init(_ results: Results, _ directory: String) {
        self.results = results
        self.directory = directory
    }

    /// The rows as text: a header, a row for each family, one for all.
    var rows: [[String]] {
        let outcomes = CaseResult.Outcome.allCases
        func row(_ name: String, _ cases: [CaseResult]) -> [String] {
            [name, String(cases.count)] + outcomes.map { outcome in String(cases.count { $0.outcome == outcome }) }
        }
        let families = Dictionary(grouping: results.cases, by: \.family).sorted { $0.key < $1.key }
        return [["family", "cases"] + outcomes.map(\.rawValue)] + families.map { row($0.key, $0.value) }
            + [row("all", results.cases)]
    }

    func print(to terminal: Terminal) {
        let rows = rows
        let columns = rows.first?.count ?? 0
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        var text = ""
        for (number, row) in rows.enumerated() {
            var line = ""
            for (column, cell) in row.enumerated() {
                let blanks = String(repeating: " ", count: widths[column] - cell.count)
                line += column == 0 ? cell + blanks : "  " + blanks + cell
            }
            let isEdge = number == 0 || number == rows.count - 1
            text += (isEdge ? terminal.paint(line, .bold) : line) + "\n"
        }
        let stale = results.stale.count
        if stale > 0 { text += "\(stale) expectations explained nothing: see the report\n" }
        let invalid = results.count(.invalid)
        if invalid > 0 {
            text += terminal.paint("\(invalid) native runs did not end: nothing was compared there", .bold) + "\n"
        }
        let unstable = results.cases.filter { $0.outcome == .unstable }
        if !unstable.isEmpty {
            let shown = unstable.prefix(Self.named).map(\.title).joined(separator: ", ")
            let rest = unstable.count > Self.named ? ", …" : ""
            text += "\(unstable.count) cases are unstable, differing in one of two runs: \(shown)\(rest)\n"
        }
        if !results.errors.isEmpty { text += "\(results.errors.count) manifests are wrong: see above\n" }
        text += "\(Int(results.seconds.rounded())) s; reports: \(directory)/index.html\n"
        terminal.write(text)
    }
}
