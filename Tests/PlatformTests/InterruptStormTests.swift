import LinuxABI
import Platform
import Testing

@testable import HostSystem

extension PlatformTests {
    /// Interrupts that come at any moment: in guest code, on the way into the stub, inside it and on the way out. None may
    /// be lost, none may cost a call, and no register may change.
    @Suite("An interrupt storm")
    struct InterruptStormTests {
        /// A guest that makes call 400 with 0, 1, 2, … for ever, and executes `ud2` as soon as a result, a register, a
        /// vector register or the word below its stack pointer is not what it must be.
        static let code: [UInt8] = [
            0x48, 0xbb, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,  // movabs $0x1122334455667788,%rbx
            0x48, 0xbd, 0x00, 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99,  // movabs $0x99aabbccddeeff00,%rbp
            0x49, 0xbd, 0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01,  // movabs $0x102030405060708,%r13
            0x49, 0xbe, 0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11,  // movabs $0x1112131415161718,%r14
            0x49, 0xbf, 0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21,  // movabs $0x2122232425262728,%r15
            0x49, 0x89, 0xd8,  // mov %rbx,%r8
            0x49, 0x89, 0xe9,  // mov %rbp,%r9
            0x4d, 0x89, 0xea,  // mov %r13,%r10
            0x4c, 0x89, 0xf6,  // mov %r14,%rsi
            0x4c, 0x89, 0xfa,  // mov %r15,%rdx
            0x66, 0x48, 0x0f, 0x6e, 0xdb,  // movq %rbx,%xmm3
            0x66, 0x4c, 0x0f, 0x6e, 0xfd,  // movq %rbp,%xmm15
            0x45, 0x31, 0xe4,  // xor %r12d,%r12d
            0x4c, 0x89, 0x64, 0x24, 0xf8,  // mov %r12,-0x8(%rsp)
            0x4c, 0x89, 0xe7,  // mov %r12,%rdi
            0xb8, 0x90, 0x01, 0x00, 0x00,  // mov $0x190,%eax
            0x0f, 0x05,  // syscall
            0x49, 0x8d, 0x4c, 0x24, 0x01,  // lea 0x1(%r12),%rcx
            0x48, 0x39, 0xc8,  // cmp %rcx,%rax
            0x75, 0x47,  // jne 3
            0x4c, 0x39, 0xe7,  // cmp %r12,%rdi
            0x75, 0x42,  // jne 3
            0x4c, 0x39, 0x64, 0x24, 0xf8,  // cmp %r12,-0x8(%rsp)
            0x75, 0x3b,  // jne 3
            0x49, 0x39, 0xd8,  // cmp %rbx,%r8
            0x75, 0x36,  // jne 3
            0x49, 0x39, 0xe9,  // cmp %rbp,%r9
            0x75, 0x31,  // jne 3
            0x4d, 0x39, 0xea,  // cmp %r13,%r10
            0x75, 0x2c,  // jne 3
            0x4c, 0x39, 0xf6,  // cmp %r14,%rsi
            0x75, 0x27,  // jne 3
            0x4c, 0x39, 0xfa,  // cmp %r15,%rdx
            0x75, 0x22,  // jne 3
            0x66, 0x48, 0x0f, 0x7e, 0xd9,  // movq %xmm3,%rcx
            0x48, 0x39, 0xcb,  // cmp %rcx,%rbx
            0x75, 0x18,  // jne 3
            0x66, 0x4c, 0x0f, 0x7e, 0xf9,  // movq %xmm15,%rcx
            0x48, 0x39, 0xcd,  // cmp %rcx,%rbp
            0x75, 0x0e,  // jne 3
            0xb9, 0x1e, 0x00, 0x00, 0x00,  // mov $0x1e,%ecx
            0xff, 0xc9,  // dec %ecx
            0x75, 0xfc,  // jne 2
            0x49, 0xff, 0xc4,  // inc %r12
            0xeb, 0xa0,  // jmp 1
            0x0f, 0x0b,  // ud2
        ]

        /// A generator with a fixed seed: each run has the same storm. See Marsaglia, "Xorshift RNGs".
        struct Generator {
            var state: UInt64 = 0x9e37_79b9_7f4a_7c15

            mutating func next(below limit: UInt64) -> UInt64 {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                return state % limit
            }
        }

        enum Way: CaseIterable { case polling, onOneProcessor, traced }

        @Test(
            "loses no interrupt and no call, and changes no register", arguments: [1, 3], Way.allCases)
        func storm(guests: Int, way: Way) throws {
            let before = Processors.allowed
            let onOneProcessor = way != .polling
            if onOneProcessor { Processors.allow(Array(before.prefix(1))) }
            defer { Processors.allow(before) }
            let platform = try TrapPlatform(traces: way == .traced)
            defer { platform.shutDown() }
            let storm = try (0..<guests).map { _ in try TinyGuest(platform: platform, code: Self.code) }
            defer { for guest in storm { guest.end() } }
            var generator = Generator()
            var calls = [Int](repeating: 0, count: guests)
            // Interrupts may be reported one by one or several at once; after the last of them one report has to come.
            var sent = [Int](repeating: 0, count: guests)
            var reported = [Int](repeating: 0, count: guests)
            var owed = [Bool](repeating: false, count: guests)
            let wanted = onOneProcessor ? 3_000 : 20_000
            while calls.contains(where: { $0 < wanted }) || owed.contains(true) {
                let (thread, event) = try TinyGuest.next(platform)
                let index = try #require(storm.firstIndex { $0.thread === thread })
                switch event {
                case .syscall(let number, let arguments):
                    try #require(number == 400 && arguments[0] == UInt(calls[index]), "after \(calls[index]) calls")
                    calls[index] += 1
                    if calls[index] >= wanted, !owed[index] {
                        // Done: it stays where it is.
                        thread.block()
                        continue
                    }
                    try thread.answer(StubAnswer(value: calls[index]))
                case .interrupted:
                    reported[index] += 1
                    try #require(reported[index] <= sent[index], "nobody has interrupted guest \(index)")
                    owed[index] = false
                    var answer = StubAnswer()
                    answer.registers = thread.readRegisters()
                    // Every other time the vector registers go through the kernel, too.
                    if generator.next(below: 2) == 0 {
                        answer.floatingPoint = thread.readFloatingPoint()
                    }
                    try thread.answer(answer)
                case .fault(let fault):
                    Issue.record("guest \(index) found a register changed after \(calls[index]) calls: \(fault)")
                    return
                default:
                    Issue.record("\(event)")
                    return
                }
                guard calls[index] < wanted, generator.next(below: 3) == 0 else { continue }
                for _ in 0..<generator.next(below: 400) { Host.relax() }
                let victim = Int(generator.next(below: UInt64(guests)))
                guard calls[victim] < wanted else { continue }
                storm[victim].thread.interrupt()
                sent[victim] += 1
                owed[victim] = true
            }
            #expect(reported.allSatisfy { $0 > wanted / 50 }, "\(sent) \(reported)")
        }
    }
}

/// The processors that the calling thread, and what it starts, may run on.
enum Processors {
    static var allowed: [Int] {
        var words = [UInt64](repeating: 0, count: 16)
        let size = words.count * 8
        // The host writes at most the array's bytes: sched_getaffinity(2).
        _ = unsafe words.withUnsafeMutableBytes { bytes in
            try? Host.call(204, 0, UInt(size), UInt(bitPattern: bytes.baseAddress))
        }
        return (0..<size * 8).filter { words[$0 / 64] >> UInt64($0 % 64) & 1 == 1 }
    }

    static func allow(_ processors: [Int]) {
        var words = [UInt64](repeating: 0, count: 16)
        for processor in processors { words[processor / 64] |= 1 << UInt64(processor % 64) }
        let size = words.count * 8
        // The host reads the array's bytes: sched_setaffinity(2).
        _ = unsafe words.withUnsafeBytes { bytes in
            try? Host.call(203, 0, UInt(size), UInt(bitPattern: bytes.baseAddress))
        }
    }
}
