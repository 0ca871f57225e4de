import HostSystem
import LinuxABI
import Testing

@testable import Platform

/// One test at a time: a process has one set of signal handlers, so one platform.
@Suite("Platform", .serialized)
enum PlatformTests {
    /// How calls reach the kernel.
    enum Kind: CaseIterable {
        case trapped, traced

        func platform(decidesOnClones: Bool = true) throws -> TrapPlatform {
            try TrapPlatform(decidesOnClones: decidesOnClones, traces: self == .traced)
        }
    }
}

extension PlatformTests {
    @Suite("The trap platform")
    struct TrapPlatformTests {
        @Test(
            "a call arrives with its number and arguments, and its result reaches the guest",
            arguments: Kind.allCases)
        func callAndResult(kind: Kind) throws {
            let platform = try kind.platform()
            defer { platform.shutDown() }
            var code = Assembler()
            code.loadArgument(-7)
            code.call(110)
            code.raw(0x48, 0x89, 0xc7)  // mov %rax, %rdi
            code.call(231)
            let guest = try TinyGuest(platform: platform, code: code.bytes)
            let first = try guest.nextCall()
            #expect(first.number == 110)
            #expect(Int(bitPattern: first.arguments[0]) == -7)
            try guest.thread.answer(StubAnswer(value: 42))
            let second = try guest.nextCall()
            #expect(second.number == 231)
            #expect(second.arguments[0] == 42)
            guest.end()
        }

        @Test("a fault arrives with its signal and address", arguments: Kind.allCases)
        func fault(kind: Kind) throws {
            let platform = try kind.platform()
            defer { platform.shutDown() }
            // mov 0x1234, %al (absolute)
            let guest = try TinyGuest(platform: platform, code: [0x8a, 0x04, 0x25, 0x34, 0x12, 0, 0])
            guard case .fault(let fault) = try guest.nextEvent() else {
                Issue.record("no fault")
                return
            }
            #expect(fault.signal == 11)
            #expect(fault.address == 0x1234)
            #expect(guest.thread.readRegisters().rip == TinyGuest.codeBase)
            guest.end()
        }

        @Test("an interrupt stops a guest that computes, with its registers", arguments: Kind.allCases)
        func interrupt(kind: Kind) throws {
            let platform = try kind.platform()
            defer { platform.shutDown() }
            var code = Assembler()
            code.loadArgument(99)
            code.call(110)
            code.spin()
            let guest = try TinyGuest(platform: platform, code: code.bytes)
            _ = try guest.nextCall()
            try guest.thread.answer(StubAnswer(value: 0))
            for _ in 0..<100 {
                guest.thread.interrupt()
                guard case .interrupted = try guest.nextEvent() else {
                    Issue.record("not interrupted")
                    return
                }
                let registers = guest.thread.readRegisters()
                #expect(registers.rdi == 99)
                var answer = StubAnswer()
                answer.registers = registers
                try guest.thread.answer(answer)
            }
            guest.end()
        }

        @Test(
            "a cloned process has the parent's memory and its own registers, whether the kernel decides on it or not",
            arguments: [true, false], Kind.allCases)
        func clone(decides: Bool, kind: Kind) throws {
            let platform = try kind.platform(decidesOnClones: decides)
            #expect(platform.decidesOnClones == (kind == .traced || decides && Host.hasAskingFilters))
            defer { platform.shutDown() }
            // The heir is being born, too.
            while platform.heir?.isDisowned == true { _ = platform.nextEvent() }
            var code = Assembler()
            code.call(57)
            code.raw(0x48, 0x89, 0xc7)
            code.call(39)
            let guest = try TinyGuest(platform: platform, code: code.bytes)
            _ = try guest.nextCall()
            // Without a tracer the stub hands its own on.
            let state = kind == .traced ? guest.thread.readFloatingPoint() : nil
            #expect(kind != .traced || state != nil)
            let child = try guest.thread.process.newProcess(copying: guest.thread, floatingPoint: state)
            var answer = StubAnswer()
            answer.commands = [.newProcess(slot: child.slot, child: child.process)]
            answer.reports = true
            let registers = guest.thread.readRegisters()
            #expect(platform.births == 1)
            try guest.thread.answer(answer)
            var seen: Set<String> = []
            for _ in 0..<2 {
                let (thread, event) = try TinyGuest.next(platform)
                switch event {
                case .commandsDone(let host, nil):
                    #expect(host > 0)
                    try child.process.hostMade(host, thread: child)
                    #expect(thread === guest.thread)
                    thread.block()
                    seen.insert("parent")
                case .ready:
                    #expect(thread === child)
                    // It goes on below: its next call could come before the parent's report.
                    thread.block()
                    seen.insert("child")
                default: Issue.record("\(event)")
                }
            }
            #expect(seen == ["parent", "child"])
            #expect(platform.births == 0)
            var start = StubAnswer()
            start.registers = registers
            start.registers?.rax = 0
            try child.answer(start)
            // Not before: the parent's next call could come before the child's first word.
            try guest.thread.answer(StubAnswer(value: 1000))
            var results: Set<UInt> = []
            for _ in 0..<2 {
                let (thread, event) = try TinyGuest.next(platform)
                guard case .syscall(39, let arguments) = event else {
                    Issue.record("\(event)")
                    return
                }
                // Else it would be seen again.
                thread.block()
                results.insert(arguments[0])
            }
            #expect(results == [0, 1000])
            child.process.kill()
            guest.end()
        }

        @Test(
            "int 0x80 and numbers that no call has arrive as calls that do not exist",
            arguments: [true, false], Kind.allCases)
        func strangeCalls(legacy: Bool, kind: Kind) throws {
            let platform = try kind.platform()
            defer { platform.shutDown() }
            var code = Assembler()
            if legacy {
                code.raw(0xb8, 20, 0, 0, 0, 0xcd, 0x80)
            } else {
                code.call(0x1234567)
            }
            let guest = try TinyGuest(platform: platform, code: code.bytes)
            #expect(try guest.nextCall().number == (legacy ? SyscallTable.foreignBase + 20 : 0x1234567))
            guest.end()
        }
    }

    @Suite("Payloads beside a call")
    struct PayloadTests {
        @Test("what the rules name is there without another host call, and small results travel with the answer")
        func payloads() throws {
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            platform.setRules([.counted(pointer: 0, counter: 1, elementSize: 1)], for: 500 - 100)
            var code = Assembler()
            code.loadArgument(Int32(TinyGuest.codeBase) + 0x8000)
            code.raw(0xbe, 5, 0, 0, 0)  // mov $5, %esi
            code.call(400)
            code.raw(0x0f, 0xb6, 0x3f)  // movzbl (%rdi), %edi
            code.call(401)
            var image = code.bytes
            image += [UInt8](repeating: 0, count: 0x8000 - image.count) + Array("swift".utf8)
            let guest = try TinyGuest(platform: platform, code: image)
            let call = try guest.nextCall()
            #expect(call.number == 400)
            let memory = guest.thread.guestMemory
            #expect(memory.cachedCount(at: call.arguments[0]) == 5)
            let bytes = try [UInt8](capacity: 5) { output throws(Errno) in
                try memory.read(5, at: call.arguments[0], into: &output)
            }
            #expect(bytes == Array("swift".utf8))
            memory.mayWrite = { _, _ in true }
            try memory.write([77].span, at: call.arguments[0])
            try guest.thread.answer(StubAnswer(value: 0))
            #expect(try guest.nextCall().arguments[0] == 77)
            guest.end()
        }

        @Test("who traces is told at once of a bad address for a result")
        func badAddressAtOnce() throws {
            let platform = try TrapPlatform(traces: true)
            defer { platform.shutDown() }
            var code = Assembler()
            code.call(400)
            code.call(401)
            let guest = try TinyGuest(platform: platform, code: code.bytes)
            _ = try guest.nextCall()
            let memory = guest.thread.guestMemory
            memory.mayWrite = { _, _ in true }
            do throws(Errno) {
                try memory.write([1].span, at: 0x7000)
                Issue.record("the address is bad")
            } catch {
                #expect(error == .EFAULT)
            }
            try guest.thread.answer(StubAnswer(value: 0))
            #expect(try guest.nextCall().number == 401)
            guest.end()
        }

        @Test("a result for a bad address is reported, not lost")
        func badAddress() throws {
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            var code = Assembler()
            code.call(400)
            let guest = try TinyGuest(platform: platform, code: code.bytes)
            _ = try guest.nextCall()
            guest.thread.guestMemory.mayWrite = { _, _ in true }
            try guest.thread.guestMemory.write([1].span, at: 0x7000)
            try guest.thread.answer(StubAnswer(value: 0))
            guard case .commandsDone(_, .EFAULT?) = try guest.nextEvent() else {
                Issue.record("the fault was lost")
                return
            }
            guest.end()
        }
    }
}
