import Foundation
import LinuxABI
import Stub
import Testing

@testable import HostSystem
@testable import Platform

extension PlatformTests {
    /// A guest can write everything that it shares with the kernel, at any time. Whatever stands there, the kernel reads it
    /// without a trap, stays inside the shared memory, and other guests go on.
    @Suite("Forged contexts")
    struct ForgeryTests {
        /// Guest code that says it asks, with a kind that no stub writes.
        static let forgery: [UInt8] = [
            0x48, 0xbf, 0x00, 0x04, 0x10, 0x00, 0xf0, 0x7e, 0x00, 0x00,  // movabs $0x7ef000100400, %rdi: the hot line
            0xc6, 0x47, 0x04, 0x4d,  // movb $77, 4(%rdi): the kind
            0xc7, 0x07, 0x01, 0x00, 0x00, 0x00,  // movl $1, (%rdi): it asks
            0xeb, 0xfe,  // jmp to itself
        ]

        /// Where they no longer hit anything, forgers prove nothing.
        @Test("hostile guests know where the hot lines are", arguments: ["gadget.h", "forge.c"])
        func layout(file: String) throws {
            let guests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .appendingPathComponent("SandboxTests/Guests")
            let text = try String(contentsOf: guests.appendingPathComponent(file), encoding: .utf8)
            #expect(text.contains("#define STUB 0x\(String(UInt64(APUS_STUB_BASE), radix: 16))ull\n"))
            let contexts = String(UInt64(APUS_STUB_CONTEXTS) - UInt64(APUS_STUB_BASE), radix: 16)
            #expect(text.contains("#define CONTEXTS (STUB + 0x\(contexts))\n"))
            #expect(text.contains("#define HOT (CONTEXTS + 0x\(String(Int(APUS_HOT_OFFSET), radix: 16)))\n"))
        }

        @Test("a request of no known kind is told as forged", arguments: Kind.allCases)
        func unknownKind(kind: Kind) throws {
            let platform = try kind.platform()
            defer { platform.shutDown() }
            let guest = try TinyGuest(platform: platform, code: Self.forgery)
            guard case .forged = try guest.nextEvent() else {
                Issue.record("the forgery was believed")
                return
            }
            guest.end()
        }

        @Test(
            "random bytes in the hot line, the block and the bounce area are read without a trap",
            arguments: Kind.allCases)
        func randomBytes(kind: Kind) throws {
            let platform = try kind.platform()
            defer { platform.shutDown() }
            for number in 0..<Int(APUS_RULED_CALLS) {
                let rule: TrapPlatform.PayloadRule =
                    number % 2 == 0
                    ? .counted(pointer: 0, counter: 1, elementSize: 1)
                    : .string(pointer: number % 3, spare: 3 + number % 4)
                platform.setRules([rule], for: number)
            }
            var code = Assembler()
            code.call(110)
            let guest = try TinyGuest(platform: platform, code: code.bytes)
            let neighbour = try TinyGuest(platform: platform, code: code.bytes)
            _ = try TinyGuest.next(platform, of: guest.thread)
            _ = try TinyGuest.next(platform, of: neighbour.thread)
            let shared = guest.thread.process.contexts
            let hot = Int(APUS_HOT_OFFSET) + guest.thread.slot * MemoryLayout<apus_hot>.size
            let cold = (guest.thread.slot + 1) * Int(APUS_BLOCK_SIZE)
            var generator = InterruptStormTests.Generator()
            let interesting: [UInt64] = [
                0, 1, .max, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, UInt64(APUS_STUB_CONTEXTS), UInt64(APUS_BOUNCE_SIZE),
                UInt64(APUS_STUB_BASE), 0x8000_0000_0000_0000, 4096, 8,
            ]
            func word() -> UInt64 {
                let pick = Int(generator.next(below: UInt64(2 * interesting.count)))
                return pick < interesting.count ? interesting[pick] : generator.next(below: .max)
            }
            var seen: Set<String> = []
            for _ in 0..<20_000 {
                for offset in stride(from: 0, to: MemoryLayout<apus_hot>.size, by: 8) {
                    shared.store(word(), at: hot + offset)
                }
                for offset in stride(from: 0, to: MemoryLayout<apus_cold>.size, by: 8) {
                    shared.store(word(), at: cold + offset)
                }
                // Half of the time a kind that exists, so that what it leads to is read.
                if generator.next(below: 2) == 0 {
                    shared.store(UInt8(truncatingIfNeeded: 1 + generator.next(below: 7)), at: hot + 4)
                }
                seen.insert(read(guest.thread, generator: &generator))
            }
            #expect(seen.count >= 4, "the forgeries were all of one kind: \(seen)")
            // The neighbour has not noticed.
            guard case .syscall(110, _) = try TinyGuest.next(platform, of: neighbour.thread) else {
                Issue.record("the neighbour lost its call")
                return
            }
            guest.end()
            neighbour.end()
        }

        /// Reads everything that the kernel may read of a request.
        /// - Returns: the request's kind, as a word.
        private func read(_ thread: StubThread, generator: inout InterruptStormTests.Generator) -> String {
            let event = thread.event()
            _ = thread.readRegisters()
            _ = thread.readFloatingPoint()
            _ = thread.isRunning
            _ = thread.processor
            let memory = thread.guestMemory
            let address = UInt(truncatingIfNeeded: generator.next(below: .max))
            let count = Int(generator.next(below: 8192))
            do throws(Errno) {
                _ = try [UInt8](capacity: count) { output throws(Errno) in
                    try memory.read(count, at: address, into: &output)
                }
            } catch {
                // A bad address is EFAULT, as it should be.
            }
            if case .syscall(_, let arguments) = event {
                for index in 0..<6 { _ = memory.cachedCount(at: arguments[index]) }
            }
            return String("\(event)".prefix { $0 != "(" })
        }
    }

    @Suite("Death of a host process")
    struct DeathTests {
        final class Mourner: StubOwner {
            var deaths: [Int32] = []
            func stubAsked(_ event: StubEvent, through stub: StubThread) {}
            func stubDied(_ stub: StubThread, waitStatus: Int32) { deaths.append(waitStatus) }
        }

        @Test(
            "without its template and its heir a platform makes no new process, says so, and its guests go on",
            .enabled(if: ThreadDump.children != nil, "the host does not list children"), arguments: Kind.allCases)
        func template(kind: Kind) throws {
            let others = Set(try #require(ThreadDump.children))
            let platform = try kind.platform()
            defer { platform.shutDown() }
            let templates = try #require(ThreadDump.children?.filter { !others.contains($0) })
            #expect(templates.count == 2)
            var code = Assembler()
            code.call(110)
            code.call(111)
            let guest = try TinyGuest(platform: platform, code: code.bytes)
            _ = try guest.nextCall()
            for template in templates { try Host.kill(template, 9) }
            #expect(throws: Errno.self) {
                while true {
                    let process = try platform.newProcess()
                    process.process.kill()
                }
            }
            // Who failed to be born is not asked any more.
            try guest.thread.answer(StubAnswer(value: 0))
            #expect(try guest.nextCall().number == 111)
            guest.end()
        }

        @Test(
            "an heir takes the template's place, and has one itself",
            .enabled(if: ThreadDump.children != nil, "the host does not list children"), arguments: Kind.allCases)
        func heir(kind: Kind) throws {
            let others = Set(try #require(ThreadDump.children))
            let platform = try kind.platform()
            defer { platform.shutDown() }
            var code = Assembler()
            code.call(110)
            for round in 0..<4 {
                // Numbers of processes ascend.
                let template = try #require(ThreadDump.children?.filter { !others.contains($0) }.min())
                try Host.kill(template, 9)
                // Found dead only when it is needed, or before.
                if round % 2 == 1 {
                    let end = ContinuousClock.now + .seconds(20)
                    while kill(template, 0) == 0, ContinuousClock.now < end { _ = platform.takeSignals() }
                    platform.endStrays()
                }
                let guest = try TinyGuest(platform: platform, code: code.bytes)
                #expect(try guest.nextCall().number == 110)
                guest.end()
            }
        }

        @Test("a process that begins where nobody looks is ended, and its owner hears of it")
        func unborn() throws {
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            var code = Assembler()
            code.call(57)
            let guest = try TinyGuest(platform: platform, code: code.bytes)
            _ = try guest.nextCall()
            let child = try guest.thread.process.newProcess(copying: guest.thread, floatingPoint: nil)
            let mourner = Mourner()
            child.owner = mourner
            var answer = StubAnswer()
            // What a sibling can write over the order.
            answer.commands = [.newProcess(slot: child.slot + 1, child: child.process)]
            answer.reports = true
            try guest.thread.answer(answer)
            guard case .commandsDone(let host, nil) = try TinyGuest.next(platform, of: guest.thread) else {
                throw TinyGuest.Unexpected("no child")
            }
            try child.process.hostMade(host, thread: child)
            let end = ContinuousClock.now + .seconds(20)
            var looks = 0
            while mourner.deaths.isEmpty, ContinuousClock.now < end {
                platform.endStrays()
                looks += 1
                _ = platform.takeSignals()
                platform.wait(until: MonotonicTime(nanoseconds: Host.monotonic.nanoseconds + 1_000_000))
            }
            #expect(mourner.deaths == [9])
            #expect(looks > 10)
            guest.end()
        }

        @Test("the death of a guest's process is told to its owner once, with its signal", arguments: Kind.allCases)
        func guest(kind: Kind) throws {
            let platform = try kind.platform()
            defer { platform.shutDown() }
            var code = Assembler()
            code.spin()
            let guest = try TinyGuest(platform: platform, code: code.bytes)
            let mourner = Mourner()
            guest.thread.owner = mourner
            try Host.kill(guest.thread.process.hostProcess, 9)
            let end = ContinuousClock.now + .seconds(20)
            while mourner.deaths.isEmpty, ContinuousClock.now < end {
                _ = platform.takeSignals()
                platform.wait(until: MonotonicTime(nanoseconds: Host.monotonic.nanoseconds + 1_000_000))
            }
            _ = platform.takeSignals()
            #expect(mourner.deaths == [9])
            #expect(guest.thread.process.isDead)
            guest.thread.interrupt()
            #expect(platform.nextEvent() == nil)
        }
    }
}
