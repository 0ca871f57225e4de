/// Why a trace could not be made or read.
package struct TraceError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case commandNotFound
        case cannotStart
        case cannotTrace
        /// The tracer waits for tracees that stand still: its own fault.
        case stalled
        case malformed
        case io
    }

    package let code: Code
    /// What failed, on what, and what can be done, in one sentence.
    package let sentence: String

    package init(_ code: Code, _ sentence: String) {
        self.code = code
        self.sentence = sentence
    }

    package var description: String { sentence }
}
