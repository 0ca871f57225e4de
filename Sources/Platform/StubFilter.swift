/// The seccomp filter behind every stub, as BPF: whatever comes from outside the stub's code is trapped; the stub's own
/// few calls pass by number and, where it matters, by argument. A guest that jumps into the stub gains just these.
enum StubFilter {
    /// One BPF instruction, 8 bytes: code (16), jump if true (8), jump if false (8), constant (32).
    private static func instruction(_ code: UInt16, _ constant: UInt32, _ yes: UInt8 = 0, _ no: UInt8 = 0) -> UInt64 {
        UInt64(code) | UInt64(yes) << 16 | UInt64(no) << 24 | UInt64(constant) << 32
    }

    private static let loadWord: UInt16 = 0x20
    private static let jumpIfEqual: UInt16 = 0x15
    private static let jumpIfAtLeast: UInt16 = 0x35
    private static let answer: UInt16 = 0x06
    private static let trap: UInt32 = 0x0003_0000
    private static let allow: UInt32 = 0x7fff_0000

    /// Offsets in `struct seccomp_data`.
    private static let number: UInt32 = 0
    private static let architecture: UInt32 = 4
    private static let instructionPointerLow: UInt32 = 8
    private static let instructionPointerHigh: UInt32 = 12
    private static func argumentLow(_ index: UInt32) -> UInt32 { 16 + 8 * index }

    private struct Rule {
        let number: UInt32
        /// The low word of this argument must be one of the values.
        var argument: UInt32?
        var values: [UInt32] = []
    }

    /// What the stub itself calls, and why that is harmless: each can only hurt the caller's own address space.
    private static let rules: [Rule] = [
        Rule(number: 202, argument: 1, values: [0, 1]),  // futex: WAIT, WAKE
        Rule(number: 15),  // rt_sigreturn: sets the caller's own registers
        Rule(number: 131),  // sigaltstack
        Rule(number: 14, argument: 0, values: [0, 1]),  // rt_sigprocmask: nothing that rt_sigreturn could not do
        Rule(number: 9),  // mmap: descriptors in a stub are read-only or the process's own memory files
        Rule(number: 11),  // munmap
        Rule(number: 10),  // mprotect
        Rule(number: 25),  // mremap
        Rule(number: 28, argument: 2, values: [0, 1, 2, 3, 4, 8, 10, 14, 15, 18, 19, 22, 23]),  // madvise, never REMOVE
        Rule(number: 56, argument: 0, values: [0x25_0f00, 0x8000 | 17]),  // clone: a thread, or a process like this one
        Rule(number: 60),  // exit
        Rule(number: 110),  // getppid: whether the kernel is still there
        Rule(number: 47, argument: 0, values: [0]),  // recvmsg on the stub's socket
        Rule(number: 3),  // close
        Rule(number: 33),  // dup2
        Rule(number: 26),  // msync: of the caller's own mappings
    ]

    /// prctl: user dispatch, and the parent-death signal, which must be SIGKILL: the kernel's end is everybody's.
    private static var processControl: [UInt64] {
        [
            instruction(jumpIfEqual, 157, 0, 7),
            instruction(loadWord, argumentLow(0)),
            instruction(jumpIfEqual, 59, 4, 0),
            instruction(jumpIfEqual, 1, 0, 2),
            instruction(loadWord, argumentLow(1)),
            instruction(jumpIfEqual, 9, 1, 0),
            instruction(answer, trap),
            instruction(answer, allow),
        ]
    }

    /// The program; at most 4096 instructions.
    static func program(codeBase: UInt64, codeSize: UInt64) -> [UInt64] {
        var body: [UInt64] = []
        for rule in rules {
            if let argument = rule.argument {
                let count = UInt8(rule.values.count)
                body.append(instruction(jumpIfEqual, rule.number, 0, count + 3))
                body.append(instruction(loadWord, argumentLow(argument)))
                for (index, value) in rule.values.enumerated() {
                    body.append(instruction(jumpIfEqual, value, UInt8(rule.values.count - index), 0))
                }
                body.append(instruction(answer, trap))
                body.append(instruction(answer, allow))
            } else {
                body.append(instruction(jumpIfEqual, rule.number, 0, 1))
                body.append(instruction(answer, allow))
            }
        }
        body += processControl
        body.append(instruction(answer, trap))
        let trapped = instruction(answer, trap)
        return [
            instruction(loadWord, architecture),
            instruction(jumpIfEqual, 0xc000_003e, 1, 0), trapped,
            instruction(loadWord, instructionPointerHigh),
            instruction(jumpIfEqual, UInt32(codeBase >> 32), 1, 0), trapped,
            instruction(loadWord, instructionPointerLow),
            instruction(jumpIfAtLeast, UInt32(truncatingIfNeeded: codeBase + codeSize), 0, 1), trapped,
            instruction(loadWord, number),
        ] + body
    }
}
