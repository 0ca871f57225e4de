package import Diff
internal import Foundation

/// One run of a case on one side: what is compared, and what is told of it.
package struct SideRun: Sendable {
    package var record: RunRecord
    package var summary: RunSummary
    /// False if the trace was cut or is missing: then only outcomes can be compared.
    package var hasWholeTrace: Bool
    /// Whether something still held the outputs open after the end.
    package var leftWriters = false

    /// What is compared where traces can't be.
    package var outcome: RunRecord {
        var record = record
        record.events = .events([])
        return record
    }
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
    /// `argv`; the program itself by its path.
    package var command: [String]
    package var environment: [String]
    package var workingDirectory: String
    package var seconds: Int
    /// Where the trace goes.
    package var trace: String
    /// What lays out the working directory before each run. Without one the directory is used as it is, standard input
    /// is empty, and what a run leaves is not compared.
    private let stage: Stage?

    /// Events of a trace that are kept: more can't be compared in reasonable time.
    static let eventLimit = 1_000_000
    /// Bytes of a trace that are compared.
    static let byteLimit: UInt64 = 256 << 20

    /// A run of a case.
    package init(stage: Stage, command: [String], seconds: Int, trace: String) {
        self.stage = stage
        self.command = command
        self.seconds = seconds
        self.trace = trace
        environment = stage.environment
        workingDirectory = stage.workingDirectory
    }

    /// A run of any command, where it stands.
    package init(
        command: [String], environment: [String], workingDirectory: String, seconds: Int, trace: String
    ) {
        stage = nil
        self.command = command
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.seconds = seconds
        self.trace = trace
    }

    /// The standard input, when everything is laid out.
    func prepare() throws(CorpusError) -> FileHandle {
        guard let stage else { return try .openedNull() }
        return try stage.prepare()
    }

    /// The directory that is the host's own in the sandbox, too; nil if nothing that the run leaves is of interest.
    var sharedDirectory: String? { stage == nil ? nil : workingDirectory }

    /// What a run has left.
    func files() -> [EndStateFile] { sharedDirectory.map(EndStateFile.all(below:)) ?? [] }
}
