/// Some of a machine's first 256 processors: as many as a stub can tell apart.
struct ProcessorSet: Equatable, Sendable {
    private var bits: SIMD4<UInt64> = .zero

    init() {}

    /// From the host's mask.
    init(words: [UInt64]) { for (index, word) in words.prefix(4).enumerated() { bits[index] = word } }

    init(_ processors: some Sequence<Int>) { for processor in processors { insert(processor) } }

    /// As a mask for the host.
    var words: [UInt64] { (0..<4).map { bits[$0] } }

    var isEmpty: Bool { bits == .zero }
    var count: Int { (0..<4).reduce(0) { $0 + bits[$1].nonzeroBitCount } }

    private static func isValid(_ processor: Int) -> Bool { processor >= 0 && processor < 256 }

    func contains(_ processor: Int) -> Bool {
        ProcessorSet.isValid(processor) && bits[processor / 64] & 1 << UInt64(processor % 64) != 0
    }

    mutating func insert(_ processor: Int) {
        if ProcessorSet.isValid(processor) { bits[processor / 64] |= 1 << UInt64(processor % 64) }
    }

    mutating func remove(_ processor: Int) {
        if ProcessorSet.isValid(processor) { bits[processor / 64] &= ~(1 << UInt64(processor % 64)) }
    }

    func subtracting(_ other: ProcessorSet) -> ProcessorSet {
        var rest = self
        rest.bits &= ~other.bits
        return rest
    }
}
