/// One way in which a sandboxed run differs from what the native runs agree on.
package struct Divergence: Hashable, Sendable, Codable {
    package var kind: DivergenceClass
    package var cause: DivergenceCause
    /// The thread's place in the clone tree (`1`, its first child process `1.1`, that one's second thread `1.1/2`);
    /// empty for what belongs to the whole run (output, end state, exit status).
    package var thread: String
    /// The call's name, a signal's name, or nil.
    package var call: String?
    /// What of it differs: `result`, a parameter's name, `statbuf.st_size`, `stdout`, a path of the end state.
    package var field: String?
    /// The file that the call is about, where the traces tell: its path argument, or what its descriptor was opened by.
    package var path: String?
    /// The file below /proc or /sys that the process has open meanwhile: how it goes on may follow from its text.
    package var reading: String?
    package var native: String?
    package var sandbox: String?
    package var nativePosition: TracePosition?
    package var sandboxPosition: TracePosition?
    /// Both sides around the divergence, lined up.
    package var context: [ContextRow]
    /// One sentence for the reader of a report.
    package var explanation: String
    /// How many of the sandboxed runs show it.
    package var seenIn: Int

    package init(
        kind: DivergenceClass, cause: DivergenceCause, thread: String = "", call: String? = nil, field: String? = nil,
        native: String? = nil, sandbox: String? = nil, nativePosition: TracePosition? = nil,
        sandboxPosition: TracePosition? = nil, context: [ContextRow] = [], explanation: String, seenIn: Int = 1
    ) {
        self.kind = kind
        self.cause = cause
        self.thread = thread
        self.call = call
        self.field = field
        self.native = native
        self.sandbox = sandbox
        self.nativePosition = nativePosition
        self.sandboxPosition = sandboxPosition
        self.context = context
        self.explanation = explanation
        self.seenIn = seenIn
    }
}

/// What kind of difference it is. The raw values are those of the expectations file and of the reports.
package enum DivergenceClass: String, Hashable, Sendable, Codable, CaseIterable {
    /// The sandbox answered ENOSYS where Linux did not.
    case unimplemented
    case errno
    case value
    case payload
    case order
    case missingCall = "missing-call"
    case extraCall = "extra-call"
    case signal
    case output
    case endState = "end-state"
    case exitStatus = "exit-status"
    case crash
    case hang
}

/// Why it differs, as far as the traces tell.
package enum DivergenceCause: String, Hashable, Sendable, Codable, CaseIterable {
    case bug
    case missingFeature = "missing-feature"
    case timePrecision = "time-precision"
    case amplifiedRace = "amplified-race"
    case environment
    case badTest = "bad-test"

    /// Whether the divergence explains itself, and so is reported without failing its case.
    package var isExplained: Bool {
        switch self {
        case .bug, .missingFeature, .badTest: false
        case .timePrecision, .amplifiedRace, .environment: true
        }
    }
}

/// An event's place in a run.
package struct TracePosition: Hashable, Sendable, Codable {
    /// Its number over all threads.
    package var sequence: UInt64
    /// Its number in its thread, from 0.
    package var index: Int

    package init(sequence: UInt64, index: Int) {
        self.sequence = sequence
        self.index = index
    }
}

/// A line of the two traces side by side; nil where a side has nothing.
package struct ContextRow: Hashable, Sendable, Codable {
    package var native: String?
    package var sandbox: String?
    /// Whether this row is (part of) what differs.
    package var differs: Bool

    package init(native: String?, sandbox: String?, differs: Bool) {
        self.native = native
        self.sandbox = sandbox
        self.differs = differs
    }
}
