import Diff
import Foundation
import Synchronization
import Testing

@testable import Corpus

/// What becomes of a case that fails, with a stand-in for the sandbox that errs in each of its runs as told.
@Suite(
    "a case that fails is run again, alone",
    .enabled(if: Scratch.standIn != nil, "skipped: kernel-stand-in is not built"),
    .enabled(if: Scratch.hasCompiler, "skipped: no C compiler"), .serialized)
struct UnstableTests {
    private func run(_ faults: [String]) throws -> (results: Results, told: [CaseResult.Outcome]) {
        let scratch = try Scratch()
        try scratch.write(
            "corpus/files/one.c", LaboratoryTests.source.replacingOccurrences(of: "TIMEOUT", with: "20"))
        let run = TestRun(
            paths: CorpusPaths(root: scratch.path + "/corpus"), launcher: try scratch.launcher(faults: faults),
            options: TestRun.Options())
        let told = Mutex<[CaseResult.Outcome]>([])
        let results = try run.run([]) { result, _, _ in told.withLock { $0.append(result.outcome) } }
        return (results, told.withLock { $0 })
    }

    @Test("fails once in a system call: it is unstable, which is neither a pass nor a failure, and says what differed")
    func once() throws {
        let (results, told) = try run(["trace", "none"])
        let result = try #require(results.cases.first)
        #expect(told == [.fail, .unstable])
        #expect(result.outcome == .unstable)
        #expect(result.other?.outcome == .pass)
        #expect(result.open.map(\.divergence.call) == ["getpid"])
        #expect(results.isSuccess(by: .trace))
        #expect(results.isSuccess(by: .outcome))
    }

    @Test("fails twice: it fails, and says what both runs showed")
    func twice() throws {
        let (results, told) = try run(["trace", "trace"])
        let result = try #require(results.cases.first)
        #expect(told == [.fail, .fail])
        #expect(result.other?.outcome == .fail)
        #expect(result.other?.open.first?.contains("getpid") == true)
        #expect(!results.isSuccess(by: .trace))
    }

    @Test(
        "shows its user something else once: it fails by either gate, whichever run it was",
        arguments: [["output", "none"], ["trace", "status"], ["file", "trace"], ["crash", "none"]])
    func visible(faults: [String]) throws {
        let results = try run(faults).results
        let result = try #require(results.cases.first)
        #expect(result.outcome == .fail)
        #expect(result.hasUnexpectedOutcome)
        #expect(!results.isSuccess(by: .trace))
        #expect(!results.isSuccess(by: .outcome))
    }

    @Test("passes at once: it is not run again")
    func passes() throws {
        let (results, told) = try run(["none", "trace"])
        #expect(told == [.pass])
        #expect(results.cases.first?.other == nil)
    }

    @Test("an unstable case survives the store")
    func stored() throws {
        let results = try run(["trace", "none"]).results
        let scratch = try Scratch()
        try ResultStore.write(results, to: scratch.path + "/results.json")
        let read = try ResultStore.read(scratch.path + "/results.json")
        #expect(read.cases.first?.outcome == .unstable)
        #expect(read.cases.first?.other == results.cases.first?.other)
    }
}
