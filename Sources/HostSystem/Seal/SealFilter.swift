/// The seccomp program of the sealed kernel process, as BPF.
///
/// Where the answer hangs on the number alone and is "allow", the host computes it once, when the filter is installed, and
/// never runs the program for that number again (Linux 5.11 and later). So only calls with conditions cost time, and they
/// stand first.
package enum SealFilter {
    /// One instruction of 8 bytes: code (16), jump if true (8), jump if false (8), constant (32).
    private static func instruction(_ code: UInt16, _ constant: UInt32, _ yes: UInt8 = 0, _ no: UInt8 = 0) -> UInt64 {
        UInt64(code) | UInt64(yes) << 16 | UInt64(no) << 24 | UInt64(constant) << 32
    }

    private static let loadWord: UInt16 = 0x20
    private static let and: UInt16 = 0x54
    private static let jumpIfEqual: UInt16 = 0x15
    private static let answer: UInt16 = 0x06

    /// `SECCOMP_RET_ALLOW`.
    package static let allow: UInt32 = 0x7fff_0000
    /// `SECCOMP_RET_TRAP`: the call is not made; SIGSYS tells which it was (see `seal.c`), and nobody can take its handler
    /// away, since rt_sigaction(2) is not in the list.
    package static let refuse: UInt32 = 0x0003_0000

    /// Offsets in `struct seccomp_data`.
    private static let number: UInt32 = 0
    private static let architecture: UInt32 = 4
    private static func argumentLow(_ index: Int) -> UInt32 { 16 + 8 * UInt32(truncatingIfNeeded: index) }

    /// At most 4096 instructions. Numbers of the x32 interface have bit 30 set, and equal none in the list.
    package static func program(for calls: [AllowedCall] = AllowedCall.all) -> [UInt64] {
        let refused = instruction(answer, refuse)
        var program = [
            instruction(loadWord, architecture),
            instruction(jumpIfEqual, 0xc000_003e, 1, 0), refused,
            instruction(loadWord, number),
        ]
        for call in calls {
            let body = call.conditions.flatMap(instructions) + [instruction(answer, allow)]
            program.append(instruction(jumpIfEqual, call.number, 0, UInt8(clamping: body.count)))
            program += body
        }
        return program + [refused]
    }

    /// Falls through if the condition holds, else refuses.
    private static func instructions(_ condition: AllowedCall.Condition) -> [UInt64] {
        var body = [instruction(loadWord, argumentLow(condition.argument))]
        if condition.mask != .max { body.append(instruction(and, condition.mask)) }
        for (index, value) in condition.values.enumerated() {
            body.append(instruction(jumpIfEqual, value, UInt8(clamping: condition.values.count - index), 0))
        }
        return body + [instruction(answer, refuse)]
    }
}
