internal import Foundation
internal import TraceModel

/// Reads one line of JSON Lines. The input may be hostile; whatever is wrong with it is thrown as a sentence.
struct JSONLinesDecoder {
    enum Line {
        case header(TraceHeader)
        case event(TraceEvent)
        case end(UInt64)
    }

    struct Malformed: Error {
        let sentence: String
    }

    private let decoder = JSONDecoder()

    func decode(_ bytes: [UInt8]) throws(Malformed) -> Line {
        let record: Record
        do {
            record = try decoder.decode(Record.self, from: Data(bytes))
        } catch {
            throw Malformed(sentence: JSONLinesDecoder.sentence(error))
        }
        if let version = record.version { return .header(try header(record, version)) }
        if record.event == "end" { return .end(try need(record.events, "events")) }
        return .event(
            TraceEvent(
                sequence: try need(record.seq, "seq"), time: record.time, process: try need(record.pid, "pid"),
                thread: try need(record.tid, "tid"), kind: try kind(record), stack: record.stack))
    }

    private func header(_ record: Record, _ version: Int) throws(Malformed) -> TraceHeader {
        guard version == JSONLinesEncoder.version else {
            throw Malformed(sentence: "schema version \(version); this program reads \(JSONLinesEncoder.version)")
        }
        let architecture = TraceArchitecture.allCases.first { "\($0)" == record.architecture }
        let subject = TraceSubject.allCases.first { "\($0)" == record.subject }
        return TraceHeader(
            architecture: try need(architecture, "architecture"), subject: try need(subject, "subject"))
    }

    private func kind(_ record: Record) throws(Malformed) -> TraceEvent.Kind {
        switch try need(record.event, "event") {
        case "call": return .call(try call(record), result: CallResult(try need(record.result, "result")))
        case "unfinished":
            let reason = UnfinishedReason.allCases.first { "\($0)" == record.reason }
            return .unfinished(try call(record), try need(reason, "reason"))
        case "signal":
            return .signal(
                TracedSignal(
                    number: try need(record.signal, "signal"), code: try need(record.code, "code"),
                    sender: record.sender ?? 0, value: record.value ?? 0,
                    address: try record.address.map { value throws(Malformed) in try hex(value, "address") } ?? 0))
        case "stopped": return .stopped(signal: try need(record.signal, "signal"))
        case "clone":
            return .clone(
                CloneEdge(
                    child: try need(record.child, "child"), process: try need(record.process, "process"),
                    flags: try hex(try need(record.flags, "flags"), "flags")))
        case "exec":
            let path = try need(record.path, "path")
            return .exec(path: try bytes(path.text, path.base64), formerThread: try need(record.former, "former"))
        case "exit": return .exit(WaitStatus(rawValue: try need(record.status, "status")))
        case "processExit": return .processExit(WaitStatus(rawValue: try need(record.status, "status")))
        case let other: throw Malformed(sentence: "unknown event '\(other.prefix(40))'")
        }
    }

    private func call(_ record: Record) throws(Malformed) -> TracedCall {
        let words = try need(record.args, "args")
        guard words.count <= 6 else { throw Malformed(sentence: "a call with \(words.count) arguments") }
        var registers: [UInt64] = []
        for word in words { registers.append(try hex(word, "args")) }
        var payloads: [TracePayload] = []
        for payload in record.payloads ?? [] {
            let part = TracePayload.Part.allCases.first { "\($0)" == payload.part }
            payloads.append(
                TracePayload(
                    parameter: try need(payload.parameter, "parameter"), part: try need(part, "part"),
                    isOutput: payload.out ?? false, isReadable: !(payload.unreadable ?? false),
                    count: payload.count ?? 0, fullLength: payload.length,
                    bytes: try bytes(payload.text, payload.base64)))
        }
        return TracedCall(
            number: try need(record.number, "number"), arguments: CallArguments(registers), payloads: payloads)
    }

    private func bytes(_ text: String?, _ base64: String?) throws(Malformed) -> [UInt8] {
        if let text { return Array(text.utf8) }
        guard let base64, let data = Data(base64Encoded: base64) else {
            throw Malformed(sentence: "bytes that are neither 'text' nor valid 'base64'")
        }
        return [UInt8](data)
    }

    private func hex(_ text: String, _ field: String) throws(Malformed) -> UInt64 {
        guard text.hasPrefix("0x"), let value = UInt64(text.dropFirst(2), radix: 16) else {
            throw Malformed(sentence: "'\(field)' is not a hexadecimal number: '\(text.prefix(40))'")
        }
        return value
    }

    private func need<T>(_ value: T?, _ field: String) throws(Malformed) -> T {
        guard let value else { throw Malformed(sentence: "no valid '\(field)'") }
        return value
    }

    private static func sentence(_ error: any Error) -> String {
        switch error as? DecodingError {
        case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?:
            "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' has the wrong type"
        default: "not JSON"
        }
    }
}

/// Everything that a line may hold.
private struct Record: Decodable {
    var version: Int?
    var architecture: String?
    var subject: String?
    var event: String?
    var events: UInt64?
    var seq: UInt64?
    var time: Int64?
    var pid: Int32?
    var tid: Int32?
    var stack: UInt32?
    var number: Int?
    var args: [String]?
    var result: Int64?
    var reason: String?
    var payloads: [Payload]?
    var signal: Int32?
    var code: Int32?
    var sender: Int32?
    var value: Int32?
    var address: String?
    var child: Int32?
    var process: Int32?
    var flags: String?
    var path: Text?
    var former: Int32?
    var status: Int32?

    enum CodingKeys: String, CodingKey {
        case version = "apus-trace"
        case architecture, subject, event, events, seq, time, pid, tid, stack, number, args, result, reason, payloads
        case signal, code, sender, value, address, child, process, flags, path, former, status
    }

    struct Text: Decodable {
        var text: String?
        var base64: String?
    }

    struct Payload: Decodable {
        var parameter: UInt8?
        var part: String?
        var out: Bool?
        var unreadable: Bool?
        var count: UInt32?
        var length: UInt64?
        var text: String?
        var base64: String?
    }
}
