import Testing

@testable import HostSystem

@Suite("The seal's filter")
struct SealFilterTests {
    private let machine = FilterMachine(program: SealFilter.program())
    private static let plain = [UInt64](repeating: 0, count: 6)

    /// Values that a filter may mix up: around each value of every condition, single bits, and all ones.
    private static let values: [UInt64] = {
        var values: Set<UInt64> = [0, .max, 0xffff_ffff, 1 << 32]
        for bit in 0..<UInt64(64) { values.insert(1 << bit) }
        for condition in AllowedCall.all.flatMap(\.conditions) {
            for value in condition.values + [condition.mask] {
                values.formUnion([UInt64(value), UInt64(value) &+ 1, UInt64(value) &- 1, UInt64(value) | 1 << 33])
            }
        }
        return values.sorted()
    }()

    /// The first set of arguments that the conditions of a call admit.
    private static func admitted(_ call: AllowedCall) -> [UInt64] {
        var arguments = plain
        for condition in call.conditions { arguments[condition.argument] = UInt64(condition.values.first ?? 0) }
        return arguments
    }

    @Test("what is in the list passes as far as its conditions go, all else is refused: by number and arguments")
    func everything() throws {
        let listed = Dictionary(AllowedCall.all.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first })
        for number in UInt32(0)..<1024 {
            var sets = [Self.plain, [UInt64](repeating: .max, count: 6)]
            let call = listed[number]
            if let call {
                let base = Self.admitted(call)
                sets.append(base)
                for position in 0..<6 {
                    for value in Self.values {
                        var arguments = base
                        arguments[position] = value
                        sets.append(arguments)
                    }
                }
            }
            for arguments in sets {
                let expected = call?.admits(arguments) == true ? SealFilter.allow : SealFilter.refuse
                let answer = try machine.answer(number, arguments)
                if answer != expected { Issue.record("\(number) \(arguments): \(answer), not \(expected)") }
            }
        }
    }

    @Test("a call of the list passes with some arguments, and with any where it has no condition")
    func passes() throws {
        for call in AllowedCall.all {
            #expect(try machine.answer(call.number, Self.admitted(call)) == SealFilter.allow, "\(call.name)")
            guard call.conditions.isEmpty else { continue }
            #expect(try machine.answer(call.number, [UInt64](repeating: .max, count: 6)) == SealFilter.allow)
        }
    }

    @Test(
        "what a taken-over kernel process would try is refused",
        arguments: [
            ("execve", 59, [0, 0, 0]), ("execveat", 322, [0, 0, 0]), ("ptrace", 101, [16, 1, 0]),
            ("socket", 41, [2, 1, 0]), ("connect", 42, [3, 0, 16]), ("clone", 56, [17, 0, 0]),
            ("clone3", 435, [0, 88, 0]), ("fork", 57, [0, 0, 0]), ("unshare", 272, [0x1000_0000, 0, 0]),
            ("setns", 308, [3, 0, 0]), ("mount", 165, [0, 0, 0]), ("bpf", 321, [0, 0, 0]),
            ("io_uring_setup", 425, [1, 0, 0]), ("prctl", 157, [4, 1, 0]), ("rt_sigaction", 13, [31, 0, 0]),
            ("mmap of code", 9, [0, 4096, 7]), ("mprotect to code", 10, [0, 4096, 5]),
            ("openat that creates", 257, [0xffff_ff9c, 0, 0o101]),
            ("openat that truncates", 257, [0xffff_ff9c, 0, 0o1001]),
            ("TIOCSTI", 16, [0, 0x5412, 0]), ("TIOCSCTTY", 16, [0, 0x540e, 0]), ("SIGTERM", 62, [1, 15, 0]),
            ("kill of a group", 62, [0xffff_ffff, 9, 0]), ("kill of everybody", 62, [.max, 9, 0]),
            ("an Internet socket pair", 53, [2, 0x8_0005, 0]), ("a device", 259, [3, 0, 0o20666]),
            ("x32's write", 0x4000_0001, [1, 0, 0]),
        ] as [(String, UInt32, [UInt64])])
    func refused(name: String, number: UInt32, arguments: [UInt64]) throws {
        #expect(try machine.answer(number, arguments + [0, 0, 0]) == SealFilter.refuse)
    }

    @Test("a kernel that traces its stubs may resume and look, but neither seize others nor write to them by ptrace")
    func tracing() throws {
        let tracing = FilterMachine(program: SealFilter.program(for: AllowedCall.tracing + AllowedCall.all))
        for request: UInt64 in [24, 31, 0x4201, 0x4204, 0x4205, 0x4208, 0x420e] {
            #expect(try tracing.answer(101, [request, 7, 0, 0, 0, 0]) == SealFilter.allow)
            #expect(try machine.answer(101, [request, 7, 0, 0, 0, 0]) == SealFilter.refuse)
        }
        // TRACEME, POKETEXT, POKEDATA, ATTACH, SEIZE, SETOPTIONS, INTERRUPT
        for request: UInt64 in [0, 4, 5, 16, 0x4206, 0x4200, 0x4207, .max] {
            #expect(try tracing.answer(101, [request, 7, 0, 0, 0, 0]) == SealFilter.refuse)
        }
    }

    @Test("calls of another architecture are refused, whatever their number")
    func architectures() throws {
        for architecture: UInt32 in [0x4000_0003, 0xc000_00b7, 0] {
            for number in UInt32(0)..<512 {
                #expect(try machine.answer(number, Self.plain, architecture: architecture) == SealFilter.refuse)
            }
        }
    }

    @Test("no number is listed twice, and no jump is longer than the host can make it")
    func shape() {
        #expect(Set(AllowedCall.all.map(\.number)).count == AllowedCall.all.count)
        for call in AllowedCall.all {
            #expect(call.conditions.reduce(1) { $0 + $1.values.count + 3 } < 255, "\(call.name)")
            for condition in call.conditions {
                #expect(condition.values.allSatisfy { $0 & condition.mask == $0 }, "\(call.name) never passes")
            }
        }
        #expect(machine.program.count < 4096)
    }
}
