internal import Diff
internal import Report

/// A comparison's result as text: each divergence with both sides, each line behind its gutter.
struct DifferenceText {
    private let terminal: Terminal
    private let limit: Int

    init(_ terminal: Terminal, limit: Int) {
        self.terminal = terminal
        self.limit = limit
    }

    func text(_ difference: CaseDifference) -> String {
        let all = difference.counts.values.reduce(0, +)
        var text = ""
        for (index, divergence) in difference.divergences.prefix(limit).enumerated() {
            text += self.text(divergence, isFirst: index == difference.firstCausal) + "\n"
        }
        let shown = min(limit, difference.divergences.count)
        if all > shown { text += "\(all - shown) more divergences\n" }
        let counts = difference.counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        let statistics = difference.statistics
        text += terminal.paint(difference.verdict.rawValue, .bold, colour(difference.verdict))
        text += counts.isEmpty ? "" : ": " + counts.joined(separator: ", ")
        return text + " (events: \(statistics.nativeEvents) native, \(statistics.sandboxEvents) sandbox)\n"
    }

    private func text(_ divergence: Divergence, isFirst: Bool) -> String {
        let place = [divergence.call, divergence.field].compactMap(\.self).joined(separator: ": ")
        var text = terminal.paint(divergence.kind.rawValue, .bold, .red) + " \(place)"
        if !divergence.thread.isEmpty { text += ", thread \(divergence.thread)" }
        if isFirst { text += terminal.paint("  <- look here first", .cyan) }
        text += "\n  \(divergence.explanation) (\(divergence.cause.rawValue))\n"
        let rows =
            divergence.context.isEmpty
            ? [ContextRow(native: divergence.native, sandbox: divergence.sandbox, differs: true)] : divergence.context
        for row in rows { text += lines(row) }
        return text
    }

    private func lines(_ row: ContextRow) -> String {
        guard row.differs else {
            return (row.native ?? row.sandbox).map { terminal.paint("          | \($0)", .dim) + "\n" } ?? ""
        }
        var native = row.native
        var sandbox = row.sandbox
        if let left = native, let right = sandbox {
            let marks = LineMarks.compare(left, right)
            native = joined(marks.left, .green)
            sandbox = joined(marks.right, .red)
        }
        return (native.map { terminal.paint("  native  | ", .green) + $0 + "\n" } ?? "")
            + (sandbox.map { terminal.paint("  sandbox | ", .red) + $0 + "\n" } ?? "")
    }

    private func joined(_ segments: [LineSegment], _ style: Terminal.Style) -> String {
        segments.map { $0.isChanged ? terminal.paint($0.text, .bold, style) : $0.text }.joined()
    }

    private func colour(_ verdict: DifferenceVerdict) -> Terminal.Style {
        switch verdict {
        case .same: .green
        case .explained: .cyan
        case .different, .crash, .hang: .red
        case .invalid: .yellow
        }
    }
}
