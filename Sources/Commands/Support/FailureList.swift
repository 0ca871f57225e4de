internal import Corpus
internal import Diff

/// The cases for which a run fails, each with what it shows, so that a log whose report is out of reach says enough.
struct FailureList {
    /// More of them are in the report.
    private static let limit = 40
    /// The characters of each side that are shown.
    private static let width = 300

    private let failures: [CaseResult]
    private let gate: Results.Gate

    init(_ results: Results, _ gate: Results.Gate) {
        failures = results.failures(by: gate)
        self.gate = gate
    }

    func print(to terminal: Terminal) {
        for result in failures.prefix(Self.limit) { terminal.write(text(of: result, terminal)) }
        if failures.count > Self.limit { terminal.write("and \(failures.count - Self.limit) more\n") }
    }

    private func text(of result: CaseResult, _ terminal: Terminal) -> String {
        var text = terminal.paint("\(result.outcome.rawValue) \(result.title)", .bold)
        if let reason = result.reason { text += ": \(reason)" }
        text += "\n"
        let shown = gate == .outcome ? result.visibleDivergences : result.first.map { [$0.divergence] } ?? []
        for divergence in shown.prefix(3) {
            text += "  \(divergence.explanation)\n"
            if let native = divergence.native { text += "    natively: \(native.prefix(Self.width))\n" }
            if let sandbox = divergence.sandbox { text += "    sandbox:  \(sandbox.prefix(Self.width))\n" }
        }
        return text
    }
}
