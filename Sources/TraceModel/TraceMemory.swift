/// How the payload planner reads the traced program's memory.
package protocol TraceMemory: ~Copyable {
    /// Appends the `count` bytes at `address`, or as many from its start as can be read.
    /// - Returns: how many.
    mutating func read(_ count: Int, at address: UInt64, into bytes: inout [UInt8]) -> Int
}

extension TraceMemory where Self: ~Copyable {
    /// Nil if not all of it can be read.
    mutating func word<T: FixedWidthInteger>(_: T.Type, at address: UInt64) -> T? {
        var bytes: [UInt8] = []
        let size = T.bitWidth / 8
        guard read(size, at: address, into: &bytes) == size else { return nil }
        return Self.integer(T.self, in: bytes, at: 0)
    }

    /// A little-endian number in some bytes; nil past their end.
    static func integer<T: FixedWidthInteger>(_: T.Type, in bytes: [UInt8], at offset: Int) -> T? {
        let size = T.bitWidth / 8
        guard offset >= 0, offset + size <= bytes.count else { return nil }
        var value: UInt64 = 0
        for index in 0..<size { value |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
        return T(truncatingIfNeeded: value)
    }

    /// Appends a string without its NUL, cut at `limit` bytes.
    /// - Returns: whether its end was found, and whether the memory could be read up to there or the limit.
    mutating func string(
        at address: UInt64, limit: Int, into bytes: inout [UInt8]
    ) -> (isWhole: Bool, isReadable: Bool) {
        let start = bytes.count
        var next = address
        while bytes.count - start <= limit {
            // Never past a page's end in one read: the string may end just before memory that is not there.
            let inPage = Int(4096 - next % 4096)
            let wanted = min(inPage, limit + 1 - (bytes.count - start), 256)
            let from = bytes.count
            let got = read(wanted, at: next, into: &bytes)
            if let end = bytes[from...].firstIndex(of: 0) {
                bytes.removeSubrange(end...)
                return (true, true)
            }
            guard got == wanted else { return (false, false) }
            let (following, overflow) = next.addingReportingOverflow(UInt64(got))
            guard !overflow else { return (false, false) }
            next = following
            if bytes.count - start > limit { break }
        }
        bytes.removeSubrange((start + limit)...)
        return (false, true)
    }
}
