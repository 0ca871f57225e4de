internal import HostSystem
internal import LinuxABI

/// An XSAVE area in standard format, with the software bytes that a signal frame has at 464.
struct FloatingPointState {
    static let legacySize = 512
    private static let headerSize = 64
    /// Protection keys: a handler keeps the rights that the process set.
    private static let protectionKeys: UInt64 = 1 << 9

    private let bytes: [UInt8]
    private let features: UInt64

    /// Nil for bytes that are no such area.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= FloatingPointState.legacySize + FloatingPointState.headerSize else { return nil }
        self.bytes = bytes
        var reader = ByteReader(bytes, from: FloatingPointSoftwareBytes.offset)
        let software = FloatingPointSoftwareBytes(from: &reader)
        features = software.magic == FloatingPointSoftwareBytes.magic1 ? software.features : ~0
    }

    /// The state and its closing magic number, as a signal frame has them.
    var frameBytes: [UInt8] {
        var writer = ByteWriter(capacity: bytes.count + 4)
        writer.put(bytes)
        writer.put(FloatingPointSoftwareBytes.magic2)
        return writer.bytes
    }

    /// What a handler starts with.
    var initial: [UInt8] {
        let software = FloatingPointSoftwareBytes.offset
        var fresh = [UInt8](capacity: bytes.count) { output in
            output.append(repeating: 0, count: 28)
            output.append(copying: bytes.span.extracting(28..<32))
            output.append(repeating: 0, count: software - 32)
            output.append(copying: bytes.span.extracting(droppingFirst: software))
        }
        fresh[0] = 0x7f
        fresh[1] = 0x03
        fresh[24] = 0x80
        fresh[25] = 0x1f
        var reader = ByteReader(bytes, from: FloatingPointState.legacySize)
        setHeader(&fresh, present: reader.take() & FloatingPointState.protectionKeys)
        return fresh
    }

    /// How many bytes of extended state the frame's software bytes promise; nil if they are not as the kernel writes them.
    func acceptedSize(_ software: FloatingPointSoftwareBytes) -> Int? {
        let size = Int(software.stateSize)
        guard software.magic == FloatingPointSoftwareBytes.magic1,
            size >= FloatingPointState.legacySize + FloatingPointState.headerSize, size <= bytes.count,
            size <= Int(software.extendedSize)
        else { return nil }
        return size
    }

    /// A state to load from a guest's bytes, of which only `features` count. Throws EFAULT for what `xrstor` refuses.
    func loaded(from guest: [UInt8], features wanted: UInt64) throws(Errno) -> [UInt8] {
        var reader = ByteReader(guest, from: 24)
        let control: UInt32 = reader.take()
        guard control & ~controlMask == 0 else { throw .EFAULT }
        var present: UInt64 = 3
        if guest.count > FloatingPointState.legacySize {
            reader = ByteReader(guest, from: FloatingPointState.legacySize)
            present = reader.take()
            let compaction: UInt64 = reader.take()
            let reserved: UInt64 = reader.take()
            guard present & ~features == 0, compaction == 0, reserved == 0 else { throw .EFAULT }
        }
        guard guest.count >= FloatingPointState.legacySize else { throw .EFAULT }
        let end = min(guest.count, bytes.count)
        var result = [UInt8](capacity: bytes.count) { output in
            // mxcsr_mask and the software bytes are the kernel's own.
            output.append(copying: guest.span.extracting(0..<28))
            output.append(copying: bytes.span.extracting(28..<32))
            output.append(copying: guest.span.extracting(32..<FloatingPointSoftwareBytes.offset))
            output.append(
                copying: bytes.span.extracting(FloatingPointSoftwareBytes.offset..<FloatingPointState.legacySize))
            output.append(copying: guest.span.extracting(FloatingPointState.legacySize..<end))
            output.append(copying: bytes.span.extracting(droppingFirst: end))
        }
        setHeader(&result, present: present & wanted & features)
        return result
    }

    /// The bits of mxcsr that the processor has.
    private var controlMask: UInt32 {
        var reader = ByteReader(bytes, from: 28)
        let mask: UInt32 = reader.take()
        return mask == 0 ? 0xffff : mask
    }

    private func setHeader(_ area: inout [UInt8], present: UInt64) {
        for index in 0..<FloatingPointState.headerSize {
            area[FloatingPointState.legacySize + index] =
                index < 8 ? UInt8(truncatingIfNeeded: present >> UInt64(8 * index)) : 0
        }
    }
}
