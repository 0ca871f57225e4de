internal import Foundation
internal import LinuxABI
internal import TraceModel

/// Writes events as JSON, one a line. The schema is in this folder's README.
struct JSONLinesEncoder {
    static let version = 1
    private let decoder: CallDecoder

    init(table: SyscallTable) { decoder = CallDecoder(table: table) }

    func start(_ header: TraceHeader, into output: inout [UInt8]) {
        put(
            "{\"apus-trace\":\(Self.version),\"architecture\":\"\(header.architecture)\",\"subject\":\"\(header.subject)\"}\n",
            &output)
    }

    func finish(_ count: UInt64, into output: inout [UInt8]) {
        put("{\"event\":\"end\",\"events\":\(count)}\n", &output)
    }

    func encode(_ event: TraceEvent, into output: inout [UInt8]) {
        put("{\"seq\":\(event.sequence)", &output)
        if let time = event.time { put(",\"time\":\(time)", &output) }
        put(",\"pid\":\(event.process),\"tid\":\(event.thread)", &output)
        if let stack = event.stack { put(",\"stack\":\(stack)", &output) }
        switch event.kind {
        case .call(let call, let result):
            put(call, as: "call", &output)
            put(",\"result\":\(result.rawValue)", &output)
            if let error = result.errorNumber {
                put(",\"error\":\"\(ErrnoText.internalName(error) ?? Errno(rawValue: error).name)\"", &output)
            }
            put(call.payloads, &output)
        case .unfinished(let call, let reason):
            put(call, as: "unfinished", &output)
            put(",\"reason\":\"\(reason)\"", &output)
            put(call.payloads, &output)
        case .signal(let signal):
            put(
                ",\"event\":\"signal\",\"signal\":\(signal.number),\"code\":\(signal.code),\"sender\":\(signal.sender)"
                    + ",\"value\":\(signal.value),\"address\":\"0x\(String(signal.address, radix: 16))\"", &output)
        case .stopped(let signal): put(",\"event\":\"stopped\",\"signal\":\(signal)", &output)
        case .clone(let edge):
            put(
                ",\"event\":\"clone\",\"child\":\(edge.child),\"process\":\(edge.process)"
                    + ",\"flags\":\"0x\(String(edge.flags, radix: 16))\"", &output)
        case .exec(let path, let former):
            put(",\"event\":\"exec\",\"former\":\(former),\"path\":{", &output)
            put(bytes: path, &output)
            put("}", &output)
        case .exit(let status): put(",\"event\":\"exit\",\"status\":\(status.rawValue)", &output)
        case .processExit(let status): put(",\"event\":\"processExit\",\"status\":\(status.rawValue)", &output)
        }
        put("}\n", &output)
    }

    private func put(_ call: TracedCall, as event: String, _ output: inout [UInt8]) {
        let registers = (0..<6).map { "\"0x" + String(call.arguments[$0], radix: 16) + "\"" }
        put(
            ",\"event\":\"\(event)\",\"number\":\(call.number),\"name\":\"\(decoder.name(of: call.number))\""
                + ",\"args\":[\(registers.joined(separator: ","))]", &output)
    }

    private func put(_ payloads: [TracePayload], _ output: inout [UInt8]) {
        guard !payloads.isEmpty else { return }
        put(",\"payloads\":[", &output)
        for (index, payload) in payloads.enumerated() {
            put("\(index == 0 ? "" : ","){\"parameter\":\(payload.parameter),\"part\":\"\(payload.part)\",", &output)
            if payload.isOutput { put("\"out\":true,", &output) }
            if !payload.isReadable { put("\"unreadable\":true,", &output) }
            if payload.count != 0 { put("\"count\":\(payload.count),", &output) }
            if payload.fullLength != UInt64(payload.bytes.count) { put("\"length\":\(payload.fullLength),", &output) }
            put(bytes: payload.bytes, &output)
            put("}", &output)
        }
        put("]", &output)
    }

    /// As `"text"` if every byte is ASCII text, else as `"base64"`.
    private func put(bytes: [UInt8], _ output: inout [UInt8]) {
        guard bytes.allSatisfy({ ($0 >= 0x20 && $0 < 0x7f) || $0 == 9 || $0 == 10 }) else {
            put("\"base64\":\"\(Data(bytes).base64EncodedString())\"", &output)
            return
        }
        put("\"text\":\"", &output)
        for byte in bytes {
            switch byte {
            case 0x22, 0x5c: output += [0x5c, byte]
            case 9: put("\\t", &output)
            case 10: put("\\n", &output)
            default: output.append(byte)
            }
        }
        put("\"", &output)
    }

    private func put(_ text: String, _ output: inout [UInt8]) { output.append(contentsOf: text.utf8) }
}
