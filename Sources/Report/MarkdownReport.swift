package import Corpus
internal import Diff
internal import Expect

/// `report.md`: the run as a page for a code host, or for a terminal.
package struct MarkdownReport {
    private let results: Results
    private let coverage: Coverage

    /// Divergences shown in full.
    private static let shown = 25

    package init(_ results: Results, _ coverage: Coverage) {
        self.results = results
        self.coverage = coverage
    }

    package var text: String {
        var parts = ["# Compatibility report", Words.verdict(results), Words.visible(results)]
        parts.append(
            "*\(Words.date(results.date)) · \(Words.host(results)) · \(Words.seconds(Int(results.seconds * 1000)))*")
        if !results.errors.isEmpty {
            parts.append("## Wrong manifests\n\n" + results.errors.map { "- \(Self.code($0))" }.joined(separator: "\n"))
        }
        parts.append("## Families\n\n" + families)
        parts.append("## Divergences by class\n\n" + classes)
        let failed = results.cases.filter { $0.outcome == .fail }
        if !failed.isEmpty { parts.append("## First divergences\n\n" + first(failed)) }
        let unstable = results.cases.filter { $0.outcome == .unstable }
        if !unstable.isEmpty { parts.append("## Unstable\n\n" + self.unstable(unstable)) }
        parts.append("## System calls\n\n" + calls)
        let troubled = results.cases.filter { [.skipped, .broken, .invalid].contains($0.outcome) }
        if !troubled.isEmpty { parts.append("## Not compared\n\n" + reasons(troubled)) }
        if !results.stale.isEmpty {
            let lines = results.stale.map {
                "- \(Self.code(Words.place($0))): \(Self.code(Words.subject($0))): \(Self.plain($0.reason))"
            }
            parts.append("## Stale expectations\n\n" + lines.joined(separator: "\n"))
        }
        return parts.joined(separator: "\n\n") + "\n"
    }

    private var families: String {
        let outcomes = CaseResult.Outcome.allCases
        func row(_ name: String, _ cases: [CaseResult]) -> [String] {
            [name, Words.grouped(cases.count)]
                + outcomes.map { outcome in Words.grouped(cases.count { $0.outcome == outcome }) }
        }
        var rows = Words.families(results).map { row($0.name, $0.cases) }
        rows.append(row("all", results.cases).map { "**\($0)**" })
        return Self.table(["family", "runs"] + outcomes.map(\.rawValue), rows, numbersFrom: 1)
    }

    private var classes: String {
        let rows = DivergenceClass.allCases.compactMap { kind -> [String]? in
            var (open, expected, explained, runs) = (0, 0, 0, 0)
            for result in results.cases {
                let found = (result.difference?.divergences ?? []).enumerated().filter { $0.element.kind == kind }
                if !found.isEmpty { runs += 1 }
                for (index, _) in found {
                    switch result.standing(of: index) {
                    case .open: open += 1
                    case .expected: expected += 1
                    case .explained: explained += 1
                    }
                }
            }
            guard runs > 0 else { return nil }
            return [kind.rawValue, Words.meaning(kind)] + [open, expected, explained, runs].map(Words.grouped)
        }
        guard !rows.isEmpty else { return "None was found." }
        return
            "Expected ones stand in `corpus/expectations`; explained ones come from the environment, the clock or a race.\n\n"
            + Self.table(["class", "meaning", "open", "expected", "explained", "runs"], rows, numbersFrom: 2)
    }

    private func first(_ failed: [CaseResult]) -> String {
        var parts = failed.prefix(Self.shown).map { result in
            var text = "### \(result.title)\n\n\(Self.plain(result.summary))"
            guard let divergence = result.first?.divergence else { return text }
            text += "\n\n**\(divergence.kind.rawValue)** \(Self.code(Words.place(divergence))): "
            text += Self.plain(divergence.explanation)
            let lines = sides(divergence)
            if !lines.isEmpty { text += "\n\n" + Self.fenced(lines) }
            return text
        }
        if failed.count > Self.shown {
            let rest = failed.dropFirst(Self.shown).map { "[\($0.title)](cases/\(CasePage.fileName($0)))" }
            parts.append("And \(rest.count) more: \(rest.joined(separator: ", ")).")
        }
        return parts.joined(separator: "\n\n")
    }

    /// What differed in one run of those that differ from run to run.
    private func unstable(_ cases: [CaseResult]) -> String {
        let lines = cases.map { result in
            let open = result.open.prefix(3).map { Self.plain($0.divergence.explanation) }.joined(separator: "; ")
            let text = open.isEmpty ? Self.plain(result.other?.sentence ?? "") : open
            return "- [\(result.title)](cases/\(CasePage.fileName(result))): \(text)"
        }
        return "They failed in one of two runs, and not in what a user sees: that fails no run.\n\n"
            + lines.joined(separator: "\n")
    }

    /// Both sides in one column, each line behind its gutter; lines that agree stand there once.
    private func sides(_ divergence: Divergence) -> [String] {
        let rows =
            divergence.context.isEmpty
            ? [ContextRow(native: divergence.native, sandbox: divergence.sandbox, differs: true)] : divergence.context
        return rows.flatMap { row -> [String] in
            if !row.differs { return (row.native ?? row.sandbox).map { ["        | \($0)"] } ?? [] }
            var native = row.native
            var sandbox = row.sandbox
            if let left = native, let right = sandbox {
                let marks = LineMarks.compare(left, right)
                native = marks.left.map(\.text).joined()
                sandbox = marks.right.map(\.text).joined()
            }
            return [native.map { "native  | \($0)" }, sandbox.map { "sandbox | \($0)" }].compactMap(\.self)
        }
    }

    private var calls: String {
        var text = coverage.isKnown ? "" : "The sandbox could not be asked what it implements.\n\n"
        text += Self.table(
            ["support", "calls", "made by the corpus"],
            Coverage.Status.allCases.map { status in
                [status.rawValue, Words.grouped(coverage.count(status)), Words.grouped(coverage.exercised(status))]
            }, numbersFrom: 1)
        let header = ["call", "number", "support", "cases", "native", "sandbox", "diverged"]
        func rows(_ calls: [Coverage.Row]) -> [[String]] {
            calls.map { row in
                [
                    Self.code(row.name), String(row.number), row.status.rawValue, Words.grouped(row.cases),
                    Words.grouped(row.native), Words.grouped(row.sandbox), Words.grouped(row.divergences),
                ]
            }
        }
        let wanted = coverage.wanted
        if !wanted.isEmpty {
            text += "\n\nMade natively by programs of the corpus, and not implemented:\n\n"
            text += Self.table(header, rows(wanted), numbersFrom: 3)
        }
        let used = coverage.rows.filter {
            $0.native + $0.sandbox + $0.cases > 0 || $0.status != .none && $0.status != .absent
        }
        text += "\n\n<details><summary>\(Words.count(used.count, "call")) in use or implemented</summary>\n\n"
        return text + Self.table(header, rows(used), numbersFrom: 3) + "\n\n</details>"
    }

    private func reasons(_ cases: [CaseResult]) -> String {
        let groups = Dictionary(grouping: cases) { result in
            let reason = result.reason?.split(separator: "\n").first.map(String.init) ?? ""
            return "\(result.outcome.rawValue): \(reason)"
        }
        return groups.sorted { $0.key < $1.key }.map { reason, cases in
            "- \(Self.plain(reason)) (\(cases.map { Self.code($0.title) }.joined(separator: ", ")))"
        }.joined(separator: "\n")
    }

    // MARK: The notation

    /// A table whose columns from `numbersFrom` on are set to the right.
    static func table(_ header: [String], _ rows: [[String]], numbersFrom: Int) -> String {
        let cells = ([header] + rows).map { $0.map { $0.replacing("|", with: "\\|") } }
        let widths = header.indices.map { column in max(3, cells.map { $0[column].count }.max() ?? 0) }
        func line(_ row: [String]) -> String {
            let padded = row.enumerated().map { column, cell in
                let blanks = String(repeating: " ", count: max(0, widths[column] - cell.count))
                return column < numbersFrom ? cell + blanks : blanks + cell
            }
            return "| " + padded.joined(separator: " | ") + " |"
        }
        let rule = widths.enumerated().map { column, width in
            column < numbersFrom
                ? String(repeating: "-", count: width) : String(repeating: "-", count: width - 1) + ":"
        }
        return ([line(cells[0]), "| " + rule.joined(separator: " | ") + " |"] + cells.dropFirst().map(line))
            .joined(separator: "\n")
    }

    /// A code span, whatever backquotes are in the text.
    static func code(_ text: String) -> String {
        guard !text.isEmpty else { return "" }
        let longest = text.split { $0 != "`" }.map(\.count).max() ?? 0
        let fence = String(repeating: "`", count: longest + 1)
        return longest == 0 ? "`\(text)`" : "\(fence) \(text) \(fence)"
    }

    /// A block of code, whatever backquotes are in the lines.
    static func fenced(_ lines: [String]) -> String {
        let longest = lines.flatMap { $0.split { $0 != "`" }.map(\.count) }.max() ?? 0
        let fence = String(repeating: "`", count: max(3, longest + 1))
        return ([fence + "text"] + lines + [fence]).joined(separator: "\n")
    }

    /// Text that no character of is notation.
    static func plain(_ text: String) -> String {
        var result = ""
        for character in text {
            if "\\`*_[]<>#|".contains(character) { result.append("\\") }
            result.append(character)
        }
        return result
    }
}
