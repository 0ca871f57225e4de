/// A structure with a fixed layout in guest memory.
package protocol GuestStructure {
    /// In bytes, as the C compiler pads it.
    static var size: Int { get }
    /// Decodes `size` bytes.
    init(from reader: inout ByteReader)
    /// Appends `size` bytes.
    func encode(to writer: inout ByteWriter)
}

/// Takes little-endian values off the front of some bytes. Past the end it gives zeros: callers hand it enough.
package struct ByteReader {
    private let bytes: [UInt8]
    private var next: Int

    package init(_ bytes: [UInt8], from start: Int = 0) {
        self.bytes = bytes
        next = start
    }

    package var remaining: Int { max(0, bytes.count - next) }

    // Inlined, since a generic integer that is not specialised costs a witness call for each shift.
    @inlinable package mutating func take<T: FixedWidthInteger>(_: T.Type = T.self) -> T {
        T(truncatingIfNeeded: takeWord(T.bitWidth / 8))
    }

    /// The next `count` bytes, at most 8, as the low ones of a word.
    @usableFromInline package mutating func takeWord(_ count: Int) -> UInt64 {
        defer { next += count }
        if count == 8, next >= 0, next <= bytes.count - 8 {
            return ByteReader.word(bytes.span.extracting(next..<next + 8))
        }
        var value: UInt64 = 0
        for index in 0..<count where next + index < bytes.count {
            value |= UInt64(bytes[next + index]) &<< UInt64(8 * index)
        }
        return value
    }

    /// One load, where eight looks at bytes would be dear.
    private static func word(_ b: Span<UInt8>) -> UInt64 {
        let low = UInt64(b[0]) | UInt64(b[1]) &<< 8 | UInt64(b[2]) &<< 16 | UInt64(b[3]) &<< 24
        let high = UInt64(b[4]) | UInt64(b[5]) &<< 8 | UInt64(b[6]) &<< 16 | UInt64(b[7]) &<< 24
        return low | high &<< 32
    }

    package mutating func skip(_ count: Int) { next += count }

    package mutating func take(count: Int) -> [UInt8] {
        let end = min(bytes.count, next + count)
        defer { next += count }
        return next < end ? Array(bytes[next..<end]) : []
    }
}

/// Appends little-endian values to some bytes.
package struct ByteWriter {
    package private(set) var bytes: [UInt8] = []

    package init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    @inlinable package mutating func put<T: FixedWidthInteger>(_ value: T) {
        putWord(UInt64(truncatingIfNeeded: value), T.bitWidth / 8)
    }

    /// The low `count` bytes of a word, at most 8.
    @usableFromInline package mutating func putWord(_ word: UInt64, _ count: Int) {
        guard count == 8 else {
            for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: word &>> UInt64(8 * index))) }
            return
        }
        // Room is looked for once, not for each byte.
        bytes.append(addingCapacity: 8) { output in
            output.append(UInt8(truncatingIfNeeded: word))
            output.append(UInt8(truncatingIfNeeded: word &>> 8))
            output.append(UInt8(truncatingIfNeeded: word &>> 16))
            output.append(UInt8(truncatingIfNeeded: word &>> 24))
            output.append(UInt8(truncatingIfNeeded: word &>> 32))
            output.append(UInt8(truncatingIfNeeded: word &>> 40))
            output.append(UInt8(truncatingIfNeeded: word &>> 48))
            output.append(UInt8(truncatingIfNeeded: word &>> 56))
        }
    }

    package mutating func put(_ more: [UInt8]) { bytes.append(contentsOf: more) }

    /// Appends zeros.
    package mutating func pad(_ count: Int) { bytes.append(contentsOf: repeatElement(0, count: max(0, count))) }

    /// Appends zeros up to a total of `count` bytes.
    package mutating func pad(to count: Int) { pad(count - bytes.count) }
}

extension GuestStructure {
    package var encoded: [UInt8] {
        var writer = ByteWriter(capacity: Self.size)
        encode(to: &writer)
        return writer.bytes
    }
}

extension Timestamp: GuestStructure {
    package static var size: Int { 16 }

    package init(from reader: inout ByteReader) {
        self.init(seconds: reader.take(), nanoseconds: reader.take())
    }

    package func encode(to writer: inout ByteWriter) {
        writer.put(seconds)
        writer.put(nanoseconds)
    }

    /// True if `nanoseconds` is in 0..<1_000_000_000 and `seconds` is not negative: what Linux asks of an interval.
    package var isValidInterval: Bool { seconds >= 0 && nanoseconds >= 0 && nanoseconds < 1_000_000_000 }
}
