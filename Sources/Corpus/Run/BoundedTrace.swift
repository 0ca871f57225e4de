internal import Trace
internal import TraceModel

/// A run's trace in a file, up to a number of events: a run that goes astray must not fill the disk.
final class BoundedTrace {
    private let writer: TraceFileWriter
    private var room: Int
    /// Whether events had to be left out.
    private(set) var isCut = false

    init(_ path: String, subject: TraceSubject, limit: Int) throws {
        writer = try TraceFileWriter(path, format: .binary, header: TraceHeader(subject: subject))
        room = limit
    }

    func append(_ event: TraceEvent) throws {
        guard room > 0 else {
            isCut = true
            return
        }
        room -= 1
        try writer.write(event)
    }

    func finish() throws { try writer.finish() }
}
