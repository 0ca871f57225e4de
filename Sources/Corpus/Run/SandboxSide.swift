internal import Diff
internal import Foundation
internal import HostSystem
internal import Trace
internal import TraceModel

/// Runs a case in the sandbox.
package struct SandboxSide {
    private let launcher: SandboxLauncher
    private let plan: RunPlan

    package init(_ launcher: SandboxLauncher, _ plan: RunPlan) {
        self.launcher = launcher
        self.plan = plan
    }

    /// Throws `CorpusError` if the run can't be laid out; that the sandbox fails is a result, no error.
    package func run() throws -> SideRun {
        let input = try plan.prepare()
        defer { try? input.close() }
        try? FileManager.default.removeItem(atPath: plan.trace)
        var launcher = launcher
        launcher.environment = plan.environment
        launcher.workingDirectory = plan.workingDirectory
        // What the case leaves in its working directory is compared, so that one directory is the host's own.
        if let shared = plan.sharedDirectory { launcher.binds.append(.init(source: shared, destination: shared)) }
        launcher.trace = plan.trace
        var host = HostCommand(path: launcher.kernel, arguments: launcher.arguments(plan.command))
        host.standardInput = input.fileDescriptor
        let clock = ContinuousClock()
        let start = clock.now
        var dumps: [ThreadDump] = []
        let outcome: HostProgram.Outcome
        do {
            outcome = try HostProgram.run(host, seconds: plan.seconds) { dumps = ProcessDump.take(below: $0) }
        } catch {
            throw CorpusError(
                .sandbox, launcher.kernel, "cannot be started: \(error)", remedy: "check that it is built for this host"
            )
        }
        let milliseconds = (clock.now - start).milliseconds
        let size = FileSize.of(plan.trace)
        let isWhole = size > 0 && size <= RunPlan.byteLimit
        let ending =
            outcome.timedOut
            ? RunEnding.timedOut(seconds: plan.seconds, threads: dumps.map(\.threadState)) : ending(outcome)
        let record = RunRecord(
            events: isWhole ? .file(plan.trace) : .events([]), ending: ending,
            standardOutput: outcome.standardOutput.bytes, standardError: outcome.standardError.bytes,
            files: plan.files())
        var summary = RunSummary(
            record, output: outcome.standardOutput, errors: outcome.standardError, milliseconds: milliseconds,
            traceBytes: size)
        summary.threads = dumps
        return SideRun(
            record: record, summary: summary, hasWholeTrace: isWhole,
            leftWriters: !outcome.standardOutput.isClosed || !outcome.standardError.isClosed)
    }

    /// `apus-kernel` exits with the program's status, with 128 and the signal's number, or with 125 to 127 and a message
    /// of its own when there was no program.
    private func ending(_ outcome: HostProgram.Outcome) -> RunEnding {
        guard let code = outcome.status.exitCode else {
            return .sandboxFailed(reason: "apus-kernel was killed by signal \(outcome.status.signal ?? 0)")
        }
        if code == SandboxLauncher.failureStatus, let message = Self.complaint(outcome.standardError.bytes) {
            return .sandboxFailed(reason: message)
        }
        if code > 128, let status = FirstProcess.end(in: plan.trace) { return .ended(status) }
        return .ended(outcome.status)
    }

    /// The last line of the sandbox's own on standard error, which the program may have written to as well.
    static func complaint(_ bytes: [UInt8]) -> String? {
        String(decoding: bytes, as: UTF8.self).split(separator: "\n").last { $0.hasPrefix("apus-kernel: ") }
            .map { String($0.dropFirst("apus-kernel: ".count)) }
    }
}

/// How the first process of a trace ended: the exit status alone does not tell 139 from SIGSEGV.
enum FirstProcess {
    /// Nil if the trace does not say.
    static func end(in path: String) -> WaitStatus? {
        guard let reader = try? TraceFileReader(path) else { return nil }
        var first: Int32?
        var end: WaitStatus?
        while let event = try? reader.event() {
            first = first ?? event.process
            if case .processExit(let status) = event.kind, event.process == first { end = status }
        }
        return end
    }
}
