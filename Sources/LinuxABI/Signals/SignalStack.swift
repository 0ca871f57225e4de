/// `stack_t` of `sigaltstack(2)`: 24 bytes on x86-64.
package struct SignalStack: GuestStructure, Hashable, Sendable {
    /// `SS_ONSTACK`, `SS_DISABLE`, `SS_AUTODISARM`.
    package static let onStack: UInt32 = 1
    package static let disable: UInt32 = 2
    package static let autoDisarm: UInt32 = 1 << 31

    package var base: UInt
    package var flags: UInt32
    package var length: UInt

    package init(base: UInt, flags: UInt32, length: UInt) {
        self.base = base
        self.flags = flags
        self.length = length
    }

    package static var size: Int { 24 }

    package init(from reader: inout ByteReader) {
        base = reader.take()
        flags = reader.take()
        reader.skip(4)
        length = reader.take()
    }

    package func encode(to writer: inout ByteWriter) {
        writer.put(base)
        writer.put(flags)
        writer.pad(4)
        writer.put(length)
    }
}
