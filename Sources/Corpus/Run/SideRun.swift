package import Diff

/// One run of a case on one side: what is compared, and what is told of it.
package struct SideRun: Sendable {
    package var record: RunRecord
    package var summary: RunSummary
    /// False if the trace was cut or is missing: then only outcomes can be compared.
    package var hasWholeTrace: Bool
}

/// What the reports tell of a run.
package struct RunSummary: Sendable, Hashable, Codable {
    /// `exited with 0`, …
    package var ending: String
    package var milliseconds: Int
    package var traceBytes: UInt64
    /// The trace's path below the build directory, if it is kept.
    package var trace: String?
    package var outputBytes: UInt64
    package var errorBytes: UInt64
    /// The start of each output, as text.
    package var output: String
    package var errors: String
    /// What threads were doing when time was up.
    package var threads: [ThreadDump]

    package init(ending: String, milliseconds: Int = 0) {
        self.ending = ending
        self.milliseconds = milliseconds
        traceBytes = 0
        outputBytes = 0
        errorBytes = 0
        output = ""
        errors = ""
        threads = []
    }

    /// Bytes of each output that are kept as text.
    static let excerpt = 2048

    init(_ record: RunRecord, output: CapturedOutput, errors: CapturedOutput, milliseconds: Int, traceBytes: UInt64) {
        ending = record.ending.description
        self.milliseconds = milliseconds
        self.traceBytes = traceBytes
        outputBytes = output.count
        errorBytes = errors.count
        self.output = String(decoding: output.bytes.prefix(Self.excerpt), as: UTF8.self)
        self.errors = String(decoding: errors.bytes.prefix(Self.excerpt), as: UTF8.self)
        threads = []
    }
}

/// What both sides are given.
package struct RunPlan: Sendable {
    package var stage: Stage
    /// `argv`; the program itself by its path.
    package var command: [String]
    package var seconds: Int
    /// Where the trace goes.
    package var trace: String
    /// Bytes of it that are kept.
    package var traceLimit = 256 << 20

    package init(stage: Stage, command: [String], seconds: Int, trace: String) {
        self.stage = stage
        self.command = command
        self.seconds = seconds
        self.trace = trace
    }
}
