import HostSystem
import LinuxABI
import Testing

@testable import Platform

extension PlatformTests {
    @Suite("Hand-over", .enabled(if: Host.processorCount > 1))
    struct HandOverTests {
        /// Two guests in their first calls: the one's answer is held, the other one sleeps, both on another processor than this.
        private static func pair(_ platform: TrapPlatform) throws -> (waker: TinyGuest, sleeper: TinyGuest) {
            var code = Assembler()
            code.call(110)
            code.raw(0x48, 0x89, 0xc7)  // mov %rax, %rdi
            code.call(231)
            let waker = try TinyGuest(platform: platform, code: code.bytes)
            guard case .syscall = try TinyGuest.next(platform, of: waker.thread) else { throw TinyGuest.Unexpected("") }
            let sleeper = try TinyGuest(platform: platform, code: code.bytes)
            guard case .syscall = try TinyGuest.next(platform, of: sleeper.thread) else {
                throw TinyGuest.Unexpected("")
            }
            sleeper.thread.block()
            let end = Host.monotonic.nanoseconds + 10_000_000_000
            while !sleeper.thread.sleeps, Host.monotonic.nanoseconds < end { Host.relax() }
            for thread in [waker.thread, sleeper.thread] {
                thread.memory.store(UInt8(platform.publishedProcessor ^ 1), at: thread.hot + StubThread.Hot.cpu)
            }
            waker.thread.memory.store(UInt16(0), at: waker.thread.hot + StubThread.Hot.action)
            platform.handOver.held = waker.thread
            waker.thread.isHeld = true
            sleeper.thread.answer(value: 7)
            #expect(platform.handOver.entrusted === sleeper.thread)
            return (waker, sleeper)
        }

        @Test(
            "a stub that is told to wakes another process's, also one that is to sleep itself",
            arguments: [false, true])
        func wakes(rests: Bool) throws {
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            let (waker, sleeper) = try Self.pair(platform)
            waker.thread.isHeldAtRest = rests
            platform.settleHandOver()
            if rests { #expect(!waker.thread.asks && !waker.thread.isRunning) }
            // Nothing here wakes anybody.
            let end = Host.monotonic.nanoseconds + 10_000_000_000
            while !sleeper.thread.asks, Host.monotonic.nanoseconds < end { Host.relax() }
            guard case .syscall(231, let arguments) = sleeper.thread.event() else {
                Issue.record("not woken")
                return
            }
            #expect(arguments[0] == 7)
            waker.end()
            sleeper.end()
        }

        @Test("the template is not left to a stub that is held")
        func template() throws {
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            let (waker, sleeper) = try Self.pair(platform)
            platform.settleHandOver()
            let template = try #require(platform.templateThread)
            let end = Host.monotonic.nanoseconds + 10_000_000_000
            while !waker.thread.asks || !template.sleeps, Host.monotonic.nanoseconds < end { Host.relax() }
            for thread in [waker.thread, template] {
                thread.memory.store(UInt8(platform.publishedProcessor ^ 1), at: thread.hot + StubThread.Hot.cpu)
            }
            platform.handOver.held = waker.thread
            waker.thread.isHeld = true
            let process = try platform.newProcess().process
            #expect(platform.handOver.held == nil)
            process.kill()
            waker.end()
            sleeper.end()
        }

        @Test("whoever is not woken by the stub that was told to is woken by the kernel")
        func isNotBelieved() throws {
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            let (waker, sleeper) = try Self.pair(platform)
            // A guest's doing.
            waker.thread.memory.store(UInt16(0), at: waker.thread.hot + StubThread.Hot.action)
            platform.settleHandOver()
            // As the kernel does between requests; the waker has one, which nobody takes.
            let end = Host.monotonic.nanoseconds + 10_000_000_000
            while !sleeper.thread.asks, Host.monotonic.nanoseconds < end { platform.settleHandOver() }
            #expect(sleeper.thread.asks)
            waker.end()
            sleeper.end()
        }

        @Test("whoever sleeps on a spoilt word with an answer is woken with all of those")
        func oversleepers() throws {
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            let (waker, sleeper) = try Self.pair(platform)
            platform.handOver.entrusted = nil
            platform.wakeOversleepers()
            let end = Host.monotonic.nanoseconds + 10_000_000_000
            while !sleeper.thread.asks, Host.monotonic.nanoseconds < end { Host.relax() }
            #expect(sleeper.thread.asks)
            waker.end()
            sleeper.end()
        }

        /// A guest in its first call that has often had to wait, but never long: so it is told to give way.
        private static func turnTaker(_ platform: TrapPlatform) throws -> TinyGuest {
            var code = Assembler()
            code.call(110)
            code.raw(0x48, 0x89, 0xc7)  // mov %rax, %rdi
            code.call(231)
            let guest = try TinyGuest(platform: platform, code: code.bytes)
            guard case .syscall = try TinyGuest.next(platform, of: guest.thread) else { throw TinyGuest.Unexpected("") }
            for _ in 0..<WaitTurns.proof {
                _ = guest.thread.turns.begins(at: 0, maySwitch: true)
                guest.thread.turns.ended(at: 1, isElsewhere: true)
            }
            guest.thread.memory.store(
                UInt8(platform.publishedProcessor ^ 1), at: guest.thread.hot + StubThread.Hot.cpu)
            return guest
        }

        @Test("a stub that gives way takes its answer, at once or once it has fallen asleep", arguments: [false, true])
        func givesWay(sleeps: Bool) throws {
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            let guest = try Self.turnTaker(platform)
            guest.thread.block()
            #expect(guest.thread.turns.isTaking)
            let end = Host.monotonic.nanoseconds + 10_000_000_000
            if sleeps {
                // Nobody gives way for ever.
                while !guest.thread.sleeps, Host.monotonic.nanoseconds < end { Host.relax() }
                #expect(guest.thread.sleeps)
            }
            guest.thread.answer(value: 7)
            while !guest.thread.asks, Host.monotonic.nanoseconds < end { Host.relax() }
            guard case .syscall(231, let arguments) = guest.thread.event() else {
                Issue.record("not woken")
                return
            }
            #expect(arguments[0] == 7)
            #expect(!guest.thread.turns.isTaking)
            guest.end()
        }

        @Test("the answer of who brings it is not held, but says to give way; where it sleeps already it is")
        func isNotHeld() throws {
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            let guest = try Self.turnTaker(platform)
            let waker = try Self.turnTaker(platform)
            let end = Host.monotonic.nanoseconds + 10_000_000_000
            while !guest.thread.sleeps, Host.monotonic.nanoseconds < end { Host.relax() }
            // Only said: its stub has given up looking for an answer.
            _ = guest.thread.turns.begins(at: 0, maySwitch: true)
            guest.thread.isBlocked = true
            guest.thread.memory.store(UInt32(0), at: guest.thread.cold + StubThread.Cold.sleeps)
            guest.thread.memory.store(waker.thread.processor, at: guest.thread.hot + StubThread.Hot.cpu)
            #expect(guest.thread.takesTurns)
            waker.thread.answer(value: 7, waking: true, next: guest.thread)
            #expect(platform.handOver.held == nil)
            guest.thread.memory.store(UInt32(1), at: guest.thread.cold + StubThread.Cold.sleeps)
            #expect(!guest.thread.takesTurns)
            guest.end()
            waker.end()
        }
    }
}
