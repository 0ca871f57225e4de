import Diff
import Expect
import Testing

@testable import Corpus

@Suite("what the store keeps of a difference")
struct PruningTests {
    private func divergence(_ cause: DivergenceCause, _ name: String, _ kind: DivergenceClass = .value) -> Divergence {
        Divergence(kind: kind, cause: cause, call: name, field: "result", explanation: name)
    }

    @Test("is the open divergences before the explained ones, and what is said of them still fits")
    func keepsOpen() throws {
        var divergences = (0..<100).map { divergence(.environment, "uname\($0)") }
        divergences += (0..<100).map { divergence(.bug, "read\($0)") }
        divergences.insert(divergence(.bug, "known", .errno), at: 3)
        let difference = CaseDifference(
            verdict: .different, divergences: divergences, firstCausal: 101, counts: ["value": 200, "errno": 1])
        let known = Expectation(patterns: ["*"], kinds: [.errno], calls: ["known"], reason: "because")
        let judgement = Expectations([known]).judge(difference, case: "a/b", variant: "v")
        let (kept, about) = Pruning.keep(difference, judgement)
        #expect(kept.divergences.count == 75)
        #expect(kept.counts == difference.counts)
        #expect(kept.firstCausal.map { kept.divergences[$0].call } == "read0")
        #expect(about.unexpected.map { kept.divergences[$0].call } == (0..<50).map { "read\($0)" })
        #expect(about.expected.map { kept.divergences[$0.divergence].call } == ["known"])

        var result = CaseResult(
            CaseJob(
                CorpusCase(
                    family: "a", name: "b", file: "b", summary: "", subject: .command(["true"], packages: []),
                    timeout: 1), nil))
        result.difference = kept
        result.judgement = about
        #expect(result.standing(of: 0) == .explained)
        #expect(result.standing(of: 3) == .expected(reason: "because"))
        #expect(result.open.count == 50)
        #expect(result.first?.divergence.call == "read0")
    }

    @Test("nothing is lost of a small one")
    func small() {
        let difference = CaseDifference(
            verdict: .different, divergences: [divergence(.bug, "a"), divergence(.environment, "b")], firstCausal: 0,
            counts: ["value": 2])
        let judgement = Expectations().judge(difference, case: "a", variant: "v")
        let (kept, about) = Pruning.keep(difference, judgement)
        #expect(kept.divergences == difference.divergences)
        #expect(about.unexpected == [0])
        #expect(kept.firstCausal == 0)
    }
}
