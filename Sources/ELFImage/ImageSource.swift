package import LinuxABI

/// Where an image's bytes come from. The loader asks for a few bounded pieces, never for the whole file.
package protocol ImageSource {
    /// Up to `count` bytes at `offset`; fewer only at the end of the file.
    func read(at offset: UInt64, count: Int) throws(Errno) -> [UInt8]
}

/// An image in memory, for tests.
package struct BytesSource: ImageSource {
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package func read(at offset: UInt64, count: Int) throws(Errno) -> [UInt8] {
        guard offset < UInt64(bytes.count), count > 0 else { return [] }
        let start = Int(offset)
        return Array(bytes[start..<min(bytes.count, start + min(count, bytes.count))])
    }
}

extension ImageSource {
    /// Exactly `count` bytes. Throws `short` when the file ends before.
    func readAll(at offset: UInt64, count: Int, short: Errno) throws(Errno) -> [UInt8] {
        let bytes = try read(at: offset, count: count)
        guard bytes.count == count else { throw short }
        return bytes
    }
}
