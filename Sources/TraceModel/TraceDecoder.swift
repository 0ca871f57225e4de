/// Reads the binary format as it arrives. The input may be hostile: every length is checked against what is there,
/// and memory is bounded by one record and one chunk.
package struct TraceDecoder {
    /// No record is longer: the encoder's payload limits stay far below.
    package static let maximumRecord = 16 << 20

    /// Known as soon as the first eight bytes have been fed.
    package private(set) var header: TraceHeader?
    /// True after the end record.
    package private(set) var isAtEnd = false

    private var buffer: [UInt8] = []
    private var next = 0
    /// The offset of `buffer[0]` in the trace.
    private var base: UInt64 = 0
    private var expectedSequence: UInt64 = 0
    private var previousTime: Int64 = 0
    private var count: UInt64 = 0

    package init() {}

    /// Hands over the next bytes of the trace.
    package mutating func feed(_ bytes: [UInt8]) {
        if next > 0 {
            buffer.removeFirst(next)
            base += UInt64(next)
            next = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next event; nil if more bytes are needed for it or the end record has been read.
    package mutating func event() throws(TraceFormatError) -> TraceEvent? {
        if header == nil { try readHeader() }
        guard header != nil else { return nil }
        if isAtEnd {
            guard next == buffer.count else { throw .trailingBytes(offset: offset) }
            return nil
        }
        var probe = next
        guard let length = try varint(at: &probe, end: buffer.count) else { return nil }
        guard length >= 1, length <= UInt64(Self.maximumRecord) else {
            throw .recordTooLong(offset: offset, length: length)
        }
        guard buffer.count - probe >= Int(length) else { return nil }
        let end = probe + Int(length)
        let event = try record(from: probe, to: end)
        next = end
        return event
    }

    /// To be called when the input has ended: throws if the trace has not.
    package func finish() throws(TraceFormatError) {
        guard isAtEnd else { throw .truncated(offset: base + UInt64(buffer.count)) }
        guard next == buffer.count else { throw .trailingBytes(offset: offset) }
    }

    /// The header, as soon as its bytes have been fed; unlike `event`, it takes nothing else.
    package mutating func peekHeader() throws(TraceFormatError) -> TraceHeader? {
        if header == nil { try readHeader() }
        return header
    }

    private var offset: UInt64 { base + UInt64(next) }

    private mutating func readHeader() throws(TraceFormatError) {
        for index in 0..<min(4, buffer.count) where buffer[index] != TraceHeader.magic[index] { throw .notATrace }
        guard buffer.count >= TraceHeader.encodedSize else { return }
        let version = buffer[4]
        guard version >= 1, version <= TraceHeader.currentVersion else { throw .unsupportedVersion(version) }
        guard let architecture = TraceArchitecture(rawValue: buffer[5]) else { throw .unknownArchitecture(buffer[5]) }
        guard let subject = TraceSubject(rawValue: buffer[6]) else { throw .unknownSubject(buffer[6]) }
        header = TraceHeader(version: version, architecture: architecture, subject: subject)
        next = TraceHeader.encodedSize
    }

    /// Nil if the bytes end inside the number.
    private func varint(at index: inout Int, end: Int) throws(TraceFormatError) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while index < end {
            let byte = buffer[index]
            index += 1
            // The tenth byte carries the last bit of 64; more would not fit.
            guard shift < 63 || byte <= 1 else { throw .malformedRecord(offset: offset) }
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        return nil
    }

    /// Nil for the end record.
    private mutating func record(from start: Int, to end: Int) throws(TraceFormatError) -> TraceEvent? {
        var cursor = RecordCursor(offset: offset, index: start + 1, end: end)
        guard let tag = TraceTag(rawValue: buffer[start] & TraceTag.mask), buffer[start] & 0x80 == 0 else {
            throw cursor.malformed
        }
        if tag == .end {
            let expected = try unsigned(&cursor)
            guard cursor.index == end else { throw cursor.malformed }
            guard expected == count else { throw .wrongCount(expected: expected, found: count) }
            isAtEnd = true
            return nil
        }
        let sequence = expectedSequence &+ UInt64(bitPattern: try signed(&cursor))
        let process = try int32(&cursor)
        let thread = try int32(&cursor)
        let time = buffer[start] & TraceTag.timeFlag == 0 ? nil : previousTime &+ (try signed(&cursor))
        let stack = buffer[start] & TraceTag.stackFlag == 0 ? nil : try uint32(&cursor)
        let kind = try kind(tag, &cursor)
        guard cursor.index == end else { throw cursor.malformed }
        expectedSequence = sequence &+ 1
        previousTime = time ?? previousTime
        count += 1
        return TraceEvent(
            sequence: sequence, time: time, process: process, thread: thread, kind: kind, stack: stack)
    }

    private func kind(_ tag: TraceTag, _ cursor: inout RecordCursor) throws(TraceFormatError) -> TraceEvent.Kind {
        switch tag {
        case .call:
            let call = try tracedCall(&cursor)
            return .call(call, result: CallResult(try signed(&cursor)))
        case .unfinished:
            let call = try tracedCall(&cursor)
            guard let reason = UnfinishedReason(rawValue: try byte(&cursor)) else { throw cursor.malformed }
            return .unfinished(call, reason)
        case .signal:
            return .signal(
                TracedSignal(
                    number: try int32(&cursor), code: try int32(&cursor), sender: try int32(&cursor),
                    value: try int32(&cursor), address: try unsigned(&cursor)))
        case .stopped: return .stopped(signal: try int32(&cursor))
        case .clone:
            return .clone(
                CloneEdge(child: try int32(&cursor), process: try int32(&cursor), flags: try unsigned(&cursor)))
        case .exec:
            let former = try int32(&cursor)
            return .exec(path: try bytes(&cursor), formerThread: former)
        case .exit: return .exit(WaitStatus(rawValue: try int32(&cursor)))
        case .processExit: return .processExit(WaitStatus(rawValue: try int32(&cursor)))
        case .end: throw cursor.malformed
        }
    }

    private func tracedCall(_ cursor: inout RecordCursor) throws(TraceFormatError) -> TracedCall {
        let number = Int(try signed(&cursor))
        let used = Int(try byte(&cursor))
        guard used <= 6 else { throw cursor.malformed }
        var arguments = CallArguments([])
        for index in 0..<used { arguments[index] = try unsigned(&cursor) }
        let count = try unsigned(&cursor)
        // A payload takes five bytes at least: a larger count is a lie, and would only reserve memory.
        guard count <= UInt64((cursor.end - cursor.index) / 5) else { throw cursor.malformed }
        var payloads: [TracePayload] = []
        payloads.reserveCapacity(Int(count))
        for _ in 0..<count {
            let parameter = try byte(&cursor)
            let flags = try byte(&cursor)
            guard let part = TracePayload.Part(rawValue: flags & TraceTag.partMask) else { throw cursor.malformed }
            let elements = try uint32(&cursor)
            let fullLength = try unsigned(&cursor)
            payloads.append(
                TracePayload(
                    parameter: parameter, part: part, isOutput: flags & TraceTag.outputFlag != 0,
                    isReadable: flags & TraceTag.readableFlag != 0, count: elements, fullLength: fullLength,
                    bytes: try bytes(&cursor)))
        }
        return TracedCall(number: number, arguments: arguments, payloads: payloads)
    }

    private func byte(_ cursor: inout RecordCursor) throws(TraceFormatError) -> UInt8 {
        guard cursor.index < cursor.end else { throw cursor.malformed }
        defer { cursor.index += 1 }
        return buffer[cursor.index]
    }

    private func unsigned(_ cursor: inout RecordCursor) throws(TraceFormatError) -> UInt64 {
        guard let value = try varint(at: &cursor.index, end: cursor.end) else { throw cursor.malformed }
        return value
    }

    private func signed(_ cursor: inout RecordCursor) throws(TraceFormatError) -> Int64 {
        let value = try unsigned(&cursor)
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    private func int32(_ cursor: inout RecordCursor) throws(TraceFormatError) -> Int32 {
        guard let value = Int32(exactly: try signed(&cursor)) else { throw cursor.malformed }
        return value
    }

    private func uint32(_ cursor: inout RecordCursor) throws(TraceFormatError) -> UInt32 {
        guard let value = UInt32(exactly: try unsigned(&cursor)) else { throw cursor.malformed }
        return value
    }

    private func bytes(_ cursor: inout RecordCursor) throws(TraceFormatError) -> [UInt8] {
        let count = try unsigned(&cursor)
        guard count <= UInt64(cursor.end - cursor.index) else { throw cursor.malformed }
        defer { cursor.index += Int(count) }
        return Array(buffer[cursor.index..<cursor.index + Int(count)])
    }
}

/// Where the decoder stands in the record that it reads.
private struct RecordCursor {
    let offset: UInt64
    var index: Int
    let end: Int

    var malformed: TraceFormatError { .malformedRecord(offset: offset) }
}
