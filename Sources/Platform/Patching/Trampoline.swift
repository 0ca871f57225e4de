internal import LinuxABI
internal import Stub

/// The code between a patched site and the stub, one slot for each site. It changes no flag and no register that a system
/// call keeps.
struct Trampoline {
    /// Bytes from one slot to the next.
    static let size: UInt = 128
    /// What an `overMove` jump enters by: the `mov` that it stands for.
    static let moveOffset: UInt = 3
    /// What an island's jump enters by: the number is in %rax.
    static let callOffset: UInt = 8
    /// From here on in a slot with a local answer, %rax may be another than the number.
    static let answerOffset: UInt = callOffset + 9 + UInt(generalSize)

    var slot: UInt
    /// The address after the site's `syscall`.
    var resume: UInt
    var number: UInt32
    /// The call's place among the process's local answers; nil for one that the kernel must hear of.
    var answer: Int?

    /// The slot's bytes; nil where the site is out of reach.
    var code: [UInt8]? {
        guard Trampoline.distance(from: slot, to: resume) != nil else { return nil }
        var code: [UInt8] = [0xcc, 0xcc, 0xcc, 0xb8] + Trampoline.bytes(number)
        if let answer {
            // Whoever comes with another number goes the general way: lea -number(%rax), %ecx; jecxz over it.
            code += [0x8d, 0x88] + Trampoline.bytes(0 &- number) + [0x67, 0xe3, UInt8(Trampoline.generalSize)]
            general(&code)
            let entry = UInt64(APUS_STUB_ANSWERS) + UInt64(answer * MemoryLayout<apus_local_answer>.size)
            // movabs is_valid, %rax; xchg %rax, %rcx; jrcxz asking; movabs value, %rax
            code += [0x48, 0xa1] + Trampoline.bytes(entry) + [0x48, 0x91, 0xe3, 22]
            code += [0x48, 0xa1] + Trampoline.bytes(entry + 8)
            loadResume(&code)
            code += [0xe9] + Trampoline.bytes(relative(to: resume, after: code.count + 5))
            // asking: mov $number, %eax; jmp to the general way
            code += [0xb8] + Trampoline.bytes(number)
            let back = Int8(truncatingIfNeeded: Int(Trampoline.callOffset) + 9 - (code.count + 2))
            code += [0xeb, UInt8(bitPattern: back)]
        } else {
            general(&code)
        }
        return code + [UInt8](repeating: 0xcc, count: max(0, Int(Trampoline.size) - code.count))
    }

    private static let generalSize = 21

    /// lea resume(%rip), %rcx; jmp *(%rip) to the stub.
    private func general(_ code: inout [UInt8]) {
        loadResume(&code)
        code += [0xff, 0x25, 0, 0, 0, 0] + Trampoline.bytes(apus_stub_call_entry())
    }

    private func loadResume(_ code: inout [UInt8]) {
        code += [0x48, 0x8d, 0x0d] + Trampoline.bytes(relative(to: resume, after: code.count + 7))
    }

    private func relative(to target: UInt, after offset: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: target &- (slot &+ UInt(offset)))
    }

    /// A jump of five bytes at `address`; nil where the target is out of reach.
    static func jump(at address: UInt, to target: UInt) -> [UInt8]? {
        distance(from: address &+ 5, to: target).map { [0xe9] + bytes(UInt32(bitPattern: $0)) }
    }

    /// How far a target is, with a slot's size to spare at both ends; nil beyond what 32 bits hold.
    static func distance(from source: UInt, to target: UInt) -> Int32? {
        guard let whole = Int32(exactly: Int(bitPattern: target &- source)), whole.magnitude < 1 << 31 - 4096 else {
            return nil
        }
        return whole
    }

    static func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
}
