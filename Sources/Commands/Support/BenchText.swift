internal import Bench
internal import Corpus

/// A benchmark's figures for a terminal.
struct BenchText {
    private let results: BenchResults
    private let terminal: Terminal

    init(_ results: BenchResults, _ terminal: Terminal) {
        self.results = results
        self.terminal = terminal
    }

    var text: String {
        let host = results.host
        let load = BenchTable.digits(results.load)
        let rounds = "\(results.rounds) round\(results.rounds == 1 ? "" : "s") in \(Int(results.seconds)) s"
        var text = "\(host.processors) × \(results.model), Linux \(host.kernel), load \(load); \(rounds)\n"
        if results.load > 0.5 * Double(host.processors) { text += "the machine was busy: the figures scatter\n" }
        let table = BenchTable(results)
        let lines = [table.header] + table.rows.map(\.cells)
        let widths = table.header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        for (number, line) in lines.enumerated() {
            let cells = line.enumerated().map { column, cell in
                let blanks = String(repeating: " ", count: widths[column] - cell.count)
                let isWord = column == 0 || table.header[column].isEmpty
                return isWord ? painted(cell) + blanks : blanks + cell
            }
            var row = cells.joined(separator: "  ")
            while row.hasSuffix(" ") { row.removeLast() }
            text += (number == 0 ? terminal.paint(row, .bold) : row) + "\n"
        }
        for (name, reason) in table.skipped { text += "skipped: \(name): \(reason)\n" }
        for other in results.others { text += terminal.paint("\(other.name): \(other.note)", .dim) + "\n" }
        for failure in results.failures {
            let title = failure.binding.title(processors: host.processors)
            text +=
                terminal.paint("not measured", .bold, .red)
                + ": \(failure.operation), \(failure.runtime), \(title): \(failure.text)\n"
        }
        for binding in results.bindings {
            let (met, measured) = results.targets(binding)
            text += "\(met) of \(measured) targets met on \(binding.title(processors: host.processors))\n"
        }
        return text
    }

    private func painted(_ cell: String) -> String {
        switch BenchTable.Mark(rawValue: cell) {
        case .met: terminal.paint(cell, .green)
        case .missed: terminal.paint(cell, .red)
        default: cell
        }
    }

    /// How a run compares with the baseline: what is worse or better, and how many were compared.
    static func text(
        _ judgements: [Baseline.Judgement], _ baseline: Baseline, _ results: BenchResults, _ terminal: Terminal
    ) -> String {
        var text = ""
        for judgement in judgements where judgement.verdict != .same {
            let verdict = terminal.paint(
                judgement.verdict.rawValue, .bold, judgement.verdict == .worse ? .red : .green)
            let title = judgement.binding.title(processors: results.host.processors)
            let figures = [judgement.before, judgement.now, judgement.noise].map(BenchTable.digits)
            text += "\(verdict): \(judgement.operation), \(title): \(figures[0]) in the baseline, now \(figures[1]) "
            text += "(noise \(figures[2]))\n"
        }
        if baseline.processors != results.host.processors {
            text +=
                "the baseline is of a machine with \(baseline.processors) processors: "
                + "only what is bound to one is compared\n"
        }
        let worse = judgements.count { $0.verdict == .worse }
        return text + "\(judgements.count) figures compared with the baseline, \(worse) worse\n"
    }
}
