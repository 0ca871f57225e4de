package import ArgumentParser
internal import Corpus
internal import Foundation
internal import HostSystem
internal import LinuxABI
internal import Trace
internal import TraceModel

/// `apus trace`: a program's system calls, on the host or in the sandbox.
package struct TraceCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Show the system calls of a program.",
        usage: "apus trace (--native | --sandbox) [-o <file>] [--format <format>] -- <command> [<arguments> ...]",
        discussion: """
            Follows every thread and process that the program makes. The text reads like strace's; JSON Lines and the binary \
            format can be read back by 'apus diff'. Without -o the trace goes to standard error, while the program runs. The \
            exit status is the program's.

            EXAMPLES:
              apus trace --native -- ls /
              apus trace --sandbox -o calls.jsonl --format jsonl -- make
              apus trace --native -o native.trace --format binary -- date
            """)

    enum Side: String, EnumerableFlag {
        case native, sandbox

        static func help(for value: Side) -> ArgumentHelp? {
            value == .native ? "Run it on the host's kernel." : "Run it in the sandbox."
        }
    }

    @Flag(exclusivity: .exclusive)
    var side: Side

    @Option(name: .shortAndLong, help: ArgumentHelp("Where the trace goes.", valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("How it is written: text, jsonl or binary.", valueName: "format"))
    var format: FormatArgument = .text

    @Flag(help: "Record when each event happened (natively).")
    var times = false

    @Option(
        name: [.customShort("s"), .long],
        help: ArgumentHelp(
            "The most bytes captured of each buffer (natively; 256 for text, else 4096).", valueName: "bytes"))
    var strings: Int?

    @Argument(parsing: .captureForPassthrough, help: "The program and its arguments.")
    var command: [String] = []

    @OptionGroup var platform: PlatformOption

    package init() {}

    package func validate() throws {
        _ = try GuestCommand.parse(command)
        if let strings, !(0...(1 << 20)).contains(strings) {
            throw ValidationError("--strings \(strings): give 0 to 1048576.")
        }
        guard output != nil || format == .text || !Terminal.standardError.isTerminal || format == .jsonl else {
            throw ValidationError("The binary format is not for a terminal. Write it to a file with -o.")
        }
    }

    package func run() throws {
        let words = try GuestCommand.parse(command)
        // Ctrl-C is the program's: it ends, and the trace is finished. The program does not inherit this.
        signal(SIGINT, SIG_IGN)
        signal(SIGQUIT, SIG_IGN)
        let status = try CommandFailure.catching(status: SandboxLauncher.failureStatus) {
            side == .native ? try runNatively(words) : try runSandboxed(words)
        }
        throw ExitCode(status.exitCode ?? 128 + (status.signal ?? 0))
    }

    private func runNatively(_ words: [String]) throws -> WaitStatus {
        let environment = ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }.sorted()
        let command = NativeTracer.Command(words[0], Array(words.dropFirst()), environment: environment)
        var options = NativeTracer.Options()
        options.times = times
        options.planner = PayloadPlanner(
            limit: strings ?? (format == .text ? PayloadPlanner.textLimit : PayloadPlanner.comparisonLimit))
        let writer = try writer(TraceHeader(subject: .native))
        do {
            let run = try NativeTracer(options: options).run(command) { event in
                try writer.write(event)
                if isLive { try writer.flush() }
            }
            try writer.finish()
            return run.status
        } catch let error as TraceError where error.code == .commandNotFound {
            throw CommandFailure(error.description, status: 127)
        }
    }

    /// The sandbox writes its trace into a pipe, as it happens.
    private func runSandboxed(_ words: [String]) throws -> WaitStatus {
        var launcher = try platform.found()
        let here = FileManager.default.currentDirectoryPath
        launcher.workingDirectory = here
        launcher.environment = SandboxOptions.merged(ProcessInfo.processInfo.environment, [])
        let writer = try writer(TraceHeader(subject: .sandbox))
        let pipe = TracePipe()
        launcher.trace = pipe.path
        let child: Int32
        do throws(Errno) {
            child = try Host.spawn(HostCommand(path: launcher.kernel, arguments: launcher.arguments(words)))
        } catch {
            throw CommandFailure(
                "\(launcher.kernel): cannot be started: \(error); build it anew (swift build --product apus-kernel)",
                status: SandboxLauncher.failureStatus)
        }
        let ending = pipe.close(after: child)
        // A sandbox that could not start has said why.
        if let reader = try TraceFileReader(stream: pipe.reader, name: "the sandbox's trace") {
            while let event = try reader.event() {
                try writer.write(event)
                if isLive { try writer.flush() }
            }
            try writer.finish()
        }
        return WaitStatus(rawValue: try ending.wait())
    }

    /// Whether somebody may be reading along.
    private var isLive: Bool { output == nil && format != .binary }

    private func writer(_ header: TraceHeader) throws -> TraceFileWriter {
        guard let output else {
            return TraceFileWriter(
                descriptor: 2, name: "standard error", format: format.format, header: header)
        }
        return try TraceFileWriter(output, format: format.format, header: header)
    }
}

/// A trace format's name.
enum FormatArgument: String, ExpressibleByArgument, CaseIterable {
    case text, jsonl, binary

    var format: TraceFormat {
        switch self {
        case .text: .text
        case .jsonl: .jsonLines
        case .binary: .binary
        }
    }
}
