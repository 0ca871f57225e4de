import TraceModel

/// A generator with a fixed seed: the same numbers on every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}

/// Events of every kind, with extreme values among them.
enum RandomEvents {
    static func make(_ count: Int, seed: UInt64) -> [TraceEvent] {
        var generator = SeededGenerator(seed)
        return (0..<count).map { index in
            TraceEvent(
                sequence: UInt64(index),
                time: Bool.random(using: &generator) ? .random(in: .min ... .max, using: &generator) : nil,
                process: int32(&generator), thread: int32(&generator), kind: kind(&generator),
                stack: Bool.random(using: &generator) ? .random(in: 0 ... .max, using: &generator) : nil)
        }
    }

    static func int32(_ generator: inout SeededGenerator) -> Int32 {
        [0, 1, -1, .max, .min, .random(in: 0...40000, using: &generator)].randomElement(using: &generator) ?? 0
    }

    static func uint64(_ generator: inout SeededGenerator) -> UInt64 {
        [0, 1, .max, 1 << 63, .random(in: 0 ... .max, using: &generator), .random(in: 0...300, using: &generator)]
            .randomElement(using: &generator) ?? 0
    }

    static func bytes(_ generator: inout SeededGenerator) -> [UInt8] {
        let count = Int.random(in: 0...60, using: &generator)
        let isText = Bool.random(using: &generator)
        return (0..<count).map { _ in
            isText ? UInt8.random(in: 0x20...0x7e, using: &generator) : .random(in: 0 ... .max, using: &generator)
        }
    }

    static func call(_ generator: inout SeededGenerator) -> TracedCall {
        let payloads = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
            let bytes = bytes(&generator)
            return TracePayload(
                parameter: .random(in: 0...5, using: &generator),
                part: TracePayload.Part.allCases.randomElement(using: &generator) ?? .direct,
                isOutput: .random(using: &generator), isReadable: .random(using: &generator),
                count: .random(in: 0 ... .max, using: &generator),
                fullLength: Bool.random(using: &generator) ? UInt64(bytes.count) : uint64(&generator), bytes: bytes)
        }
        let number = [0, 1, 59, 231, -1, 500, TracedCall.foreignBase + 4, Int(int32(&generator))]
        return TracedCall(
            number: number.randomElement(using: &generator) ?? 0,
            arguments: CallArguments((0..<6).map { _ in uint64(&generator) }), payloads: payloads)
    }

    static func kind(_ generator: inout SeededGenerator) -> TraceEvent.Kind {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: .unfinished(call(&generator), UnfinishedReason.allCases.randomElement(using: &generator) ?? .ended)
        case 1:
            .signal(
                TracedSignal(
                    number: int32(&generator), code: int32(&generator), sender: int32(&generator),
                    value: int32(&generator), address: uint64(&generator)))
        case 2: .stopped(signal: int32(&generator))
        case 3:
            .clone(CloneEdge(child: int32(&generator), process: int32(&generator), flags: uint64(&generator)))
        case 4: .exec(path: bytes(&generator), formerThread: int32(&generator))
        case 5: .exit(WaitStatus(rawValue: int32(&generator)))
        case 6: .processExit(WaitStatus(rawValue: int32(&generator)))
        default: .call(call(&generator), result: CallResult(Int64(bitPattern: uint64(&generator))))
        }
    }
}
