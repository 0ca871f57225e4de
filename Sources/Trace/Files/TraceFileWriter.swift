package import LinuxABI
package import TraceModel

/// Writes a trace to a file as it happens. Nothing is certain to be in the file before `finish`.
package final class TraceFileWriter {
    private var file: ByteFile
    private let format: TraceFormat
    private var buffer: [UInt8] = []
    private var encoder = TraceEncoder()
    private var lines: JSONLinesEncoder
    private var text: TraceText
    private var count: UInt64 = 0

    /// Makes the file at `path` and writes the header.
    /// - Throws: `TraceError` that names the file and what is wrong.
    package convenience init(
        _ path: String, format: TraceFormat, header: TraceHeader, table: SyscallTable = .x86_64
    ) throws {
        self.init(try ByteFile(writing: path), format, header, table)
    }

    /// Writes to an open descriptor, which stays open: a pipe, standard error.
    package convenience init(
        descriptor: Int32, name: String, format: TraceFormat, header: TraceHeader, table: SyscallTable = .x86_64
    ) {
        self.init(ByteFile(descriptor: descriptor, name: name), format, header, table)
    }

    private init(_ file: consuming ByteFile, _ format: TraceFormat, _ header: TraceHeader, _ table: SyscallTable) {
        self.file = file
        self.format = format
        lines = JSONLinesEncoder(table: table)
        text = TraceText(table: table)
        buffer.reserveCapacity(ByteFile.chunk + 4096)
        switch format {
        case .binary: encoder.start(header, into: &buffer)
        case .jsonLines: lines.start(header, into: &buffer)
        case .text: break
        }
    }

    package func write(_ event: TraceEvent) throws {
        count += 1
        switch format {
        case .binary: encoder.encode(event, into: &buffer)
        case .jsonLines: lines.encode(event, into: &buffer)
        case .text:
            if let line = text.line(event) {
                buffer.append(contentsOf: line.utf8)
                buffer.append(10)
            }
        }
        if buffer.count >= ByteFile.chunk { try flush() }
    }

    /// Hands what has been written so far to the file.
    package func flush() throws {
        guard !buffer.isEmpty else { return }
        try file.write(buffer)
        buffer.removeAll(keepingCapacity: true)
    }

    /// Marks the trace as whole. Nothing may be written after it.
    package func finish() throws {
        switch format {
        case .binary: encoder.finish(into: &buffer)
        case .jsonLines: lines.finish(count, into: &buffer)
        case .text: break
        }
        try flush()
    }
}
