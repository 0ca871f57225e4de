package import ArgumentParser
internal import Corpus
internal import Diff
internal import Foundation
internal import Trace
internal import TraceModel

/// `apus diff`: two traces, or a command on both sides.
package struct DiffCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Compare two traces, or a command's native runs with its sandboxed one.",
        usage: """
            apus diff [<options>] <native-trace> <sandbox-trace>
            apus diff [<options>] -- <command> [<arguments> ...]
            """,
        discussion: """
            Process numbers, descriptors, addresses, times and the like are compared by their role, not their value; of two traces the first is the native one, unless they say \
            otherwise. With a \
            command, what differs between the native runs may differ in the sandbox; its standard input is empty, and the \
            native runs do change files. The exit status is 0 if nothing differs, 1 if something does, 2 if nothing could be \
            compared.

            EXAMPLES:
              apus diff native.trace sandbox.trace
              apus diff -- ls -l /usr
              apus diff --native-runs 3 --context 12 -- python3 -c 'import os; print(os.getpid())'
            """)

    @Option(help: ArgumentHelp("Native runs of a command.", valueName: "n"))
    var nativeRuns = 2

    @Option(help: ArgumentHelp("Lines shown before and after a divergence.", valueName: "n"))
    var context = 6

    @Option(help: ArgumentHelp("The most divergences shown.", valueName: "n"))
    var limit = 20

    @Option(help: ArgumentHelp("Seconds after which a run counts as hung.", valueName: "seconds"))
    var timeout = 60

    @Flag(help: "Print everything as JSON.")
    var json = false

    @Argument(parsing: .captureForPassthrough, help: "Two trace files, or -- and a command.")
    var words: [String] = []

    @OptionGroup var platform: PlatformOption

    package init() {}

    package func validate() throws {
        guard (1...20).contains(nativeRuns) else { throw ValidationError("--native-runs \(nativeRuns): give 1 to 20.") }
        guard (0...1000).contains(context) else { throw ValidationError("--context \(context): give 0 to 1000.") }
        guard (1...10_000).contains(limit) else { throw ValidationError("--limit \(limit): give 1 to 10000.") }
        guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout \(timeout): give 1 to 86400.") }
        if let first = words.first, ["--", "-h", "--help"].contains(first) {
            _ = try GuestCommand.parse(words)
        } else {
            if let place = words.firstIndex(where: { $0.hasPrefix("-") && $0 != "-" }) {
                throw ValidationError(
                    place == 0
                        ? "Unknown option '\(words[place])'." : "Write the option '\(words[place])' before the files.")
            }
            guard words.count == 2 else { throw ValidationError("Give two trace files, or -- and a command.") }
        }
    }

    package func run() throws {
        let (difference, notes) = try CommandFailure.catching {
            words.first == "--" ? try compareRuns(try GuestCommand.parse(words)) : (try compareFiles(), [])
        }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            Terminal.standardOutput.write(String(decoding: try encoder.encode(difference), as: UTF8.self) + "\n")
        } else {
            let text = DifferenceText(Terminal.standardOutput, limit: limit).text(difference)
            Terminal.standardOutput.write(notes.map { $0 + "\n" }.joined() + text)
        }
        switch difference.verdict {
        case .same, .explained: return
        case .different, .crash, .hang: throw ExitCode(1)
        case .invalid: throw ExitCode(2)
        }
    }

    private var comparison: Comparison {
        var options = Comparison.Options()
        options.contextLines = context
        options.maximumDivergences = json ? max(limit, options.maximumDivergences) : limit
        return Comparison(options: options)
    }

    private func compareFiles() throws -> CaseDifference {
        let subjects = try words.map { try TraceFileReader($0).header.subject }
        let isReversed = subjects == [.sandbox, .native]
        // A trace alone does not say how the run ended, so nothing is said of it.
        let records = (isReversed ? words.reversed() : words).map { path in
            RunRecord(events: .file(path), ending: .ended(WaitStatus(exitCode: 0)))
        }
        return try comparison.compare(native: [records[0]], sandbox: [records[1]])
    }

    private func compareRuns(_ command: [String]) throws -> (CaseDifference, [String]) {
        let launcher = try platform.found()
        var words = command
        if !words[0].contains("/") {
            guard let path = HostProgram.find(words[0]) else {
                throw CommandFailure("\(words[0]): is in no directory of PATH; give its path", status: 127)
            }
            words[0] = path
        }
        let scratch = (0...nativeRuns).map { _ in Result { try UnnamedFile() } }
        let files = try scratch.map { try $0.get() }
        let plans = files.map { file in
            RunPlan(
                command: words, environment: SandboxOptions.merged(ProcessInfo.processInfo.environment, []),
                workingDirectory: FileManager.default.currentDirectoryPath, seconds: timeout, trace: file.path)
        }
        let native = try plans.dropLast().map { try NativeSide($0).run() }
        let sandbox = try plans.suffix(1).map { try SandboxSide(launcher, $0).run() }
        defer { withExtendedLifetime(files) {} }
        let isWhole = (native + sandbox).allSatisfy(\.hasWholeTrace)
        let records = { (runs: [SideRun]) in isWhole ? runs.map(\.record) : runs.map(\.outcome) }
        var notes = native.map { "native   \($0.summary.ending)" } + sandbox.map { "sandbox  \($0.summary.ending)" }
        if !isWhole { notes.append("a trace is missing or too long: only outcomes were compared") }
        return (try comparison.compare(native: records(native), sandbox: records(sandbox)), notes)
    }
}
