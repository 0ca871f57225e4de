import ELFImage
import LinuxABI
import Testing

@Suite("The first stack")
struct InitialStackTests {
    private static func text(_ string: String) -> [UInt8] { Array(string.utf8) }

    /// What a native stack says, as facts for ours.
    private func facts(from native: StackDump) throws -> InitialStack.Facts {
        var facts = InitialStack.Facts()
        facts.programHeaders = native.value(3) ?? 0
        facts.programHeaderCount = Int(native.value(5) ?? 0)
        facts.interpreterBase = native.value(7) ?? 0
        facts.entry = native.value(9) ?? 0
        facts.userID = UInt32(native.value(11) ?? 0)
        facts.effectiveUserID = UInt32(native.value(12) ?? 0)
        facts.groupID = UInt32(native.value(13) ?? 0)
        facts.effectiveGroupID = UInt32(native.value(14) ?? 0)
        facts.isSecure = native.value(23) == 1
        facts.hardwareCapabilities = native.value(16) ?? 0
        facts.hardwareCapabilities2 = native.value(26) ?? 0
        facts.minimumSignalStack = try #require(native.value(51))
        facts.vdso = native.value(33)
        if let size = native.value(27), let alignment = native.value(28) {
            facts.restartableSequences = (size, alignment)
        }
        let random = try #require(native.value(25))
        facts.random = Array(native.bytes[Int(random - native.pointer)...].prefix(16))
        // How far the host moved its stack down by chance shows in where the platform's name stands.
        let platform = try #require(native.value(15))
        facts.shuffle = try #require(native.argumentPointers.first) - (platform + 7)
        return facts
    }

    @Test(
        "byte for byte the host's, whatever the arguments and the environment",
        arguments: [
            (["program"], []), (["a", "b"], ["X=1"]), ([""], ["A=", "B=2", "C"]),
            (["p", "", "long \u{e9}"], ["HOME=/"]),
            (Array(repeating: "w", count: 300), Array(repeating: "V=value", count: 77)),
            ([String(repeating: "x", count: 131_071)], [String(repeating: "y", count: 5_000)]),
        ] as [([String], [String])])
    func native(arguments: [String], environment: [String]) throws {
        let kernel = try NativeKernel()
        for (name, address) in [("fixed", 0x40_0000), ("p", 0)] as [(String, UInt64)] {
            let path = try kernel.write(ImageBuilder.program(Code.dumpStack, at: address).bytes, as: name)
            let (outcome, output) = try kernel.run(path, arguments.map(Self.text), environment.map(Self.text))
            #expect(outcome == .exited(42))
            let native = try #require(StackDump(output))
            let ours = try InitialStack(
                top: native.top, arguments: arguments.map(Self.text), environment: environment.map(Self.text),
                executable: Self.text(path), facts: try facts(from: native), limit: 6 << 20)
            #expect(ours.stackPointer == native.pointer)
            #expect(ours.bytes == native.bytes)
            #expect(ours.argumentRange.lowerBound == native.argumentPointers.first)
            #expect(StackDump(pointerBytes(ours.stackPointer) + ours.bytes)?.arguments == arguments.map(Self.text))
            #expect(native.string(at: native.value(31) ?? 0) == Self.text(path))
        }
    }

    private func pointerBytes(_ pointer: UInt) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: pointer >> (8 * $0)) }
    }

    @Test("without a vDSO and without rseq there is no entry for them")
    func absent() throws {
        let stack = try InitialStack(
            top: 0x7000_0000, arguments: [[]], environment: [], executable: [], facts: InitialStack.Facts(),
            limit: 131_072)
        let dump = try #require(StackDump(pointerBytes(stack.stackPointer) + stack.bytes))
        #expect(dump.vector.map(\.key) == [51, 16, 6, 17, 3, 4, 5, 7, 8, 9, 11, 12, 13, 14, 23, 25, 26, 31, 15])
        #expect(stack.auxiliaryVector.count == 20 * 16)
    }

    @Test("the stack pointer is a multiple of 16 with every number of strings and every chance")
    func alignment() throws {
        for count in 1...8 {
            for shuffle in stride(from: UInt(0), to: InitialStack.shuffleRange, by: 1021) {
                var facts = InitialStack.Facts()
                facts.shuffle = shuffle
                facts.random = Array(repeating: 7, count: 16)
                let words = Array(repeating: Self.text(String(repeating: "w", count: count)), count: count)
                let stack = try InitialStack(
                    top: 0x7fff_0000_0000, arguments: words, environment: [], executable: words[0], facts: facts,
                    limit: 131_072)
                #expect(stack.stackPointer % 16 == 0)
                #expect(stack.stackPointer + UInt(stack.bytes.count) == 0x7fff_0000_0000)
            }
        }
    }

    @Test("strings and pointers share a limit: E2BIG beyond it, and for a string of 128 KiB")
    func limits() throws {
        func stack(_ arguments: [[UInt8]], _ environment: [[UInt8]], limit: Int) throws(Errno) {
            _ = try InitialStack(
                top: 0x7fff_0000_0000, arguments: arguments, environment: environment, executable: Self.text("/p"),
                facts: InitialStack.Facts(), limit: limit)
        }
        // Two pointers, `/p`, `ab` and `c`, each with its NUL.
        try stack([Self.text("ab")], [Self.text("c")], limit: 16 + 3 + 3 + 2)
        #expect(throws: Errno.E2BIG) { try stack([Self.text("ab")], [Self.text("c")], limit: 16 + 3 + 3 + 1) }
        #expect(throws: Errno.E2BIG) { try stack([], [], limit: 8) }
        try stack([Array(repeating: 1, count: 131_071)], [], limit: 1 << 20)
        #expect(throws: Errno.E2BIG) { try stack([Array(repeating: 1, count: 131_072)], [], limit: 1 << 20) }
        #expect(throws: Errno.E2BIG) { try stack([[]], [Array(repeating: 1, count: 131_072)], limit: 1 << 20) }
    }

    @Test("the limit is a quarter of the stack's, between 128 KiB and 6 MiB")
    func stackLimit() {
        #expect(InitialStack.limit(stackLimit: 0) == 131_072)
        #expect(InitialStack.limit(stackLimit: 8 << 20) == 2 << 20)
        #expect(InitialStack.limit(stackLimit: 1 << 30) == 6 << 20)
        #expect(InitialStack.limit(stackLimit: .max) == 6 << 20)
    }

    @Test("the host's limit is the same: the last argument that fits, and the first that does not")
    func nativeLimit() throws {
        let kernel = try NativeKernel()
        let path = try kernel.write(ImageBuilder.program(Code.exit42).bytes, as: "program")
        var limit = StackLimit.current
        try #require(limit > 0)
        limit = UInt64(InitialStack.limit(stackLimit: limit))
        // Arguments of 100,000 bytes, and one that fills what is left.
        let each = 100_000 + 1 + 8
        let room = Int(limit) - path.utf8.count - 1
        let full = Array(repeating: Array(repeating: UInt8(0x78), count: 100_000), count: room / each)
        let rest = room % each - 9
        try #require(rest > 0 && rest < InitialStack.maximumString)
        for (extra, expected) in [(0, NativeKernel.Outcome.exited(42)), (1, .refused(.E2BIG))] {
            let arguments = full + [Array(repeating: UInt8(0x79), count: rest + extra)]
            #expect(try kernel.run(path, arguments).outcome == expected)
            let judge = { () throws(Errno) in
                _ = try InitialStack(
                    top: 0x7fff_0000_0000, arguments: arguments, environment: [], executable: Self.text(path),
                    facts: InitialStack.Facts(), limit: Int(limit))
            }
            if extra == 0 { try judge() } else { #expect(throws: Errno.E2BIG) { try judge() } }
        }
    }
}
