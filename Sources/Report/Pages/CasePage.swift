internal import Corpus
internal import Diff
internal import Expect

/// What a case's own page shows.
struct CasePage {
    /// A row of the two sides.
    struct Line {
        let native: [LineSegment]
        let sandbox: [LineSegment]
        let differs: Bool
        let hasNative: Bool
        let hasSandbox: Bool
    }

    struct Found {
        let anchor: String
        let kind: String
        let meaning: String
        let cause: String
        let place: String
        let thread: String?
        let explanation: String
        /// Why it is expected, if it is. (No other level has this name: Mustache looks outwards.)
        let expectation: String?
        let isExplained: Bool
        let isFirst: Bool
        let native: [LineSegment]
        let sandbox: [LineSegment]
        let hasNative: Bool
        let hasSandbox: Bool
        let lines: [Line]
        let hasLines: Bool
        /// Whether the two values are shown by themselves: where no lines show them already.
        let hasValues: Bool
        let positions: String?
    }

    struct Run {
        let side: String
        let ending: String
        let duration: String
        let trace: String
        let output: String
    }

    struct Text {
        let name: String
        let text: String
        let isCut: Bool
    }

    struct Thread {
        let process: Int32
        let thread: Int32
        let name: String
        let state: String
        let place: String
        let stack: String
    }

    let root = "../"
    let title: String
    let outcome: String
    let meaning: String
    let summary: String
    let file: String
    let calls: String?
    let command: String?
    let reason: String?
    let first: [Found]
    let others: [Found]
    let hasOthers: Bool
    let hidden: String?
    let runs: [Run]
    let hasRuns: Bool
    let outputs: [Text]
    let hasOutputs: Bool
    let threads: [Thread]
    let hasThreads: Bool
    let again: String
    let compare: String?
    let date: String
    let host: String

    static func fileName(_ result: CaseResult) -> String { "\(result.family).\(result.name).\(result.variant).html" }

    init(_ result: CaseResult, _ results: Results) {
        title = result.title
        outcome = result.outcome.rawValue
        meaning = Words.meaning(result.outcome)
        summary = result.summary
        file = result.file
        calls = result.calls.isEmpty ? nil : result.calls.joined(separator: ", ")
        command = result.command.isEmpty ? nil : result.command.map(ShellText.quoted).joined(separator: " ")
        reason = result.reason
        let lead = result.first?.index
        let found = (result.difference?.divergences ?? []).enumerated().map { index, divergence in
            Self.found(
                divergence, index, isFirst: index == lead,
                standing: result.standing(of: index))
        }
        first = found.filter(\.isFirst)
        others = found.filter { !$0.isFirst }
        hasOthers = !others.isEmpty
        let all = result.difference?.counts.values.reduce(0, +) ?? 0
        hidden = all > found.count ? Words.count(all - found.count, "further divergence") : nil
        runs = Self.runs(result)
        hasRuns = !runs.isEmpty
        outputs = Self.outputs(result)
        hasOutputs = !outputs.isEmpty
        threads = (result.native + result.sandbox).flatMap(\.threads).map(Self.thread)
        hasThreads = !threads.isEmpty
        again =
            "apus test \(result.id)" + (result.variant == "command" ? "" : " --variants \(result.variant)")
        let traces = [result.native.first?.trace, result.sandbox.first?.trace].compactMap(\.self)
        let areWhole = (result.native + result.sandbox).allSatisfy { $0.traceBytes > 0 }
        compare =
            traces.count == 2 && areWhole ? "apus diff \(traces.map(ShellText.quoted).joined(separator: " "))" : nil
        date = Words.date(results.date)
        host = Words.host(results)
    }

    private static func found(_ divergence: Divergence, _ index: Int, isFirst: Bool, standing: CaseResult.Standing)
        -> Found
    {
        let sides = LineMarks.pair(divergence.native, divergence.sandbox)
        let lines = divergence.context.map(line)
        let positions = [
            divergence.nativePosition.map { "native event \($0.sequence)" },
            divergence.sandboxPosition.map { "sandbox event \($0.sequence)" },
        ].compactMap(\.self)
        return Found(
            anchor: "d\(index + 1)", kind: divergence.kind.rawValue, meaning: Words.meaning(divergence.kind),
            cause: divergence.cause.rawValue, place: Words.place(divergence),
            thread: divergence.thread.isEmpty ? nil : divergence.thread, explanation: divergence.explanation,
            expectation: standing.reason, isExplained: standing == .explained, isFirst: isFirst, native: sides.native,
            sandbox: sides.sandbox,
            hasNative: divergence.native != nil, hasSandbox: divergence.sandbox != nil, lines: lines,
            hasLines: !lines.isEmpty, hasValues: lines.isEmpty || !isFirst,
            positions: positions.isEmpty ? nil : positions.joined(separator: ", "))
    }

    private static func line(_ row: ContextRow) -> Line {
        let sides = LineMarks.pair(row.native, row.sandbox, differs: row.differs)
        return Line(
            native: sides.native, sandbox: sides.sandbox, differs: row.differs, hasNative: row.native != nil,
            hasSandbox: row.sandbox != nil)
    }

    private static func runs(_ result: CaseResult) -> [Run] {
        func row(_ side: String, _ run: RunSummary) -> Run {
            Run(
                side: side, ending: run.ending, duration: Words.seconds(run.milliseconds),
                trace: Words.bytes(run.traceBytes), output: Words.bytes(run.outputBytes + run.errorBytes))
        }
        return result.native.map { row("native", $0) } + result.sandbox.map { row("sandbox", $0) }
    }

    /// The outputs of the first run of each side; one side's only once if both are the same.
    private static func outputs(_ result: CaseResult) -> [Text] {
        guard let native = result.native.first else { return [] }
        let sandbox = result.sandbox.first
        func texts(_ name: String, _ mine: String, _ theirs: String?, _ full: UInt64) -> [Text] {
            let isCut = full > UInt64(mine.utf8.count)
            guard let theirs, theirs != mine else {
                return mine.isEmpty ? [] : [Text(name: name, text: mine, isCut: isCut)]
            }
            return [
                Text(name: "\(name), native", text: mine, isCut: isCut),
                Text(name: "\(name), sandbox", text: theirs, isCut: false),
            ]
        }
        return texts("standard output", native.output, sandbox?.output, native.outputBytes)
            + texts("standard error", native.errors, sandbox?.errors, native.errorBytes)
    }

    private static func thread(_ dump: ThreadDump) -> Thread {
        let place = [dump.call, dump.waitingIn.isEmpty || dump.waitingIn == "0" ? nil : dump.waitingIn]
        return Thread(
            process: dump.process, thread: dump.thread, name: dump.name, state: dump.state,
            place: place.compactMap(\.self).joined(separator: " in "), stack: dump.stack.joined(separator: "\n"))
    }
}

/// Words as a shell would take them.
enum ShellText {
    static func quoted(_ word: String) -> String {
        let plain = word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./=:,+@%".contains($0)) }
        return !word.isEmpty && plain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }
}

extension CaseResult.Standing {
    /// Why it is expected, if it is.
    var reason: String? {
        guard case .expected(let reason) = self else { return nil }
        return reason
    }
}
