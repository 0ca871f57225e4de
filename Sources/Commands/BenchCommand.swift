package import ArgumentParser
internal import Bench
internal import Corpus
internal import Foundation
internal import Report

/// `apus bench`: what the sandbox costs.
package struct BenchCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure the sandbox against native, interleaved in one run.",
        discussion: """
            Each round makes every operation natively, in the sandbox, and by the other runtimes that are asked for, one right \
            after the other; a ratio is taken within a round, so that what slows the machine for a while slows both. Shown are \
            medians with the lowest and highest round, beside the project's own targets. A measurement that does not end is \
            ended, with each thread's state shown. The exit status is 1 if something could not be measured.

            The short form compares with the baseline: a ratio that is worse by more than the noise of the run and of the \
            baseline is measured once more, and if it stays so, the exit status is 1.

            EXAMPLES:
              apus bench                                   everything, on all processors: some minutes
              apus bench --both --output reports/latest    on all and on one, with a page and a chart in the report
              apus bench --only null,read1,pipe --rounds 9
              apus bench --against runsc,qemu-x86_64,proot,bwrap
              apus bench --quick                           within a minute, compared with bench/baseline.json
            """)

    @Option(help: ArgumentHelp("How many rounds (5; 3 with --quick).", valueName: "n"))
    var rounds: Int?

    @Option(help: ArgumentHelp("Only these operations, separated by commas.", valueName: "names"))
    var only: ListArgument?

    @Flag(name: .customLong("one-cpu"), help: "Bind everything, on every side, to one processor.")
    var isBoundToOne = false

    @Flag(name: .customLong("both"), help: "Measure on all processors and bound to one.")
    var isBoth = false

    @Option(
        help: ArgumentHelp("Other runtimes: runsc, qemu-x86_64, proot, bwrap, separated by commas.", valueName: "names")
    )
    var against: ListArgument?

    @Option(help: ArgumentHelp("Write the figures to a file.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Write the chart to a file.", valueName: "file"))
    var svg: String?

    @Option(help: ArgumentHelp("Write page, table, chart and figures into a report's folder.", valueName: "dir"))
    var output: String?

    @Flag(name: .customLong("markdown"), help: "Print the table as Markdown.")
    var isMarkdown = false

    @Flag(name: .customLong("quick"), help: "The short form: fewer operations, shorter, compared with the baseline.")
    var isQuick = false

    @Option(help: ArgumentHelp("The baseline (baseline.json among the sources).", valueName: "file"))
    var baseline: String?

    @Flag(name: .customLong("update-baseline"), help: "Make this run's figures the baseline.")
    var updatesBaseline = false

    @Option(help: ArgumentHelp("What one measurement may take.", valueName: "seconds"))
    var limit = 60

    @Option(help: ArgumentHelp("The sources of the program that measures.", valueName: "dir"))
    var sources = "bench"

    @OptionGroup var platform: PlatformOption

    package init() {}

    package func validate() throws {
        if let rounds, !(1...1000).contains(rounds) { throw ValidationError("--rounds \(rounds): give 1 to 1000.") }
        guard (1...3600).contains(limit) else { throw ValidationError("--limit \(limit): give 1 to 3600.") }
        if isBoth && isBoundToOne { throw ValidationError("--both and --one-cpu exclude each other.") }
        let names = Operation.all.map(\.name)
        if let unknown = only?.words.first(where: { !names.contains($0) }) {
            throw ValidationError("--only \(unknown): the operations are \(names.joined(separator: ", ")).")
        }
        if let unknown = against?.words.first(where: { Runtime.other($0) == nil }) {
            let known = Runtime.others.map(\.name).joined(separator: ", ")
            throw ValidationError("--against \(unknown): the runtimes are \(known).")
        }
    }

    package func run() throws {
        let terminal = Terminal.standardError
        let results = try CommandFailure.catching { try measured(terminal) }
        if let json { try CommandFailure.catching { try BenchStore.write(results, to: json) } }
        if let svg { try write(RatioChart(results).text, to: svg) }
        if let output { try CommandFailure.catching { try ReportFiles(directory: output).write(results) } }
        guard results.failures.isEmpty else { throw ExitCode(1) }
        let isWorse = try CommandFailure.catching { try compare(results) }
        if isWorse { throw ExitCode(1) }
    }

    /// Measures, and prints what was measured.
    private func measured(_ terminal: Terminal) throws -> BenchResults {
        let program = try BenchProgram(folder: sources).build()
        // The kernel is looked for now, and not by each measurement.
        _ = try SandboxLauncher.find()
        let apus = HostProgram.beside("apus")
        let line = StatusLine(terminal)
        let run = try BenchRun(
            program: program, apus: apus, options: options,
            complain: { text in
                line.finish()
                terminal.write("apus: " + text)
            }, progress: line.show)
        let interruption = Interruption {
            line.finish()
            run.cleanUp()
            terminal.write("apus: interrupted; these rounds were done\n")
            show(run.soFar)
        }
        var results = run.run()
        if let old = try oldBaseline() {
            let worse = Set(old.judge(results).filter { $0.verdict == .worse }.map(\.operation))
            if !worse.isEmpty { results = run.more(2, of: worse) }
        }
        interruption.end()
        line.finish()
        run.cleanUp()
        show(results)
        return results
    }

    private var options: BenchRun.Options {
        var options = BenchRun.Options()
        options.rounds = rounds ?? (isQuick ? 3 : 5)
        options.bindings = isBoth ? [.all, .one] : [isBoundToOne ? .one : .all]
        options.limit = limit
        options.platform = platform.platform?.rawValue
        options.others = against?.words ?? []
        if isQuick {
            options.operations = Operation.all.filter(\.isQuick)
            options.milliseconds = 60
            options.budget = 45
        }
        if let only { options.operations = Operation.all.filter { only.words.contains($0.name) } }
        return options
    }

    private func show(_ results: BenchResults) {
        let text = isMarkdown ? BenchMarkdown(results).text : BenchText(results, Terminal.standardOutput).text
        Terminal.standardOutput.write(text)
    }

    // MARK: The baseline

    private var baselinePath: String { baseline ?? sources + "/baseline.json" }

    /// What is compared with; nil if nothing is to be, or this run becomes the baseline.
    private func oldBaseline() throws(CorpusError) -> Baseline? {
        guard isQuick || baseline != nil, !updatesBaseline else { return nil }
        return try Baseline.read(baselinePath)
    }

    /// Prints how the run compares, or makes it the baseline.
    /// - Returns: whether something is worse.
    private func compare(_ results: BenchResults) throws(CorpusError) -> Bool {
        if updatesBaseline {
            let exists = FileManager.default.fileExists(atPath: baselinePath)
            var new = exists ? try Baseline.read(baselinePath) : Baseline(processors: results.host.processors)
            new.update(with: results)
            try new.write(to: baselinePath)
            Terminal.standardOutput.write("\(baselinePath): \(new.entries.count) operations\n")
            return false
        }
        guard let old = try oldBaseline() else { return false }
        let judgements = old.judge(results)
        Terminal.standardOutput.write(BenchText.text(judgements, old, results, Terminal.standardOutput))
        return judgements.contains { $0.verdict == .worse }
    }

    private func write(_ text: String, to path: String) throws {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        } catch {
            throw CommandFailure("\(path): cannot be written: \((error as NSError).localizedDescription)")
        }
    }
}

/// Words separated by commas.
struct ListArgument: ExpressibleByArgument {
    let words: [String]

    init?(argument: String) {
        words = argument.split(separator: ",").map(String.init)
        if words.isEmpty { return nil }
    }
}
