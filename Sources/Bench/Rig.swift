internal import Corpus
internal import Foundation
internal import HostSystem
internal import LinuxABI
internal import TraceModel

/// Why something could not be measured.
struct MeasuringFailure: Error, Equatable {
    let text: String
}

/// Runs what is measured: bound as asked, bounded in time, and so that nothing stays behind.
struct Rig: Sendable {
    /// The bench program.
    let program: String
    let fixtures: Fixtures
    /// What a measurement may take.
    let seconds: Int
    /// Milliseconds for each measurement of a call.
    let milliseconds: Int
    /// Where the threads of a measurement that hangs are shown.
    let complain: @Sendable (String) -> Void

    /// One figure of an operation on one side.
    func figure(_ operation: Operation, _ runtime: Runtime, _ binding: Binding) throws(MeasuringFailure) -> Double {
        switch operation.work {
        case .call:
            let words = [program, "micro", operation.name, String(milliseconds)]
            return try median(runtime.command(words), binding)
        case .life(let repeats, let command):
            let words = runtime.command(command(fixtures))
            return try median([program, "life", String(repeats)] + words, binding)
        case .server(let command):
            return try median([program, "life", "1"] + runtime.command(command(fixtures)), binding)
        case .idle: return try idle(runtime, binding)
        }
    }

    /// What a command prints; it must succeed in time.
    func output(_ command: [String], _ binding: Binding) throws(MeasuringFailure) -> String {
        let outcome = try run(command, binding, seconds: seconds) { child in
            let dumps = ProcessDump.take(below: child).map { dump in
                "  process \(dump.process), thread \(dump.thread) \(dump.name): \(dump.state), waits in "
                    + "\(dump.waitingIn.isEmpty ? "?" : dump.waitingIn), call \(dump.call ?? "none")\n"
            }
            complain("no end after \(seconds) s: \(command.joined(separator: " "))\n" + dumps.joined())
        }
        if outcome.timedOut { throw failure(command, "no end after \(seconds) s") }
        guard outcome.status.exitCode == 0 else {
            let said = String(decoding: outcome.standardError.bytes.suffix(300), as: UTF8.self)
            let status = outcome.status.exitCode.map { "status \($0)" } ?? "signal \(outcome.status.signal ?? 0)"
            throw failure(command, "\(status): \(said.trimmingCharacters(in: .whitespacesAndNewlines))")
        }
        return String(decoding: outcome.standardOutput.bytes, as: UTF8.self)
    }

    private func median(_ command: [String], _ binding: Binding) throws(MeasuringFailure) -> Double {
        let text = try output(command, binding)
        guard let spread = Spread(try Self.figures(text)) else { throw failure(command, "printed no figure") }
        return spread.median
    }

    /// What the bench program has printed: nanoseconds and a count on each line.
    static func figures(_ text: String) throws(MeasuringFailure) -> [Double] {
        var figures: [Double] = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, let figure = Double(words[0]), figure.isFinite, figure > 0, Int(words[1]) ?? 0 > 0
            else { throw MeasuringFailure(text: "no figure of the bench program: '\(line.prefix(80))'") }
            figures.append(figure)
        }
        return figures
    }

    /// The proportional set size of a runtime's processes, its sleeping guest's among them: bytes.
    private func idle(_ runtime: Runtime, _ binding: Binding) throws(MeasuringFailure) -> Double {
        let command = runtime.command([program, "idle"])
        var sizes: [Double?] = []
        var isReady = false
        // Long enough for most to start, and for the memory of the start to be given back; longer on a busy machine.
        for seconds in [1, 4, 16] where !isReady && seconds <= self.seconds {
            let outcome = try run(command, binding, seconds: seconds) { child in
                sizes = ProcessDump.processes(below: child).filter { $0 != child }.map(Self.proportionalSize)
            }
            isReady = outcome.timedOut && outcome.standardOutput.bytes == Array("ready\n".utf8)
            guard outcome.timedOut else { break }
        }
        guard isReady else { throw failure(command, "the idle guest did not start") }
        let known = sizes.compactMap(\.self)
        guard !known.isEmpty, known.count == sizes.count else {
            throw failure(command, "a process's smaps_rollup cannot be read; run as root")
        }
        return known.reduce(0, +)
    }

    private static func proportionalSize(_ process: Int32) -> Double? {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/smaps_rollup", encoding: .utf8) else {
            return nil
        }
        let line = text.split(separator: "\n").first { $0.hasPrefix("Pss:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Double($0) }.map { $0 * 1024 }
    }

    /// Runs a command below the bench program's guard, which ends what the command leaves behind. When time is up,
    /// `atLimit` sees everything as it stands, and then the guard is told to end it.
    private func run(
        _ command: [String], _ binding: Binding, seconds: Int, atLimit: (Int32) -> Void
    ) throws(MeasuringFailure) -> HostProgram.Outcome {
        let host = HostCommand(
            path: program, arguments: ["bench", "guard", binding.rawValue] + command,
            environment: environment, workingDirectory: fixtures.folder)
        do {
            return try HostProgram.run(host, seconds: seconds) { child in
                atLimit(child)
                try? Host.kill(child, 15)
                // It has ended when all below it have.
                for _ in 0..<500 where ThreadDump(process: child, thread: child).state != "Z" { usleep(10_000) }
            }
        } catch {
            throw failure(command, "cannot be started: \(error)")
        }
    }

    /// Another kernel may have been named to this program.
    private var environment: [String] {
        let named = ProcessInfo.processInfo.environment["APUS_KERNEL"].map { ["APUS_KERNEL=\($0)"] } ?? []
        return fixtures.environment + named
    }

    private func failure(_ command: [String], _ text: String) -> MeasuringFailure {
        MeasuringFailure(text: "\(command.joined(separator: " ").prefix(160)): \(text)")
    }
}
