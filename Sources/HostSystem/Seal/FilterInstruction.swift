/// Instructions of seccomp programs, as BPF has them: 8 bytes each, code (16), jump if true (8), jump if false (8),
/// constant (32). See `seccomp(2)`, and the kernel's `Documentation/networking/filter.rst`.
package enum FilterInstruction {
    /// Offsets in `struct seccomp_data`.
    package static let number: UInt32 = 0
    package static let architecture: UInt32 = 4
    package static let addressLow: UInt32 = 8
    package static let addressHigh: UInt32 = 12
    package static func argumentLow(_ index: Int) -> UInt32 { 16 + 8 * UInt32(truncatingIfNeeded: index) }
    package static func argumentHigh(_ index: Int) -> UInt32 { argumentLow(index) + 4 }

    /// AUDIT_ARCH_X86_64
    package static let x86_64: UInt32 = 0xc000_003e
    /// `SECCOMP_RET_ALLOW`.
    package static let allow: UInt32 = 0x7fff_0000
    /// `SECCOMP_RET_TRAP`: SIGSYS instead of the call.
    package static let trap: UInt32 = 0x0003_0000
    /// `SECCOMP_RET_USER_NOTIF`: the call waits for what the filter's listener says.
    package static let ask: UInt32 = 0x7fc0_0000

    private static func instruction(_ code: UInt16, _ constant: UInt32, _ yes: Int = 0, _ no: Int = 0) -> UInt64 {
        UInt64(code) | UInt64(UInt8(clamping: yes)) << 16 | UInt64(UInt8(clamping: no)) << 24 | UInt64(constant) << 32
    }

    /// A word of `struct seccomp_data` into the accumulator.
    package static func load(_ offset: UInt32) -> UInt64 { instruction(0x20, offset) }
    package static func and(_ bits: UInt32) -> UInt64 { instruction(0x54, bits) }
    package static func answer(_ action: UInt32) -> UInt64 { instruction(0x06, action) }

    /// Jumps are counted from the next instruction on, at most 255.
    package static func ifEqual(_ value: UInt32, _ yes: Int, else no: Int) -> UInt64 {
        instruction(0x15, value, yes, no)
    }
    package static func ifAbove(_ value: UInt32, _ yes: Int, else no: Int) -> UInt64 {
        instruction(0x25, value, yes, no)
    }
    package static func ifAtLeast(_ value: UInt32, _ yes: Int, else no: Int) -> UInt64 {
        instruction(0x35, value, yes, no)
    }
    package static func ifAnyBit(of bits: UInt32, _ yes: Int, else no: Int) -> UInt64 {
        instruction(0x45, bits, yes, no)
    }

    /// The accumulator to the index register, and what goes on between the two.
    package static let toIndex = instruction(0x07, 0)
    package static let addIndex = instruction(0x0c, 0)
    package static func ifAtLeastIndex(_ yes: Int, else no: Int) -> UInt64 { instruction(0x3d, 0, yes, no) }

    /// The words that a program has for itself, 0...15.
    package static func store(_ word: UInt32) -> UInt64 { instruction(0x02, word) }
    package static func recall(_ word: UInt32) -> UInt64 { instruction(0x60, word) }
    package static func recallIndex(_ word: UInt32) -> UInt64 { instruction(0x61, word) }
    package static func set(_ value: UInt32) -> UInt64 { instruction(0x00, value) }
    package static func skip(_ count: UInt32) -> UInt64 { instruction(0x05, count) }
}
