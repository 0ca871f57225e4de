/// One component of a path: not empty, without a slash, at most 255 bytes.
///
/// It carries its hash, so that a name is looked through once however many tables it is looked up in.
package struct FileName: Hashable, Sendable, ExpressibleByStringLiteral {
    package let bytes: [UInt8]
    let hash: UInt64

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        hash = FileName.hash(of: bytes, in: bytes.indices)
    }

    /// A component of a path whose hash is known.
    init(_ path: [UInt8], _ range: Range<Int>, hash: UInt64) {
        bytes = Array(path[range])
        self.hash = hash
    }

    package init(_ text: StaticString) { self.init(Array(text.description.utf8)) }
    package init(stringLiteral text: StaticString) { self.init(text) }

    package static let maximum = 255

    package static func == (one: FileName, other: FileName) -> Bool {
        one.hash == other.hash && one.bytes == other.bytes
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(hash) }

    /// True if these are the name's bytes.
    func matches(_ path: [UInt8], _ range: Range<Int>) -> Bool {
        guard bytes.count == range.count else { return false }
        var index = range.lowerBound
        for byte in bytes {
            if byte != path[index] { return false }
            index += 1
        }
        return true
    }

    /// Drawn anew for each sandbox, or a guest could choose names that all meet in one place.
    private static let seed = UInt64.random(in: 0...UInt64.max)
    private static let factor = UInt64.random(in: 0...UInt64.max) | 1

    /// Never 0.
    static func hash(of bytes: [UInt8], in range: Range<Int>) -> UInt64 {
        var hash = seed
        for index in range { hash = (hash ^ UInt64(bytes[index])) &* 0x9e37_79b9_7f4a_7c15 }
        let (high, low) = (hash ^ UInt64(range.count)).multipliedFullWidth(by: factor)
        return (high ^ low) | 1
    }
}
