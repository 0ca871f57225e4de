internal import Trace

/// Replaces what differs from run to run by symbols: numbers of processes by their place in the clone tree, addresses by
/// what is mapped there, inodes, devices, times and random bytes by their kind.
struct Symbolizer {
    /// The label of a live process or thread; nil for one outside of the trace.
    let label: (Int32) -> String?
    let space: AddressSpace
    /// Whether addresses are told by their mapping. For buffers that would compare the layout of stacks and heaps.
    let tellsMappings: Bool
    /// What brk(2) was asked for: how far a heap grows depends on where it starts, so only whether it grew is told.
    var askedBreak: UInt64?
    /// Texts that stand for something that each run has its own of, such as its working directory.
    let aliases: [(text: [UInt8], symbol: [UInt8])]

    func symbolize(_ value: Decoded) -> Decoded {
        switch value {
        case .scalar(let text, let kind): return .scalar(symbol(text, kind), kind)
        case .bytes(let bytes, let fullLength, let kind):
            if kind == .random { return .scalar("random[\(fullLength)]") }
            guard !aliases.isEmpty else { return value }
            let replaced = Symbolizer.replace(aliases, in: bytes)
            return .bytes(replaced, fullLength: fullLength &+ UInt64(replaced.count) &- UInt64(bytes.count), kind)
        case .structure(let fields): return .structure(fields.map { $0.map(symbolize) })
        case .list(let elements, let isCut): return .list(elements.map(symbolize), isCut: isCut)
        }
    }

    private func symbol(_ text: String, _ kind: ValueKind) -> String {
        switch kind {
        case .plain, .descriptor: return text
        case .address(let address):
            if address == 0 { return "NULL" }
            // The last 4096 numbers are -1 and its like.
            if address > UInt64.max - 4096 { return text }
            if let askedBreak { return askedBreak == 0 || askedBreak == address ? "HEAP" : "HEAP (not moved)" }
            guard tellsMappings else { return "ADDRESS" }
            return space.symbol(address) ?? "ADDRESS"
        case .process(let number):
            if number == 0 || number == -1 { return text }
            if number <= -2, number != .min { return "-" + (label(-number) ?? "OUTSIDE") }
            return label(number) ?? "OUTSIDE"
        case .inode: return "INODE"
        case .device: return "DEVICE"
        case .time: return text == "0" ? text : "TIME"
        case .random: return "RANDOM"
        case .usage: return "USAGE"
        case .idle: return "IDLE"
        }
    }

    /// Every occurrence of the aliases' texts by their symbols.
    static func replace(_ aliases: [(text: [UInt8], symbol: [UInt8])], in bytes: [UInt8]) -> [UInt8] {
        var result = bytes
        for (text, symbol) in aliases where !text.isEmpty && result.count >= text.count {
            var output: [UInt8] = []
            var index = 0
            var found = false
            while index < result.count {
                if result[index] == text[0], result[index...].starts(with: text) {
                    output += symbol
                    index += text.count
                    found = true
                } else {
                    output.append(result[index])
                    index += 1
                }
            }
            if found { result = output }
        }
        return result
    }
}
