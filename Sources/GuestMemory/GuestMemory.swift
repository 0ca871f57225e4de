package import LinuxABI

/// The memory of one guest process, as the kernel may touch it: by copying.
package protocol GuestMemory: AnyObject {
    /// Appends `count` bytes at `address` to `output`, which has room for them. Throws EFAULT, with what could be read
    /// appended.
    func read(_ count: Int, at address: UInt, into output: inout OutputSpan<UInt8>) throws(Errno)
    /// Writes all bytes, or as many as can be before EFAULT is thrown.
    func write(_ bytes: Span<UInt8>, at address: UInt) throws(Errno)
    /// How many bytes at the address are cheaper to read now than any others; 0 when it makes no difference.
    func cachedCount(at address: UInt) -> Int
    /// Puts what `body` appends, at most `capacity` bytes, straight where the guest gets it from, as if it had been written.
    /// Nil where that is not to be had; then nothing has happened.
    func produce(
        _ capacity: Int, at address: UInt, _ body: (inout OutputSpan<UInt8>) throws(Errno) -> Void
    ) throws(Errno) -> Int?
    /// A result of so many bytes comes soon: the way there takes a while.
    func prepareResult(_ count: Int)
    /// The bytes before the first NUL at the address, fewer than `limit`, where they are at hand; otherwise nil.
    func stringAtHand(_ address: UInt, limit: Int) -> [UInt8]?
}

extension GuestMemory {
    package func cachedCount(at address: UInt) -> Int { 0 }

    package func produce(
        _ capacity: Int, at address: UInt, _ body: (inout OutputSpan<UInt8>) throws(Errno) -> Void
    ) throws(Errno) -> Int? { nil }

    package func stringAtHand(_ address: UInt, limit: Int) -> [UInt8]? { nil }

    package func prepareResult(_ count: Int) {}
}

/// A guest memory backed by one array that starts at `base`, for tests.
package final class FlatMemory: GuestMemory {
    package let base: UInt
    package private(set) var bytes: [UInt8]

    package init(size: Int, base: UInt = 0) {
        self.base = base
        bytes = [UInt8](repeating: 0, count: size)
    }

    package func read(_ count: Int, at address: UInt, into output: inout OutputSpan<UInt8>) throws(Errno) {
        for index in try range(at: address, count: count) { output.append(bytes[index]) }
    }

    package func write(_ source: Span<UInt8>, at address: UInt) throws(Errno) {
        let range = try range(at: address, count: source.count)
        for offset in source.indices { bytes[range.lowerBound + offset] = source[offset] }
    }

    private func range(at address: UInt, count: Int) throws(Errno) -> Range<Int> {
        let (start, below) = address.subtractingReportingOverflow(base)
        let (end, above) = start.addingReportingOverflow(UInt(count))
        guard !below, !above, end <= UInt(bytes.count) else { throw .EFAULT }
        return Int(start)..<Int(end)
    }
}
