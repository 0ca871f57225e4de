/// Writes events in the binary format, appending to buffers that the caller empties as it likes.
///
/// After the header comes one record per event: its length as a varint, then
/// ```
/// tag    low 5 bits: the kind; 0x20 a time follows, 0x40 a stack follows
/// sequence (zigzag difference to the previous one plus one), process, thread (zigzag)
/// [time (zigzag difference to the previous one)] [stack]
/// the kind's own fields
/// ```
/// Varints are little-endian groups of seven bits. The last record (tag 31) counts the events: a trace without it was
/// cut off. The encoder keeps one scratch buffer; it allocates nothing in its steady state.
package struct TraceEncoder {
    private var scratch: [UInt8] = []
    private var expectedSequence: UInt64 = 0
    private var previousTime: Int64 = 0
    private var count: UInt64 = 0

    package init() { scratch.reserveCapacity(512) }

    /// Appends the header, which starts every trace.
    package func start(_ header: TraceHeader, into output: inout [UInt8]) {
        for index in 0..<4 { output.append(TraceHeader.magic[index]) }
        output.append(header.version)
        output.append(header.architecture.rawValue)
        output.append(header.subject.rawValue)
        output.append(0)
    }

    /// Appends one event.
    package mutating func encode(_ event: TraceEvent, into output: inout [UInt8]) {
        fill(event)
        Self.put(UInt64(scratch.count), to: &output)
        output.append(contentsOf: scratch)
        commit(event)
    }

    /// Appends one event where the caller owns the memory.
    /// - Returns: false, with nothing written, if there is not enough room for it.
    package mutating func encode(_ event: TraceEvent, into output: inout OutputSpan<UInt8>) -> Bool {
        fill(event)
        var prefix: [UInt8] = []
        Self.put(UInt64(scratch.count), to: &prefix)
        guard output.freeCapacity >= prefix.count + scratch.count else { return false }
        for byte in prefix { output.append(byte) }
        for byte in scratch { output.append(byte) }
        commit(event)
        return true
    }

    /// Appends the end record.
    package mutating func finish(into output: inout [UInt8]) {
        scratch.removeAll(keepingCapacity: true)
        scratch.append(TraceTag.end.rawValue)
        put(count)
        Self.put(UInt64(scratch.count), to: &output)
        output.append(contentsOf: scratch)
    }

    private mutating func commit(_ event: TraceEvent) {
        expectedSequence = event.sequence &+ 1
        previousTime = event.time ?? previousTime
        count += 1
    }

    /// Encodes the event's body into `scratch`.
    private mutating func fill(_ event: TraceEvent) {
        scratch.removeAll(keepingCapacity: true)
        let tag = TraceTag(event.kind).rawValue
        scratch.append(
            tag | (event.time == nil ? 0 : TraceTag.timeFlag) | (event.stack == nil ? 0 : TraceTag.stackFlag))
        put(signed: Int64(bitPattern: event.sequence &- expectedSequence))
        put(signed: Int64(event.process))
        put(signed: Int64(event.thread))
        if let time = event.time { put(signed: time &- previousTime) }
        if let stack = event.stack { put(UInt64(stack)) }
        switch event.kind {
        case .call(let call, let result):
            put(call)
            put(signed: result.rawValue)
        case .unfinished(let call, let reason):
            put(call)
            scratch.append(reason.rawValue)
        case .signal(let signal):
            put(signed: Int64(signal.number))
            put(signed: Int64(signal.code))
            put(signed: Int64(signal.sender))
            put(signed: Int64(signal.value))
            put(signal.address)
        case .stopped(let signal):
            put(signed: Int64(signal))
        case .clone(let edge):
            put(signed: Int64(edge.child))
            put(signed: Int64(edge.process))
            put(edge.flags)
        case .exec(let path, let formerThread):
            put(signed: Int64(formerThread))
            put(path)
        case .exit(let status), .processExit(let status):
            put(signed: Int64(status.rawValue))
        }
    }

    private mutating func put(_ call: TracedCall) {
        put(signed: Int64(call.number))
        // Most calls have few arguments that are not zero: the count saves the rest.
        var used = 6
        while used > 0, call.arguments[used - 1] == 0 { used -= 1 }
        scratch.append(UInt8(used))
        for index in 0..<used { put(call.arguments[index]) }
        put(UInt64(call.payloads.count))
        for payload in call.payloads {
            scratch.append(payload.parameter)
            scratch.append(
                payload.part.rawValue | (payload.isOutput ? TraceTag.outputFlag : 0)
                    | (payload.isReadable ? TraceTag.readableFlag : 0))
            put(UInt64(payload.count))
            put(payload.fullLength)
            put(payload.bytes)
        }
    }

    private mutating func put(_ bytes: [UInt8]) {
        put(UInt64(bytes.count))
        scratch.append(contentsOf: bytes)
    }

    private mutating func put(_ value: UInt64) { Self.put(value, to: &scratch) }

    private mutating func put(signed value: Int64) {
        put(UInt64(bitPattern: value << 1) ^ UInt64(bitPattern: value >> 63))
    }

    private static func put(_ value: UInt64, to output: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        output.append(UInt8(truncatingIfNeeded: rest))
    }
}

/// The kinds of records, and the flags beside them.
enum TraceTag: UInt8 {
    case call = 1
    case unfinished = 2
    case signal = 3
    case stopped = 4
    case clone = 5
    case exec = 6
    case exit = 7
    case processExit = 8
    case end = 31

    static let mask: UInt8 = 0x1f
    static let timeFlag: UInt8 = 0x20
    static let stackFlag: UInt8 = 0x40
    /// In a payload's part byte.
    static let outputFlag: UInt8 = 0x80
    static let readableFlag: UInt8 = 0x40
    static let partMask: UInt8 = 0x3f

    init(_ kind: TraceEvent.Kind) {
        switch kind {
        case .call: self = .call
        case .unfinished: self = .unfinished
        case .signal: self = .signal
        case .stopped: self = .stopped
        case .clone: self = .clone
        case .exec: self = .exec
        case .exit: self = .exit
        case .processExit: self = .processExit
        }
    }
}
