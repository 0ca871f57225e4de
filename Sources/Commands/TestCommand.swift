package import ArgumentParser
internal import Corpus
internal import Foundation
internal import Report

/// `apus test`: the corpus on both sides.
package struct TestCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Run the corpus natively and in the sandbox, compare, and write the reports.",
        discussion: """
            Each case is built, run natively under the tracer and then in the sandbox, always from the same fresh start. What \
            differs between the native runs may differ in the sandbox; anything else is a divergence. Divergences that are \
            known stand in corpus/expectations. A case that fails is run once more, alone: if it does not fail again, it is \
            unstable, unless its output, status, files or end differed. The exit status is 1 if a case fails. Interrupted, it still reports what \
            was done.

            EXAMPLES:
              apus test                            everything
              apus test files signals              two families
              apus test files/pread --variants musl-static
              apus test --filter 'epoll|eventfd' --jobs 4
            """)

    @Argument(help: ArgumentHelp("Families, cases or files; all, if none is given.", valueName: "path"))
    var paths: [String] = []

    @Option(help: ArgumentHelp("Only cases whose name a regular expression matches.", valueName: "regex"))
    var filter: String?

    @Option(help: ArgumentHelp("How many cases run at a time.", valueName: "n"))
    var jobs = 2

    @Option(help: ArgumentHelp("Native runs of each case.", valueName: "n"))
    var nativeRuns = 2

    @Option(
        help: ArgumentHelp("Further native runs of a case while something is unexplained.", valueName: "n"))
    var furtherNativeRuns = 4

    @Option(help: ArgumentHelp("Sandboxed runs of each case.", valueName: "n"))
    var sandboxRuns = 1

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Which builds of C cases (glibc-dynamic, glibc-static, musl-static).", valueName: "variant"))
    var variants: [VariantArgument] = []

    @Option(help: ArgumentHelp("The corpus.", valueName: "dir"))
    var corpus = "corpus"

    @Option(help: ArgumentHelp("Where the reports go.", valueName: "dir"))
    var output = "reports/latest"

    @Option(
        help: ArgumentHelp(
            "What must not differ unexpectedly: trace (every call) or outcome (outputs, status, files, hangs).",
            valueName: "gate"))
    var gate: GateArgument = .trace

    @OptionGroup var platform: PlatformOption

    @Flag(help: "Exit with 0 even if cases fail: the reports say which.")
    var reportOnly = false

    package init() {}

    package func validate() throws {
        guard (1...64).contains(jobs) else { throw ValidationError("--jobs \(jobs): give 1 to 64.") }
        guard (1...20).contains(nativeRuns) else { throw ValidationError("--native-runs \(nativeRuns): give 1 to 20.") }
        guard (0...20).contains(furtherNativeRuns) else {
            throw ValidationError("--further-native-runs \(furtherNativeRuns): give 0 to 20.")
        }
        guard (1...20).contains(sandboxRuns) else {
            throw ValidationError("--sandbox-runs \(sandboxRuns): give 1 to 20.")
        }
        _ = try expression()
    }

    package func run() throws {
        var options = TestRun.Options()
        options.jobs = jobs
        options.runner.nativeRuns = nativeRuns
        options.runner.furtherNativeRuns = furtherNativeRuns
        options.runner.sandboxRuns = sandboxRuns
        if !variants.isEmpty { options.variants = variants.map(\.variant) }
        if let expression = try expression() {
            options.isWanted = { title in
                expression.firstMatch(in: title, range: NSRange(title.startIndex..., in: title)) != nil
            }
        }
        // What a case creates has the same modes whoever runs it.
        umask(0o022)
        let progress = ProgressLine(Terminal.standardError)
        let results = try CommandFailure.catching {
            let run = TestRun(paths: CorpusPaths(root: corpus), launcher: try platform.found(), options: options)
            let interruption = Interruption { [output] in
                progress.finish()
                Terminal.standardError.write("apus: interrupted; the reports hold the cases that were done\n")
                guard let results = run.soFar(), !results.cases.isEmpty else { return }
                try? ReportFiles(directory: output).write(results)
                SummaryTable(results, output).print(to: Terminal.standardOutput)
            }
            let results = try run.run(paths) { result, done, all in progress.show(result, done, all) }
            interruption.end()
            progress.finish()
            try ReportFiles(directory: output).write(results)
            return results
        }
        for error in results.errors { Terminal.standardError.write(CommandFailure(error).text) }
        guard !results.cases.isEmpty || !results.errors.isEmpty else {
            throw CommandFailure("\(corpus): no case is left; loosen --filter or --variants", status: 64)
        }
        SummaryTable(results, output).print(to: Terminal.standardOutput)
        guard results.isSuccess(by: gate.gate) || reportOnly else {
            FailureList(results, gate.gate).print(to: Terminal.standardOutput)
            throw ExitCode(1)
        }
    }

    private func expression() throws -> NSRegularExpression? {
        guard let filter else { return nil }
        do {
            return try NSRegularExpression(pattern: filter)
        } catch {
            throw ValidationError("--filter '\(filter)': not a regular expression.")
        }
    }
}

/// A variant's name.
struct VariantArgument: ExpressibleByArgument {
    let variant: BuildVariant

    init?(argument: String) {
        guard let variant = BuildVariant(rawValue: argument) else { return nil }
        self.variant = variant
    }

    static var allValueStrings: [String] { BuildVariant.allCases.map(\.rawValue) }
}

/// How the command line says what a run is judged by.
struct GateArgument: ExpressibleByArgument {
    let gate: Results.Gate

    static let trace = GateArgument(gate: .trace)

    private init(gate: Results.Gate) { self.gate = gate }

    init?(argument: String) {
        guard let gate = Results.Gate(rawValue: argument) else { return nil }
        self.gate = gate
    }

    var defaultValueDescription: String { gate.rawValue }

    static var allValueStrings: [String] { Results.Gate.allCases.map(\.rawValue) }
}
