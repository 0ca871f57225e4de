internal import Diff
package import Expect
internal import Foundation
internal import Trace

/// Takes one case in one variant through the whole laboratory: build, native runs, sandboxed run, comparison, judgement.
package struct CaseRunner: Sendable {
    package struct Options: Sendable {
        /// Native runs; what differs between them may differ in the sandbox.
        package var nativeRuns = 2
        /// How many more there may be while something is left that neither a cause nor an expectation explains: a race
        /// that Linux itself decides now so, now otherwise, shows when it is run again.
        package var furtherNativeRuns = 4
        package var sandboxRuns = 1

        package init() {}
    }

    private let paths: CorpusPaths
    private let builder: Builder
    private let packages: InstalledPackages
    private let launcher: SandboxLauncher
    private let expectations: Expectations
    private let options: Options

    package init(
        paths: CorpusPaths, launcher: SandboxLauncher, options: Options = Options()
    ) throws {
        self.paths = paths
        self.launcher = launcher
        self.options = options
        expectations = try Expectations.load(paths.expectations)
        packages = InstalledPackages.query()
        builder = try Builder(paths: paths)
        try paths.create(paths.stage)
        try paths.create(paths.traces)
    }

    /// The expectations that explained nothing in a run of these results.
    package func stale(after results: [CaseResult]) -> [Expectation] {
        expectations.stale(
            after: results.compactMap { result in
                result.judgement.map { (name: result.id, variant: result.variant, judgement: $0) }
            })
    }

    /// Divergences of a case that are judged; the store keeps fewer.
    private static let judged = 5000

    /// Milliseconds of a native run that is not repeated more often than asked for.
    private static let longRun = 5000

    /// Never throws: what goes wrong is the result. Of a repeated run the traces are kept beside those of the first.
    package func run(_ job: CaseJob, isRepeated: Bool = false) -> CaseResult {
        var result = CaseResult(job)
        result.file = paths.shown(result.file)
        if let reason = skipReason(job.subject) {
            result.outcome = .skipped
            result.reason = reason
            return result
        }
        do {
            guard let command = build(job, &result) else { return result }
            result.command = command.map(paths.shown)
            let stage = Stage(paths, job.subject, variant: job.variantName)
            defer { try? stage.remove() }
            try runSides(command, stage, job, isRepeated, &result)
        } catch {
            result.outcome = .broken
            result.reason = "\(error)"
        }
        return result
    }

    private func skipReason(_ subject: CorpusCase) -> String? {
        let lacks = subject.needs.compactMap(\.lack)
        if case .command(let command, let names) = subject.subject {
            if let reason = packages.missing(names) { return reason }
            if let program = command.first, !program.contains("/"), HostProgram.find(program, in: subject.path) == nil {
                return "needs the program \(program)"
            }
        }
        return lacks.isEmpty ? nil : lacks.joined(separator: ", ")
    }

    /// `argv` with the program's own path; nil if the result already says why there is none.
    private func build(_ job: CaseJob, _ result: inout CaseResult) -> [String]? {
        switch job.subject.subject {
        case .command(let command, _):
            guard let program = command.first else { return nil }
            let path = program.contains("/") ? program : HostProgram.find(program, in: job.subject.path) ?? program
            return [path] + command.dropFirst()
        case .source(let arguments, _, let linkFlags):
            guard let variant = job.variant else { return nil }
            switch builder.build(job.subject, variant, linkFlags: linkFlags) {
            case .built(let path): return [path] + arguments
            case .missing(let reason):
                result.outcome = .skipped
                result.reason = reason
            case .failed(let said):
                result.outcome = .broken
                result.reason = "does not build:\n\(said.prefix(4000))"
            }
            return nil
        }
    }

    private func runSides(
        _ command: [String], _ stage: Stage, _ job: CaseJob, _ isRepeated: Bool, _ result: inout CaseResult
    ) throws {
        let first = "\(paths.traces)/\(job.subject.family).\(job.subject.name).\(job.variantName)"
        let folder = first + (isRepeated ? ".again" : "")
        try? FileManager.default.removeItem(atPath: folder)
        if !isRepeated { try? FileManager.default.removeItem(atPath: first + ".again") }
        try paths.create(folder)
        func plan(_ name: String) -> RunPlan {
            RunPlan(
                stage: stage, command: command, seconds: job.subject.timeout, trace: "\(folder)/\(name).trace")
        }
        var native: [SideRun] = []
        for number in 1...max(1, options.nativeRuns) {
            native.append(try NativeSide(plan("native-\(number)")).run())
            // A program that hangs once is not worth its time again.
            if native.contains(where: { !$0.record.ending.isEnd }) { break }
        }
        result.native = native.map(\.summary)
        // Without native runs that end there is nothing to compare the sandbox with.
        guard native.allSatisfy(\.record.ending.isEnd) else {
            result.outcome = .invalid
            result.reason = invalidity(native)
            try? FileManager.default.removeItem(atPath: folder)
            return
        }
        let sandbox = try (1...max(1, options.sandboxRuns)).map {
            try SandboxSide(launcher, plan("sandbox-\($0)")).run()
        }
        result.sandbox = sandbox.map(\.summary)
        var difference = try compare(native, sandbox, job, &result)
        var judgement = expectations.judge(difference, case: job.subject.id, variant: job.variantName)
        while judgement.verdict == .fail, native.count < options.nativeRuns + options.furtherNativeRuns,
            native.allSatisfy({ $0.summary.milliseconds < Self.longRun })
        {
            let further = try NativeSide(plan("native-\(native.count + 1)")).run()
            guard further.record.ending.isEnd else { break }
            native.append(further)
            difference = try compare(native, sandbox, job, &result)
            judgement = expectations.judge(difference, case: job.subject.id, variant: job.variantName)
        }
        result.native = native.map(\.summary)
        if sandbox.contains(where: \.leftWriters) {
            result.reason = [result.reason, "the sandbox left a process behind that holds its outputs open"]
                .compactMap(\.self).joined(separator: "; ")
        }
        result.outcome = .init(judgement.verdict)
        (result.difference, result.judgement) = Pruning.keep(difference, judgement)
        if difference.divergences.isEmpty {
            // Nothing to look at: the next run writes them again.
            try? FileManager.default.removeItem(atPath: folder)
        } else {
            let shown = paths.shown(folder)
            for index in result.native.indices { result.native[index].trace = "\(shown)/native-\(index + 1).trace" }
            for index in result.sandbox.indices {
                result.sandbox[index].trace = "\(shown)/sandbox-\(index + 1).trace"
            }
        }
    }

    private func compare(
        _ native: [SideRun], _ sandbox: [SideRun], _ job: CaseJob, _ result: inout CaseResult
    ) throws -> CaseDifference {
        var options = Comparison.Options()
        options.isKnown = expectations.knows(case: job.subject.id, variant: job.variantName)
        options.maximumDivergences = Self.judged
        let comparison = Comparison(options: options)
        let runs = native + sandbox
        let outcomes = { (runs: [SideRun]) in runs.map(\.outcome) }
        guard runs.allSatisfy(\.hasWholeTrace) else {
            result.reason =
                sandbox.allSatisfy(\.hasWholeTrace)
                ? "a native trace is too long to be compared: only outcomes were"
                : "the sandbox left no whole trace: only outcomes were compared"
            return try comparison.compare(native: outcomes(native), sandbox: outcomes(sandbox))
        }
        do {
            return try comparison.compare(native: native.map(\.record), sandbox: sandbox.map(\.record))
        } catch let error as TraceError {
            result.reason = "only outcomes were compared: \(error)"
            return try comparison.compare(native: outcomes(native), sandbox: outcomes(sandbox))
        }
    }

    private func invalidity(_ native: [SideRun]) -> String {
        let endings = Set(native.map(\.record.ending.description)).sorted().joined(separator: " or ")
        return "nothing can be compared: natively the program is \(endings)"
    }
}

extension RunEnding {
    fileprivate var isEnd: Bool {
        if case .ended = self { true } else { false }
    }
}
