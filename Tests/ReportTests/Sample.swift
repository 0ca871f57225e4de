import Corpus
import Diff
import Expect

/// A small run with cases of most outcomes.
enum Sample {
    static var results: Results {
        var results = Results(
            date: "2026-01-31T12:00:00Z",
            host: HostFacts(kernel: "6.1.0", machine: "x86_64", system: "Debian 12", processors: 2))
        results.seconds = 12.5
        results.support = [
            SyscallSupport(number: 0, name: "read", status: .full),
            SyscallSupport(number: 1, name: "write", status: .partial, note: "no <splice>"),
        ]
        results.cases = [passed, failed, expected, skipped, broken]
        results.errors = ["corpus/files/bad.c:3: unknown key 'sumary'; the keys are summary"]
        results.stale = [
            Expectation(
                patterns: ["files/*"], kinds: [.errno], calls: ["open"], reason: "was mended", file: "files.yaml",
                line: 4)
        ]
        return results
    }

    static var passed: CaseResult {
        var result = result("files", "read", .glibcDynamic)
        result.outcome = .pass
        var difference = CaseDifference(verdict: .same)
        difference.calls["read"] = statistics(native: 3, sandbox: 3)
        result.difference = difference
        result.native = [summary("exited with 0", "read: 3\n")]
        result.sandbox = [summary("exited with 0", "read: 3\n")]
        return result
    }

    static var failed: CaseResult {
        var result = result("files", "write", .muslStatic)
        result.outcome = .fail
        let divergence = Divergence(
            kind: .errno, cause: .bug, thread: "1", call: "write", field: "result", native: "-1 EBADF",
            sandbox: "-1 EINVAL", nativePosition: TracePosition(sequence: 7, index: 7),
            context: [
                ContextRow(native: "openat(<fd1>) = 3", sandbox: "openat(<fd1>) = 3", differs: false),
                ContextRow(
                    native: "write(9, \"a\t<b>\") = -1 EBADF", sandbox: "write(9, \"a <b>\") = -1 EINVAL", differs: true
                ),
                ContextRow(native: nil, sandbox: "exit_group(1)", differs: true),
            ], explanation: "write gives EINVAL & not EBADF")
        var difference = CaseDifference(
            verdict: .different, divergences: [divergence], firstCausal: 0, counts: ["errno": 3])
        difference.calls["write"] = statistics(native: 2, sandbox: 2, divergences: 1)
        difference.calls["epoll_create"] = statistics(native: 1, sandbox: 1, divergences: 1, unimplemented: 1)
        result.difference = difference
        result.judgement = Expectations().judge(difference, case: result.id, variant: result.variant)
        result.native = [summary("exited with 0", "one\n")]
        result.sandbox = [summary("exited with 1", "two\n")]
        result.native[0].trace = "corpus/build/traces/a b/native-1.trace"
        result.sandbox[0].trace = "corpus/build/traces/a b/sandbox-1.trace"
        return result
    }

    /// It showed the same in one of two runs only.
    static var unstable: CaseResult {
        var result = failed
        result.outcome = .unstable
        return result
    }

    static var expected: CaseResult {
        var result = result("time", "clock", .glibcStatic)
        result.outcome = .expected
        let difference = CaseDifference(
            verdict: .different,
            divergences: [
                Divergence(
                    kind: .output, cause: .bug, field: "stdout", native: "1", sandbox: "2",
                    explanation: "stdout differs at line 1")
            ], firstCausal: 0, counts: ["output": 1])
        result.difference = difference
        let known = Expectation(patterns: ["time/*"], kinds: [.output], reason: "no <steal time>")
        result.judgement = Expectations([known]).judge(difference, case: result.id, variant: result.variant)
        return result
    }

    static var skipped: CaseResult {
        var result = result("files", "mount", .glibcDynamic)
        result.outcome = .skipped
        result.reason = "needs user namespaces"
        return result
    }

    static var broken: CaseResult {
        var result = result("files", "typo", .glibcDynamic)
        result.outcome = .broken
        result.reason = "does not build:\nerror: expected ';' before '}' token\u{1B}[0m"
        return result
    }

    private static func result(_ family: String, _ name: String, _ variant: BuildVariant) -> CaseResult {
        var subject = CorpusCase(
            family: family, name: name, file: "corpus/\(family)/\(name).c", summary: "\(name) & what it does",
            subject: .source(arguments: [], variants: [variant], linkFlags: []), timeout: 20)
        subject.calls = [name]
        var result = CaseResult(CaseJob(subject, variant))
        result.command = ["corpus/build/bin/\(name)", "it's", "a b"]
        return result
    }

    private static func statistics(
        native: Int, sandbox: Int, divergences: Int = 0, unimplemented: Int = 0
    ) -> CallStatistics {
        var statistics = CallStatistics()
        statistics.native = native
        statistics.sandbox = sandbox
        statistics.divergences = divergences
        statistics.unimplemented = unimplemented
        return statistics
    }

    private static func summary(_ ending: String, _ output: String) -> RunSummary {
        var summary = RunSummary(ending: ending, milliseconds: 1234)
        summary.output = output
        summary.outputBytes = UInt64(output.utf8.count)
        summary.traceBytes = 100
        return summary
    }
}
