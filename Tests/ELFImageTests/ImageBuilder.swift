/// Builds small x86-64 ELF images whose every header field a test may set wrong.
struct ImageBuilder {
    struct Segment {
        var type: UInt32 = 1
        var flags: UInt32 = 5
        var offset: UInt64 = 0
        var address: UInt64 = 0
        var fileSize: UInt64 = 0
        var memorySize: UInt64 = 0
        var alignment: UInt64 = 4096
    }

    var type: UInt16 = 2
    var machine: UInt16 = 62
    var entry: UInt64 = 0
    var headerOffset: UInt64 = 64
    var entrySize: UInt16 = 56
    /// As many as there are segments, if nil.
    var count: UInt16?
    var segments: [Segment] = []
    /// Bytes by their place in the file.
    var contents: [(offset: Int, bytes: [UInt8])] = []
    /// The file's size; as much as the contents need, if nil.
    var size: Int?

    /// Where the code of `program` stands in the file.
    static let codeOffset = 0x400

    /// A program of one segment at an address (0 for a position-independent one) with some code at its entry.
    static func program(
        _ code: [UInt8], at address: UInt64 = 0x40_0000, interpreter: String? = nil
    ) -> ImageBuilder {
        var image = ImageBuilder()
        image.type = address == 0 ? 3 : 2
        image.entry = address + UInt64(codeOffset)
        image.contents = [(codeOffset, code)]
        let size = UInt64(codeOffset + code.count)
        image.segments = [Segment(address: address, fileSize: size, memorySize: size)]
        if let interpreter {
            let path = Array(interpreter.utf8) + [0]
            image.contents.append((0x300, path))
            image.segments.insert(
                Segment(
                    type: 3, flags: 4, offset: 0x300, address: address + 0x300, fileSize: UInt64(path.count),
                    memorySize: UInt64(path.count), alignment: 1), at: 0)
        }
        return image
    }

    var bytes: [UInt8] {
        func little(_ value: UInt64, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
        }
        var header: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
        header += little(UInt64(type), 2) + little(UInt64(machine), 2) + little(1, 4) + little(entry, 8)
        header += little(headerOffset, 8) + little(0, 8) + little(0, 4) + little(64, 2)
        header += little(UInt64(entrySize), 2) + little(UInt64(count ?? UInt16(segments.count)), 2)
        header += little(64, 2) + little(0, 4)
        var table: [UInt8] = []
        for segment in segments {
            table += little(UInt64(segment.type), 4) + little(UInt64(segment.flags), 4)
            for field in [
                segment.offset, segment.address, segment.address, segment.fileSize, segment.memorySize,
                segment.alignment,
            ] { table += little(field, 8) }
        }
        var file: [UInt8] = []
        func place(_ bytes: [UInt8], at offset: Int) {
            if file.count < offset + bytes.count {
                file += [UInt8](repeating: 0, count: offset + bytes.count - file.count)
            }
            file.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        }
        place(header, at: 0)
        if headerOffset < 1 << 20 { place(table, at: Int(headerOffset)) }
        for content in contents { place(content.bytes, at: content.offset) }
        if let size { file = Array(file.prefix(size)) + [UInt8](repeating: 0, count: max(0, size - file.count)) }
        return file
    }
}

/// Machine code for images that are run natively. Nothing but system calls: there is no C library.
enum Code {
    /// `exit(42)`.
    static let exit42: [UInt8] = [
        0xb8, 60, 0, 0, 0,  // mov eax, 60
        0xbf, 42, 0, 0, 0,  // mov edi, 42
        0x0f, 0x05,  // syscall
    ]

    /// Writes the stack pointer's eight bytes and then the stack up to its top to standard output, and exits with 42.
    static let dumpStack: [UInt8] =
        [
            0x48, 0x89, 0xe3,  // mov rbx, rsp
            0x54,  // push rsp
            0xb8, 1, 0, 0, 0,  // mov eax, 1
            0xbf, 1, 0, 0, 0,  // mov edi, 1
            0x48, 0x89, 0xe6,  // mov rsi, rsp
            0xba, 8, 0, 0, 0,  // mov edx, 8
            0x0f, 0x05,  // syscall
            0xb8, 1, 0, 0, 0,  // mov eax, 1
            0x48, 0x89, 0xde,  // mov rsi, rbx
            0xba, 0, 0, 0x10, 0,  // mov edx, 1 MiB: ends at the stack's top
            0x0f, 0x05,  // syscall
        ] + exit42

    /// Exits with 42 if the 16 bytes before 0x402000 are zeros, else with 1.
    static let checkZeros: [UInt8] = [
        0xbf, 42, 0, 0, 0,  // mov edi, 42
        0x48, 0x83, 0x3c, 0x25, 0xf0, 0x1f, 0x40, 0x00, 0,  // cmp qword [0x401ff0], 0
        0x75, 0x0b,  // jne wrong
        0x48, 0x83, 0x3c, 0x25, 0xf8, 0x1f, 0x40, 0x00, 0,  // cmp qword [0x401ff8], 0
        0x74, 0x05,  // je right
        0xbf, 1, 0, 0, 0,  // wrong: mov edi, 1
        0xb8, 60, 0, 0, 0,  // right: mov eax, 60
        0x0f, 0x05,  // syscall
    ]
}

/// A small generator of repeatable random numbers.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
