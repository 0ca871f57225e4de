import Diff
import Testing
import TraceModel

@Suite("what is left of a run")
struct OutcomesTests {
    static func run(
        _ output: String = "", status: RunEnding = .ended(WaitStatus(exitCode: 0)), files: [EndStateFile] = []
    )
        -> RunRecord
    {
        RunRecord(events: .events([]), ending: status, standardOutput: Array(output.utf8), files: files)
    }

    @Test("the same output, status and files are the same")
    func same() throws {
        let file = EndStateFile(path: "a", kind: .regular, mode: 0o644, size: 3, content: "x")
        let run = Self.run("one\n", files: [file])
        let difference = try Comparison().compare(native: [run, run], sandbox: [run])
        #expect(difference.verdict == .same)
        #expect(difference.divergences.isEmpty)
    }

    @Test("a line that is stable natively must match")
    func output() throws {
        let difference = try Comparison().compare(
            native: [Self.run("one\npid 17\n"), Self.run("one\npid 18\n")], sandbox: [Self.run("two\npid 99\n")])
        #expect(difference.verdict == .different)
        let divergence = try #require(difference.divergences.first)
        #expect(divergence.kind == .output)
        #expect(divergence.field == "stdout")
        #expect(divergence.native == "one")
        #expect(divergence.sandbox == "two")
    }

    @Test("a line that differs natively may differ")
    func masked() throws {
        let difference = try Comparison().compare(
            native: [Self.run("one\npid 17\n"), Self.run("one\npid 18\n")], sandbox: [Self.run("one\npid 99\n")])
        #expect(difference.verdict == .same)
    }

    @Test("lines that natively come in any order are compared as a set")
    func unordered() throws {
        let native = [Self.run("a\nb\nc\n"), Self.run("b\na\nc\n")]
        #expect(try Comparison().compare(native: native, sandbox: [Self.run("c\nb\na\n")]).verdict == .same)
        let other = try Comparison().compare(native: native, sandbox: [Self.run("c\nb\nx\n")])
        #expect(other.divergences.first?.sandbox == "x")
    }

    @Test("a missing last newline is a difference")
    func newline() throws {
        let difference = try Comparison().compare(native: [Self.run("one\n")], sandbox: [Self.run("one")])
        #expect(difference.verdict == .different)
    }

    @Test("a sandboxed run that does not end is a hang, one that dies is a crash")
    func hangAndCrash() throws {
        let hang = Self.run(status: .timedOut(seconds: 5, threads: []))
        #expect(try Comparison().compare(native: [Self.run()], sandbox: [hang]).verdict == .hang)
        let crash = Self.run(status: .ended(WaitStatus(signal: 11)))
        #expect(try Comparison().compare(native: [Self.run()], sandbox: [crash]).verdict == .crash)
        let failed = Self.run(status: .sandboxFailed(reason: "gone"))
        #expect(try Comparison().compare(native: [Self.run()], sandbox: [failed]).verdict == .crash)
        #expect(try Comparison().compare(native: [hang], sandbox: [Self.run()]).verdict == .invalid)
    }

    @Test("files are compared by kind, mode and content")
    func files() throws {
        let native = [EndStateFile(path: "a", kind: .regular, mode: 0o644, size: 3, content: "x")]
        let other = [EndStateFile(path: "a", kind: .regular, mode: 0o600, size: 3, content: "x")]
        let difference = try Comparison().compare(
            native: [Self.run(files: native)], sandbox: [Self.run(files: other), Self.run(files: other)])
        #expect(difference.divergences.map(\.kind) == [.endState])
        #expect(difference.divergences.first?.seenIn == 2)
        #expect(difference.counts == ["end-state": 1])
    }
}
