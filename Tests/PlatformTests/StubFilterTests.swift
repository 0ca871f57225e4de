import HostSystem
import Stub
import Testing

@testable import Platform

/// What the filter behind the stubs lets a guest do that jumps to one of the stub's host calls with registers of its own.
@Suite("The stub's filter")
struct StubFilterTests {
    private let machine = FilterMachine(program: StubFilter.program(asking: false))
    private let asking = FilterMachine(program: StubFilter.program(asking: true))
    private static let stub = UInt64(APUS_STUB_BASE)
    private static let inside = stub + 0x123
    private static let plain = [UInt64](repeating: 0, count: 6)

    private func passes(_ number: UInt32, _ arguments: [UInt64]) throws -> Bool {
        let answer = try machine.answer(
            number, arguments + Self.plain.dropFirst(arguments.count), from: Self.inside)
        #expect(answer == FilterInstruction.allow || answer == FilterInstruction.trap)
        let asked = try asking.answer(number, arguments + Self.plain.dropFirst(arguments.count), from: Self.inside)
        #expect(asked == (number == 56 && answer == FilterInstruction.allow ? FilterInstruction.ask : answer))
        return answer == FilterInstruction.allow
    }

    @Test("whatever comes from elsewhere, or by another architecture, is trapped")
    func elsewhere() throws {
        let places: [UInt64] = [
            0, 0x401000, Self.stub - 1, Self.stub + UInt64(APUS_STUB_CODE_SIZE), UInt64(APUS_STUB_CONFIG),
            UInt64(APUS_STUB_CONTEXTS), 0x7fff_ffff_f000, 0xffff_ffff_ff60_0002, Self.inside &+ 1 << 32,
        ]
        for number in UInt32(0)..<600 {
            for place in places {
                #expect(try machine.answer(number, Self.plain, from: place) == FilterInstruction.trap)
            }
            #expect(
                try machine.answer(number, Self.plain, architecture: 0x4000_0003, from: Self.inside)
                    == FilterInstruction.trap)
            #expect(try !passes(number | 0x4000_0000, Self.plain))
        }
    }

    @Test("of all numbers only the stub's own pass with any arguments that were tried")
    func numbers() throws {
        let own: Set<UInt32> = [3, 9, 10, 11, 14, 15, 24, 25, 26, 28, 33, 47, 56, 60, 110, 131, 157, 202, 436, 462]
        var generator = SystemRandomNumberGenerator()
        let values: [UInt64] = [
            0, 1, 2, 3, 9, 10, 17, 59, 0x10, 0x12, 0x32, 0x8011, 0x25_0f00, 0xffff_ffff, .max, 1 << 32,
        ]
        for number in UInt32(0)..<1024 where !own.contains(number) {
            for _ in 0..<200 {
                let arguments = (0..<6).map { _ in values.randomElement(using: &generator) ?? 0 }
                if try passes(number, arguments) { Issue.record("\(number) \(arguments)") }
            }
        }
    }

    /// Addresses and lengths whose sum is near something.
    private static let edges: [UInt64] = {
        var values: Set<UInt64> = [0, 1, 4096, 1 << 63, .max]
        let places = [
            stub, stub / 2, UInt64(APUS_STUB_CONFIG), UInt64(APUS_STUB_DOORBELL), UInt64(APUS_STUB_CONTEXTS),
            UInt64(APUS_STUB_END), UInt64(APUS_CONTEXTS_SIZE), UInt64(APUS_STUB_PAGES), UInt64(APUS_PIPE_LINK_SIZE),
            0x7fff_ffff_f000, 1 << 32,
            1 << 47,
        ]
        for place in places {
            for distance: UInt64 in [0, 1, 4096, 0xffff_ffff, 1 << 32] {
                values.formUnion([place &+ distance, place &- distance, distance &- place])
            }
        }
        return values.sorted()
    }()

    private static func isBelow(_ address: UInt64, _ length: UInt64) -> Bool {
        let (end, overflow) = address.addingReportingOverflow(length)
        return !overflow && address < stub && end <= stub
    }

    @Test("no change of memory reaches the stub's area, wherever it begins and however long it is")
    func addresses() throws {
        let contexts = (UInt64(APUS_STUB_CONTEXTS), UInt64(APUS_CONTEXTS_SIZE))
        for address in Self.edges {
            for length in Self.edges {
                let isBelow = Self.isBelow(address, length)
                let isContexts = (address, length) == contexts
                let isLink = (address, length) == (UInt64(APUS_STUB_PIPE_LINK), UInt64(APUS_PIPE_LINK_SIZE))
                let isAbove = address >= UInt64(APUS_STUB_PAGES)
                func expect(_ number: UInt32, _ rest: [UInt64], _ expected: Bool) throws {
                    if try passes(number, [address, length] + rest) != expected {
                        Issue.record("\(number) at \(String(address, radix: 16)), \(String(length, radix: 16)) \(rest)")
                    }
                }
                // mmap: anonymous, and of a descriptor
                try expect(9, [7, 0x32, .max, 0], isBelow)
                try expect(9, [3, 0x11, 5, 0], isBelow || isContexts)
                // Of a file to be read by the stub; to be written, or private.
                try expect(9, [1, 0x4011, 5, 0], isBelow || isAbove)
                try expect(9, [3, 0x4011, 5, 0], isBelow || isLink)
                try expect(9, [1, 0x4012, 5, 0], isBelow)
                // munmap, mprotect
                try expect(11, [], isBelow || isAbove || address == UInt64(APUS_STUB_END))
                try expect(10, [7], isBelow)
                // mremap: in place; to elsewhere, from there and to there
                try expect(25, [4096, 0, 0], isBelow)
                try expect(25, [4096, 3, 0x10000], isBelow)
                if try passes(25, [0x10000, 4096, length, 3, address]) != isBelow {
                    Issue.record("mremap to \(String(address, radix: 16)), \(String(length, radix: 16))")
                }
                // madvise: DONTNEED, DONTFORK
                try expect(28, [4], isBelow)
                try expect(28, [10], isContexts || isAbove)
                // mseal
                try expect(462, [0], isContexts)
            }
        }
    }

    @Test(
        "what would reach further than the caller's own memory is refused",
        arguments: [
            ("mmap where the host likes", 9, [0x1000, 4096, 3, 0x22, .max, 0]),
            ("mmap of huge pages", 9, [0x20_0000, 0x20_0000, 3, 0x4_0032, .max, 0]),
            ("mmap with an unknown flag", 9, [0x1000, 4096, 3, 0x1_0000_0012, 5, 0]),
            ("mremap where the host likes", 25, [0x1000, 4096, 8192, 1, 0]),
            ("madvise REMOVE", 28, [0x1000, 4096, 9]),
            ("clone that shares memory and nothing else", 56, [0x100]), ("clone of a namespace", 56, [0x1000_0011]),
            ("clone with another death signal", 56, [0x8000]), ("dup2 elsewhere", 33, [0, 5]),
            ("recvmsg elsewhere", 47, [1, 0, 0]), ("close_range of the socket", 436, [0, 0xffff_ffff, 0]),
            ("no death signal", 157, [1, 0]), ("another death signal", 157, [1, 15]), ("PR_SET_DUMPABLE", 157, [4, 0]),
            ("no user dispatch", 157, [59, 0]), ("SIG_SETMASK", 14, [2]), ("FUTEX_LOCK_PI", 202, [0, 6]),
            ("FUTEX_REQUEUE", 202, [0, 3]), ("FUTEX_REQUEUE, private", 202, [0, 131]),
            ("FUTEX_WAIT, real time", 202, [0, 256]),
        ] as [(String, UInt32, [UInt64])])
    func refused(name: String, number: UInt32, arguments: [UInt64]) throws {
        #expect(try !passes(number, arguments))
    }

    @Test("what the stub itself does passes")
    func own() throws {
        let contexts = UInt64(APUS_STUB_CONTEXTS)
        for (number, arguments): (UInt32, [UInt64]) in [
            (202, [contexts, 0, 1, 0]), (202, [UInt64(APUS_STUB_DOORBELL), 1, 1]),
            (202, [0x1000, 128, 1, 0]), (202, [0x1000, 129, 1]), (15, []), (131, [contexts]),
            (14, [0, contexts]), (14, [1, contexts]), (9, [0x40_0000, 0x1000, 5, 0x12, 7, 0x1000]),
            (9, [0x7eef_0000_0000, 0x1_0000_0000, 3, 0x2_4032, .max, 0]),
            (9, [contexts, UInt64(APUS_CONTEXTS_SIZE), 3, 0x11, 7, 0]), (11, [0, Self.stub]),
            (11, [UInt64(APUS_STUB_END), UInt64(APUS_HOST_TASK_SIZE - APUS_STUB_END)]), (10, [0x1000, 0x1000, 1]),
            (25, [0x1000, 0x1000, 0x2000, 0, 0]), (25, [0x1000, 0x1000, 0x1000, 7, 0x8000]),
            (28, [0x1000, 0x1000, 23]), (28, [contexts, UInt64(APUS_CONTEXTS_SIZE), 10]),
            (462, [contexts, UInt64(APUS_CONTEXTS_SIZE), 0]), (56, [0x25_0f00]), (56, [0x8011]), (60, [0]), (110, []),
            (47, [0]), (3, [5]), (33, [5, 0]), (436, [1, 0xffff_ffff, 0]), (26, [0x1000, 0x1000, 4]), (157, [1, 9]),
            (157, [59, 1, Self.stub, UInt64(APUS_STUB_CODE_SIZE)]),
        ] {
            #expect(try passes(number, arguments), "\(number) \(arguments)")
        }
    }

    @Test("the program is one that the host takes")
    func size() { #expect(machine.program.count < 4096) }
}
