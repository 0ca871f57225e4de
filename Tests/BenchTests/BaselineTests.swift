import Corpus
import Foundation
import Testing

@testable import Bench

@Suite("the baseline")
struct BaselineTests {
    private func baseline(_ ratios: [Double], processors: Int = 2) -> Baseline {
        var baseline = Baseline(processors: processors)
        baseline.update(with: Sample.results("null", ratios, processors: processors))
        return baseline
    }

    private func verdicts(_ before: [Double], _ now: [Double]) -> Set<Baseline.Judgement.Verdict> {
        Set(baseline(before).judge(Sample.results("null", now)).map(\.verdict))
    }

    @Test("a ratio is worse only beyond the noise of both runs")
    func judged() {
        #expect(verdicts([10, 10, 10], [14, 14, 14]) == [.worse])
        #expect(verdicts([10, 10, 10], [6, 6, 6]) == [.better])
        // Less than what counts as nothing, however quiet both runs were.
        #expect(verdicts([10, 10, 10], [11.4, 11.4, 11.4]) == [.same])
        // This run scatters by more than it is off.
        #expect(verdicts([10, 10, 10], [11, 14, 16]) == [.same])
        // The baseline's own run did.
        #expect(verdicts([8, 10, 14], [14, 14, 14]) == [.same])
    }

    @Test("what was not bound to one processor is compared on machines with as many only")
    func processors() {
        let judgements = baseline([10], processors: 8).judge(Sample.results("null", [20]))
        #expect(judgements.map(\.binding) == [.one])
        #expect(judgements.map(\.verdict) == [.worse])
    }

    @Test("an operation that the baseline has not, or that was not measured, is not judged")
    func unknown() {
        #expect(baseline([10]).judge(Sample.results("read1", [20])).isEmpty)
        #expect(baseline([10]).judge(Sample.results("null", [])).isEmpty)
    }

    @Test("megabytes are compared as such")
    func megabytes() {
        var results = Sample.results
        var baseline = Baseline(processors: 2)
        baseline.update(with: results)
        results.rows[2].series = [.init(runtime: "sandbox", binding: .all, figures: [18e6, 18e6])]
        let judgement = baseline.judge(results).first { $0.operation == "idle" }
        #expect(judgement?.before == 9)
        #expect(judgement?.now == 18)
        #expect(judgement?.verdict == .worse)
    }

    @Test("an update keeps what was not measured, and a file keeps it all")
    func update() throws {
        var baseline = baseline([10.123456])
        baseline.update(with: Sample.results("read1", [2, 4]))
        #expect(baseline.entries.keys.sorted() == ["null", "read1"])
        #expect(baseline.entries["null"]?[.all]?.median == 10.12)
        let path = NSTemporaryDirectory() + "apus-baseline-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try baseline.write(to: path)
        #expect(try Baseline.read(path).entries == baseline.entries)
        baseline.update(with: Sample.results("read1", [2, 4], processors: 8))
        #expect(baseline.entries.keys.sorted() == ["read1"])
        try Data("[]".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: CorpusError.self) { try Baseline.read(path) }
    }

    @Test("the committed baseline can be read, and names operations that there are")
    func committed() throws {
        let committed = try Baseline.read(Sources.folder + "/baseline.json")
        let names = Set(Bench.Operation.all.filter(\.isQuick).map(\.name))
        #expect(Set(committed.entries.keys).subtracting(Bench.Operation.all.map(\.name)) == [])
        #expect(names.subtracting(committed.entries.keys) == [], "not in the baseline")
    }
}

/// The project's `bench` folder.
enum Sources {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("bench").path
}
