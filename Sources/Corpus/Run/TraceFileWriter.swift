internal import Foundation
internal import TraceModel

/// Writes a run's events to a file, up to a number of bytes: a run that goes astray must not fill the disk.
final class TraceFileWriter {
    private let handle: FileHandle
    private let limit: Int
    private var encoder = TraceEncoder()
    private var buffer: [UInt8] = []
    private var written = 0
    /// Whether events had to be left out.
    private(set) var isCut = false

    private static let chunk = 1 << 16

    init(_ path: String, subject: TraceSubject, limit: Int) throws(CorpusError) {
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let handle = FileHandle(forWritingAtPath: path)
        else { throw CorpusError(.stage, path, "the trace can't be written", remedy: "check the folder's permissions") }
        self.handle = handle
        self.limit = limit
        encoder.start(TraceHeader(subject: subject), into: &buffer)
    }

    func append(_ event: TraceEvent) throws {
        guard written + buffer.count < limit else {
            isCut = true
            return
        }
        encoder.encode(event, into: &buffer)
        if buffer.count >= Self.chunk { try flush() }
    }

    func finish() throws {
        encoder.finish(into: &buffer)
        try flush()
        try handle.close()
    }

    private func flush() throws {
        try handle.write(contentsOf: buffer)
        written += buffer.count
        buffer.removeAll(keepingCapacity: true)
    }
}
