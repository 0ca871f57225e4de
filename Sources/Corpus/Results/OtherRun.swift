internal import Diff
internal import Expect

/// What came of the other run of a case that was run twice because it failed.
package struct OtherRun: Sendable, Hashable, Codable {
    package var outcome: CaseResult.Outcome
    /// Whether it is the second one, which is run alone after all others.
    package var isSecond: Bool
    /// What differed that nothing explains, in sentences.
    package var open: [String]

    /// More sentences say no more.
    private static let shown = 10

    init(_ result: CaseResult, isSecond: Bool) {
        outcome = result.outcome
        self.isSecond = isSecond
        let divergences = result.difference?.divergences ?? []
        let unexpected = (result.judgement?.unexpected ?? []).filter(divergences.indices.contains)
        open = unexpected.prefix(Self.shown).map { divergences[$0].explanation }
        if open.isEmpty, outcome.isFailure, let reason = result.reason { open = [reason] }
    }

    /// One sentence for the reader of a report.
    package var sentence: String {
        let run = isSecond ? "run again, alone, it is" : "when it was run first, it was"
        return "\(run) \(outcome.rawValue)" + (open.isEmpty ? "" : ": " + open.joined(separator: "; "))
    }
}

extension CaseResult {
    /// Whether a second run may show that chance decides. What can't be built or run at all is no matter of chance.
    var isWorthAnother: Bool { outcome == .fail || outcome == .invalid }

    /// What two runs of a case amount to, of which this one, the first, has failed.
    ///
    /// What a user of the program sees (outputs, status, files, a crash, a hang) fails even when it was seen once. Of what
    /// remains, two failures are one, and a single one is a case that differs from run to run.
    func joined(with second: CaseResult) -> CaseResult {
        let showsSecond = outcome == .invalid || (!hasUnexpectedOutcome && second.hasUnexpectedOutcome)
        var result = showsSecond ? second : self
        result.other = showsSecond ? OtherRun(self, isSecond: false) : OtherRun(second, isSecond: true)
        if !hasUnexpectedOutcome, !second.outcome.isFailure, second.outcome != .skipped { result.outcome = .unstable }
        result.reason = [result.reason, result.other?.sentence].compactMap(\.self).joined(separator: "; ")
        return result
    }
}
