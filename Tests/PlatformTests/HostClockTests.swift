@testable import HostSystem
import LinuxABI
import Stub
import Testing

@testable import Platform

extension PlatformTests {
    @Suite("The host's clocks in stubs")
    struct HostClockTests {
        /// What a guest needs to call a function of the vDSO: its code somewhere, and a result's address.
        private static let codeBase = TinyGuest.codeBase + 0x1000
        private static let result = TinyGuest.stackTop - 0x1000

        /// Calls the function with two arguments, for ever or once: then makes call 231 with its result.
        private func guest(
            _ platform: TrapPlatform, _ function: String, _ first: Int32, _ second: UInt, forEver: Bool = false
        ) throws -> TinyGuest {
            let (code, functions) = TrapPlatform.vdsoCode
            let place = try #require(functions.first { $0.name == function }).range.lowerBound
            var text = Assembler()
            text.raw(0x48, 0xc7, 0xc3, 0x11, 0, 0, 0)  // mov $0x11, %rbx
            let again = text.bytes.count
            text.raw(0x48, 0xbe)  // movabs, %rsi
            for shift in 0..<8 { text.raw(UInt8(truncatingIfNeeded: second >> (8 * UInt(shift)))) }
            text.loadArgument(first)
            text.raw(0x48, 0xb8)  // movabs, %rax
            let target = Self.codeBase + UInt(place)
            for shift in 0..<8 { text.raw(UInt8(truncatingIfNeeded: target >> (8 * UInt(shift)))) }
            text.raw(0xff, 0xd0)  // call *%rax
            // jmp to the second instruction
            if forEver { text.raw(0xeb, UInt8(truncatingIfNeeded: again - text.bytes.count - 2)) }
            text.raw(0x48, 0x89, 0xc7)  // mov %rax, %rdi
            text.call(231)
            let body = text.bytes + [UInt8](repeating: 0x90, count: 0x1000 - text.bytes.count) + code
            return try TinyGuest(platform: platform, code: body)
        }

        private func time(of guest: TinyGuest) throws -> Int64 {
            let bytes = try [UInt8](capacity: 16) { output throws(Errno) in
                try guest.thread.process.memory.read(16, at: Self.result, into: &output)
            }
            var reader = ByteReader(bytes)
            return reader.take(Int64.self) * 1_000_000_000 + reader.take(Int64.self)
        }

        @Test("a clock is read without a call, and lies between two looks of the kernel's")
        func reading() throws {
            try #require(Host.vdso != nil, "this host has no vDSO")
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            let before = Host.monotonic.nanoseconds
            let guest = try guest(platform, "clock_gettime", 1, Self.result)
            let call = try guest.nextCall()
            #expect(call.number == 231)
            #expect(call.arguments[0] == 0)
            #expect((before...Host.monotonic.nanoseconds).contains(try time(of: guest)))
            guest.end()
        }

        @Test("a child of a child has them, too")
        func inherited() throws {
            try #require(Host.vdso != nil, "this host has no vDSO")
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            // The template clones itself for each, after it has thrown everything else away.
            for _ in 0..<3 {
                let guest = try guest(platform, "clock_gettime", 1, Self.result)
                #expect(try guest.nextCall().number == 231)
                guest.end()
            }
        }

        @Test("what only the kernel knows is a call of the vDSO's own", arguments: [2, 3, -6, 12, 99] as [Int32])
        func others(clock: Int32) throws {
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            let guest = try guest(platform, "clock_gettime", clock, Self.result)
            let call = try guest.nextCall()
            #expect(call.number == 228)
            #expect(Int32(truncatingIfNeeded: call.arguments[0]) == clock)
            #expect(call.arguments[1] == Self.result)
            let end = Self.codeBase + UInt(TrapPlatform.vdsoCode.bytes.count)
            #expect((Self.codeBase..<end).contains(guest.thread.readRegisters().rip))
            guest.end()
        }

        @Test(
            "without the host's clocks every function is the call of its name",
            arguments: [
                ("clock_gettime", 228), ("gettimeofday", 96), ("time", 201), ("getcpu", 309), ("clock_getres", 229),
            ])
        func calls(function: String, number: Int) throws {
            let platform = try TrapPlatform(clocks: nil)
            defer { platform.shutDown() }
            let guest = try guest(platform, function, 1, Self.result)
            let call = try guest.nextCall()
            #expect(call.number == number)
            #expect(call.arguments[0] == 1)
            #expect(call.arguments[1] == Self.result)
            try guest.thread.answer(StubAnswer(value: -22))
            let last = try guest.nextCall()
            #expect(last.number == 231)
            #expect(Int(bitPattern: last.arguments[0]) == -22)
            guest.end()
        }

        @Test("once guests are bound to processors, asking for the processor is a call")
        func processor() throws {
            try #require(Host.vdso != nil, "this host has no vDSO")
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            // The second argument is the node's address, and the first one the processor's: none.
            let free = try guest(platform, "getcpu", 0, Self.result)
            #expect(try free.nextCall().number == 231)
            free.end()
            platform.askForProcessor()
            let bound = try guest(platform, "getcpu", 0, Self.result)
            #expect(try bound.nextCall().number == 309)
            bound.end()
        }

        @Test("a fault inside the host's code is the guest's")
        func fault() throws {
            try #require(Host.vdso != nil, "this host has no vDSO")
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            let guest = try guest(platform, "clock_gettime", 1, 8)
            guard case .fault(let fault) = try guest.nextEvent() else {
                Issue.record("no fault")
                return
            }
            #expect(fault.signal == 11)
            #expect(fault.address == 8)
            guest.end()
        }

        @Test("interrupts inside the host's code find the guest's registers there, and it goes on from them")
        func interrupts() throws {
            try #require(Host.vdso != nil, "this host has no vDSO")
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            let guest = try guest(platform, "clock_gettime", 1, Self.result, forEver: true)
            var inside = 0
            for _ in 0..<300 {
                // On a busy machine it may not have run at all since the last one.
                let before = try time(of: guest)
                let limit = Host.monotonic.nanoseconds + 20_000_000_000
                while try time(of: guest) == before, Host.monotonic.nanoseconds < limit { Host.relax() }
                guest.thread.interrupt()
                guard case .interrupted = try guest.nextEvent() else {
                    Issue.record("no interrupt")
                    return
                }
                let registers = guest.thread.readRegisters()
                #expect(try time(of: guest) >= before)
                let area = UInt(APUS_STUB_HOST_VDSO)..<UInt(APUS_STUB_HOST_VDSO) + UInt(APUS_STUB_HOST_VDSO_SIZE)
                if area.contains(registers.rip) {
                    inside += 1
                } else if registers.rip != TinyGuest.codeBase {
                    // The host's code may use the register, and gives it back.
                    #expect(registers.rbx == 0x11)
                }
                var answer = StubAnswer()
                answer.registers = registers
                try guest.thread.answer(answer)
            }
            // It spends nearly all of its time there.
            #expect(inside > 30)
            guest.end()
        }

        @Test("a host whose vDSO cannot be moved costs nothing but speed")
        func immovable() throws {
            let vdso = try #require(Host.vdso, "this host has no vDSO")
            // Nothing is mapped there: the host refuses to move it, as it would a sealed one.
            let parts = vdso.parts.map {
                SpecialMapping(range: $0.range.lowerBound - (1 << 40)..<$0.range.upperBound - (1 << 40), name: $0.name)
            }
            let clocks = try #require(HostClocks(HostVDSO(parts: parts, image: vdso.image)))
            let platform = try TrapPlatform(clocks: clocks)
            defer { platform.shutDown() }
            let guest = try guest(platform, "clock_gettime", 1, Self.result)
            #expect(try guest.nextCall().number == 228)
            guest.end()
        }

        @Test("an image that makes no sense offers nothing, and never traps")
        func malformed() throws {
            let image = try #require(Host.vdso, "this host has no vDSO").image
            #expect(DynamicSymbols(image).offset(of: "__vdso_clock_gettime") != nil)
            #expect(DynamicSymbols(image).offset(of: "__vdso_nothing") == nil)
            #expect(DynamicSymbols([]).offset(of: "__vdso_time") == nil)
            var random = SystemRandomNumberGenerator()
            for round in 0..<3000 {
                var broken = image
                for _ in 0..<1 + round % 8 {
                    // Where the headers and tables are.
                    broken[Int.random(in: 6..<min(2048, broken.count), using: &random)] = UInt8.random(in: 0...255)
                }
                if round % 16 == 0 { broken = Array(broken.prefix(Int.random(in: 0..<broken.count))) }
                if let offset = DynamicSymbols(broken).offset(of: "__vdso_clock_gettime") {
                    #expect((0..<broken.count).contains(offset))
                }
            }
        }
    }
}
