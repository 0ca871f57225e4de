package import Trace
package import TraceModel

/// One run of a case on one side: all that is compared.
package struct RunRecord: Sendable {
    package var events: TraceSource
    package var ending: RunEnding
    package var standardOutput: [UInt8]
    package var standardError: [UInt8]
    /// What the run left in its working directory, by path.
    package var files: [EndStateFile]
    /// Texts that each run has its own of, and what they are to be called on both sides: the working directory's path
    /// by `$WORK`. They are replaced in traces and in outputs. Lengths that the program sees still differ, so paths of
    /// one length compare best.
    package var aliases: [String: String] = [:]

    package init(
        events: TraceSource, ending: RunEnding, standardOutput: [UInt8] = [], standardError: [UInt8] = [],
        files: [EndStateFile] = []
    ) {
        self.events = events
        self.ending = ending
        self.standardOutput = standardOutput
        self.standardError = standardError
        self.files = files
    }
}

/// Where a run's events are. A file is read as a stream, in whatever format it has, so that long runs fit.
package enum TraceSource: Sendable {
    case events([TraceEvent])
    case file(String)
}

/// How a run ended.
package enum RunEnding: Hashable, Sendable {
    /// The first process ended by itself or by a signal.
    case ended(WaitStatus)
    /// The time limit ended it; what its threads were doing, where known.
    case timedOut(seconds: Int, threads: [ThreadState])
    /// The sandbox itself broke (its kernel died, refused to start, broke its protocol): never the program's doing.
    case sandboxFailed(reason: String)

    package var description: String {
        switch self {
        case .ended(let status):
            if let code = status.exitCode { "exited with \(code)" } else { "killed by signal \(status.signal ?? 0)" }
        case .timedOut(let seconds, _): "still running after \(seconds) s"
        case .sandboxFailed(let reason): "the sandbox failed: \(reason)"
        }
    }
}
