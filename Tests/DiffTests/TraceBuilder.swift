import LinuxABI
import TraceModel

@testable import Diff

/// Makes traces by hand, call by call.
struct TraceBuilder {
    var events: [TraceEvent] = []
    var process: Int32
    var thread: Int32
    /// What the kernel and the loader have chosen differently: added to every address.
    var base: UInt64

    init(process: Int32 = 100, base: UInt64 = 0x7f00_0000_0000) {
        self.process = process
        thread = process
        self.base = base
    }

    mutating func add(_ kind: TraceEvent.Kind) {
        events.append(TraceEvent(sequence: UInt64(events.count), process: process, thread: thread, kind: kind))
    }

    mutating func call(_ name: String, _ arguments: [UInt64] = [], _ result: Int64 = 0, _ payloads: [TracePayload] = [])
    {
        let number = SyscallTable.x86_64[name]?.number ?? -1
        add(
            .call(
                TracedCall(number: number, arguments: CallArguments(arguments), payloads: payloads),
                result: CallResult(result)))
    }

    mutating func open(_ path: String, _ result: Int64 = 3) {
        let payload = TracePayload(parameter: 1, part: .string, isOutput: false, bytes: Array(path.utf8))
        call("openat", [UInt64(bitPattern: -100), base, 0], result, [payload])
    }

    mutating func read(_ text: String, from descriptor: UInt64 = 3) {
        let bytes = Array(text.utf8)
        call(
            "read", [descriptor, base + 8, 4096], Int64(bytes.count),
            [TracePayload(parameter: 1, isOutput: true, bytes: bytes)])
    }

    mutating func write(_ text: String) {
        let bytes = Array(text.utf8)
        call(
            "write", [1, base + 16, UInt64(bytes.count)], Int64(bytes.count),
            [TracePayload(parameter: 1, isOutput: false, bytes: bytes)])
    }

    /// A fork, seen from the parent. The child is another thread of the trace.
    mutating func fork(_ child: Int32) {
        add(.clone(CloneEdge(child: child, process: child, flags: 17)))
        call("fork", [], Int64(child))
    }

    mutating func exit(_ code: Int32 = 0) {
        add(
            .unfinished(
                TracedCall(number: 231, arguments: CallArguments([UInt64(UInt32(bitPattern: code))])), .ended))
        add(.exit(WaitStatus(exitCode: code)))
        add(.processExit(WaitStatus(exitCode: code)))
    }

    /// Does something as another process.
    mutating func `as`(_ other: Int32, _ body: (inout TraceBuilder) -> Void) {
        let mine = (process, thread)
        (process, thread) = (other, other)
        body(&self)
        (process, thread) = mine
    }

    var run: RunRecord { RunRecord(events: .events(events), ending: .ended(WaitStatus(exitCode: 0))) }

    static func trace(process: Int32 = 100, base: UInt64 = 0x7f00_0000_0000, _ body: (inout TraceBuilder) -> Void)
        -> RunRecord
    {
        var builder = TraceBuilder(process: process, base: base)
        body(&builder)
        return builder.run
    }
}

/// A generator with a fixed seed (SplitMix64).
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
