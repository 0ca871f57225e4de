internal import Diff
internal import Foundation
internal import Trace
internal import TraceModel

/// Runs a case on the host's kernel under the native tracer.
package struct NativeSide {
    private let plan: RunPlan

    package init(_ plan: RunPlan) { self.plan = plan }

    /// Throws `CorpusError` or `TraceError` if the run can't be made; how the program ends is no error.
    package func run() throws -> SideRun {
        let input = try plan.prepare()
        defer { try? input.close() }
        let output = OutputCapture()
        let errors = OutputCapture()
        defer {
            output.closeWriter()
            errors.closeWriter()
        }
        var command = NativeTracer.Command(
            plan.command.first ?? "", Array(plan.command.dropFirst()), environment: plan.environment,
            workingDirectory: plan.workingDirectory)
        command.standardInput = input.fileDescriptor
        command.standardOutput = output.descriptor
        command.standardError = errors.descriptor
        command.startsSession = true
        var options = NativeTracer.Options()
        options.timeout = UInt64(plan.seconds) * 1000
        options.killsSurvivors = true
        // As many bytes as the sandbox's own trace holds: a shorter capture would count as a difference.
        options.planner = PayloadPlanner(limit: PayloadPlanner.comparisonLimit)
        let writer = try BoundedTrace(plan.trace, subject: .native, limit: RunPlan.eventLimit)
        let clock = ContinuousClock()
        let start = clock.now
        let run = try NativeTracer(options: options).run(command) { event in try writer.append(event) }
        let milliseconds = (clock.now - start).milliseconds
        try writer.finish()
        let (written, complaints) = (output.finish(), errors.finish())
        let ending: RunEnding =
            run.timedOut ? .timedOut(seconds: plan.seconds, threads: run.threads) : .ended(run.status)
        let record = RunRecord(
            events: .file(plan.trace), ending: ending, standardOutput: written.bytes,
            standardError: complaints.bytes, files: plan.files())
        var summary = RunSummary(
            record, output: written, errors: complaints, milliseconds: milliseconds,
            traceBytes: FileSize.of(plan.trace))
        summary.threads = run.threads.map(ThreadDump.init)
        return SideRun(record: record, summary: summary, hasWholeTrace: !writer.isCut)
    }
}

/// The size of a file; 0 if there is none.
enum FileSize {
    static func of(_ path: String) -> UInt64 {
        ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? NSNumber)?.uint64Value ?? 0
    }
}

extension Duration {
    var milliseconds: Int { Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000) }
}
