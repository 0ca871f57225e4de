/// How long an instruction of 64-bit code is, and whether code goes on after it. Knows what compilers write, and gives up on
/// anything else (AMD64 Architecture Programmer's Manual, volume 3, appendix A).
struct InstructionDecoder {
    enum Kind: Equatable {
        /// Padding: a NOP of any length, or `int3`.
        case padding
        /// Nothing falls through it: a return, an unconditional jump, `ud2`, `hlt`.
        case end
        case other
    }

    struct Instruction: Equatable {
        var length: Int
        var kind: Kind
    }

    private let bytes: [UInt8]
    private var position = 0
    private var hasOperandSize = false
    private var hasAddressSize = false
    private var hasRepeat = false
    private var isWide = false

    private init(_ bytes: [UInt8], at start: Int) {
        self.bytes = bytes
        position = start
    }

    /// The instruction at an index; nil where it is unknown or leaves the bytes.
    static func decode(_ bytes: [UInt8], at start: Int) -> Instruction? {
        guard start >= 0, start < bytes.count else { return nil }
        var decoder = InstructionDecoder(bytes, at: start)
        guard let kind = decoder.run(), decoder.position <= bytes.count, decoder.position - start <= 15 else {
            return nil
        }
        return Instruction(length: decoder.position - start, kind: kind)
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take() -> UInt8? {
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func run() -> Kind? {
        prefixes: while let byte = current {
            switch byte {
            case 0x66: hasOperandSize = true
            case 0x67: hasAddressSize = true
            case 0xf2: break
            case 0xf3: hasRepeat = true
            case 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0xf0: break
            default: break prefixes
            }
            position += 1
        }
        if let byte = current, byte & 0xf0 == 0x40 {
            isWide = byte & 8 != 0
            position += 1
        }
        guard let opcode = take() else { return nil }
        switch opcode {
        case 0x0f: return twoByte()
        case 0xc4, 0xc5, 0x62: return vector(opcode)
        default: return oneByte(opcode)
        }
    }

    /// A 16-bit or 32-bit immediate.
    private var immediateSize: Int { hasOperandSize && !isWide ? 2 : 4 }

    private mutating func oneByte(_ opcode: UInt8) -> Kind? {
        switch opcode {
        case 0x00...0x3f:
            switch opcode & 7 {
            case 0...3: return modRM()
            case 4: return skip(1)
            case 5: return skip(immediateSize)
            default: return nil
            }
        case 0x50...0x5f, 0x91...0x99, 0x9b...0x9f, 0xa4...0xa7, 0xaa...0xaf, 0x6c...0x6f: return .other
        case 0x90: return hasRepeat ? .other : .padding
        case 0x63, 0x84...0x8f, 0xd0...0xd3, 0xd8...0xdf, 0xfe: return modRM()
        case 0xff:
            // jmp through a register or memory: /4, /5.
            let operation = (current ?? 0) >> 3 & 7
            guard modRM() != nil else { return nil }
            return operation == 4 || operation == 5 ? .end : .other
        case 0x68, 0xa9: return skip(immediateSize)
        case 0x69, 0x81, 0xc7: return modRM(then: immediateSize)
        case 0x6a, 0xa8, 0xb0...0xb7, 0x70...0x7f, 0xcd, 0xe0...0xe7: return skip(1)
        case 0x6b, 0x80, 0x83, 0xc0, 0xc1, 0xc6: return modRM(then: 1)
        case 0xa0...0xa3: return skip(hasAddressSize ? 4 : 8)
        case 0xb8...0xbf: return skip(isWide ? 8 : immediateSize)
        case 0xc2: return skip(2).map { _ in .end }
        case 0xc3, 0xf4: return .end
        case 0xc8: return skip(3)
        case 0xc9, 0xd7, 0xec...0xef, 0xf1, 0xf5, 0xf8...0xfd: return .other
        case 0xcc: return .padding
        case 0xe8: return skip(4)
        case 0xe9: return skip(4).map { _ in .end }
        case 0xeb: return skip(1).map { _ in .end }
        case 0xf6, 0xf7:
            // test has an immediate, the others of the group have none.
            let hasImmediate = (current ?? 0) >> 3 & 7 < 2
            return modRM(then: hasImmediate ? (opcode == 0xf6 ? 1 : immediateSize) : 0)
        default: return nil
        }
    }

    private mutating func twoByte() -> Kind? {
        guard let opcode = take() else { return nil }
        switch opcode {
        case 0x38: return take().flatMap { _ in modRM() }
        case 0x3a: return take().flatMap { _ in modRM(then: 1) }
        case 0x0b: return .end
        case 0x05...0x09, 0x30...0x37, 0x77, 0xa0...0xa2, 0xa8...0xaa, 0xc8...0xcf: return .other
        case 0x1f: return modRM().map { _ in .padding }
        case 0x00...0x03, 0x0d, 0x10...0x1e, 0x20...0x23, 0x28...0x2f, 0x40...0x6f, 0x74...0x76, 0x78...0x7f,
            0x90...0x9f, 0xa3, 0xa5, 0xab, 0xad...0xaf, 0xb0...0xb9, 0xbb...0xc1, 0xc3, 0xc7, 0xd0...0xff:
            return modRM()
        case 0x70...0x73, 0xa4, 0xac, 0xba, 0xc2, 0xc4...0xc6: return modRM(then: 1)
        case 0x80...0x8f: return skip(4)
        default: return nil
        }
    }

    /// VEX and EVEX prefixes, which name the opcode's map.
    private mutating func vector(_ prefix: UInt8) -> Kind? {
        var map: UInt8 = 1
        guard let first = take() else { return nil }
        switch prefix {
        case 0xc4:
            map = first & 0x1f
            guard take() != nil else { return nil }
        case 0x62:
            map = first & 7
            guard take() != nil, take() != nil else { return nil }
        default: break
        }
        guard let opcode = take() else { return nil }
        switch map {
        case 1:
            if opcode == 0x77 { return .other }
            let hasImmediate = (0x70...0x73).contains(opcode) || opcode == 0xc2 || (0xc4...0xc6).contains(opcode)
            return modRM(then: hasImmediate ? 1 : 0)
        case 2: return modRM()
        case 3: return modRM(then: 1)
        default: return nil
        }
    }

    private mutating func skip(_ count: Int) -> Kind? {
        position += count
        return position <= bytes.count ? .other : nil
    }

    /// The ModRM byte with what it asks for, then an immediate.
    private mutating func modRM(then immediate: Int = 0) -> Kind? {
        guard let byte = take() else { return nil }
        let mode = byte >> 6
        let register = byte & 7
        if mode != 3 {
            if register == 4 {
                guard let scale = take() else { return nil }
                if mode == 0, scale & 7 == 5 { position += 4 }
            } else if mode == 0, register == 5 {
                position += 4
            }
            if mode == 1 { position += 1 }
            if mode == 2 { position += 4 }
        }
        return skip(immediate)
    }
}
