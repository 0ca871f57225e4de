/// The formats in which a trace can be written.
package enum TraceFormat: String, Sendable, CaseIterable {
    case text
    case jsonLines = "jsonl"
    case binary
}
