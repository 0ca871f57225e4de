package import TraceModel

/// Reads a trace file of any format that can be read, event by event, with bounded memory.
package final class TraceFileReader {
    /// The longest line of JSON Lines: far more than any event of ours takes.
    static let maximumLine = 64 << 20

    package private(set) var header: TraceHeader
    package let format: TraceFormat

    private let file: ByteFile
    private var binary = TraceDecoder()
    private let json = JSONLinesDecoder()
    private var buffer: [UInt8] = []
    private var next = 0
    private var isExhausted = false
    private var line = 1
    /// Bytes of the file before `buffer`.
    private var base: UInt64 = 0
    private var count: UInt64 = 0
    private var isAtEnd = false

    /// Opens a trace and reads its header.
    /// - Throws: `TraceError` that names the file, the place and the reason.
    package convenience init(_ path: String) throws {
        let file = try ByteFile(reading: path)
        let first = try file.read()
        try self.init(file, first)
    }

    /// Reads a trace that is still being written from an open descriptor, which stays open. Each event is there as soon as
    /// its bytes are. Nil if the stream ends before it has begun.
    package convenience init?(stream descriptor: Int32, name: String) throws {
        let file = ByteFile(descriptor: descriptor, name: name)
        let first = try file.read()
        guard !first.isEmpty else { return nil }
        try self.init(file, first)
    }

    private init(_ opened: consuming ByteFile, _ first: [UInt8]) throws {
        let path = opened.path
        file = opened
        if first.first == UInt8(ascii: "{") {
            format = .jsonLines
            buffer = first
            header = TraceHeader(subject: .native)
            guard let bytes = try nextLine() else { throw TraceError(.malformed, "'\(path)' is empty") }
            guard case .header(let header) = try decode(bytes) else {
                throw TraceError(.malformed, "'\(path)':1: not a trace: the first line has no \"apus-trace\"")
            }
            self.header = header
        } else {
            format = .binary
            let remedy = "expected the binary format or JSON Lines (text traces can't be read back)"
            do {
                binary.feed(first)
                _ = try binary.peekHeader()
            } catch {
                throw TraceError(.malformed, "'\(path)': \(error); \(remedy)")
            }
            guard let header = binary.header else {
                throw TraceError(.malformed, "'\(path)': the trace is cut off at byte \(first.count); \(remedy)")
            }
            self.header = header
        }
    }

    /// The next event; nil at the trace's end.
    package func event() throws -> TraceEvent? { format == .binary ? try binaryEvent() : try jsonEvent() }

    private func binaryEvent() throws -> TraceEvent? {
        do {
            while true {
                if let event = try binary.event() { return event }
                let bytes = isExhausted ? [] : try file.read()
                if bytes.isEmpty {
                    isExhausted = true
                    try binary.finish()
                    return nil
                }
                binary.feed(bytes)
            }
        } catch let error as TraceFormatError {
            throw TraceError(.malformed, "'\(file.path)': \(error); record it again")
        }
    }

    private func jsonEvent() throws -> TraceEvent? {
        while let bytes = try nextLine() {
            if bytes.allSatisfy({ $0 == 32 || $0 == 13 }) { continue }
            guard !isAtEnd else { throw malformed("lines follow the end") }
            switch try decode(bytes) {
            case .header: throw malformed("a second header")
            case .event(let event):
                count += 1
                return event
            case .end(let expected):
                guard expected == count else {
                    throw malformed("the trace ends after \(count) events, but says that there were \(expected)")
                }
                isAtEnd = true
            }
        }
        guard isAtEnd else { throw malformed("the trace is cut off: there is no end line") }
        return nil
    }

    private func decode(_ bytes: [UInt8]) throws -> JSONLinesDecoder.Line {
        do { return try json.decode(bytes) } catch { throw malformed(error.sentence) }
    }

    private func malformed(_ sentence: String) -> TraceError {
        TraceError(
            .malformed,
            "'\(file.path)':\(max(1, line - 1)) (byte \(base + UInt64(next))): \(sentence); record it again")
    }

    /// The next line without its newline; nil at the end of the file.
    private func nextLine() throws -> [UInt8]? {
        var from = next
        while true {
            if let end = buffer[from...].firstIndex(of: 10) {
                defer {
                    next = end + 1
                    line += 1
                }
                return Array(buffer[next..<end])
            }
            guard buffer.count - next <= Self.maximumLine else {
                throw malformed("a line of more than \(Self.maximumLine) bytes")
            }
            base += UInt64(next)
            buffer.removeFirst(next)
            next = 0
            from = buffer.count
            let bytes = isExhausted ? [] : try file.read()
            if bytes.isEmpty {
                isExhausted = true
                guard !buffer.isEmpty else { return nil }
                defer {
                    next = buffer.count
                    line += 1
                }
                return buffer
            }
            buffer += bytes
        }
    }
}
