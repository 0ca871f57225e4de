/// The seccomp program of the sealed kernel process, as BPF.
///
/// Where the answer hangs on the number alone and is "allow", the host computes it once, when the filter is installed, and
/// never runs the program for that number again (Linux 5.11 and later). So only calls with conditions cost time, and they
/// stand first.
package enum SealFilter {
    private typealias I = FilterInstruction

    /// `SECCOMP_RET_ALLOW`.
    package static let allow = FilterInstruction.allow
    /// `SECCOMP_RET_TRAP`: the call is not made; SIGSYS tells which it was (see `seal.c`), and nobody can take its handler
    /// away, since rt_sigaction(2) is not in the list.
    package static let refuse = FilterInstruction.trap

    /// At most 4096 instructions. Numbers of the x32 interface have bit 30 set, and equal none in the list.
    package static func program(for calls: [AllowedCall] = AllowedCall.all) -> [UInt64] {
        let refused = I.answer(refuse)
        var program = [
            I.load(I.architecture),
            I.ifEqual(I.x86_64, 1, else: 0), refused,
            I.load(I.number),
        ]
        for call in calls {
            let body = call.conditions.flatMap(instructions) + [I.answer(allow)]
            program.append(I.ifEqual(call.number, 0, else: body.count))
            program += body
        }
        return program + [refused]
    }

    /// Falls through if the condition holds, else refuses.
    private static func instructions(_ condition: AllowedCall.Condition) -> [UInt64] {
        var body = [I.load(I.argumentLow(condition.argument))]
        if condition.mask != .max { body.append(I.and(condition.mask)) }
        for (index, value) in condition.values.enumerated() {
            body.append(I.ifEqual(value, condition.values.count - index, else: 0))
        }
        return body + [I.answer(refuse)]
    }
}
