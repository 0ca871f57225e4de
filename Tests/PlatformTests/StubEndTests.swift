import HostSystem
import LinuxABI
@testable import Platform
import Testing

extension PlatformTests {
    /// Threads and their process hold each other. What is done to a thread after its process has gone must not make that so
    /// again: what stub and kernel share would stay with the kernel for ever.
    @Suite("The end of a stub process")
    struct StubEndTests {
        enum Way: CaseIterable {
            case end, abandon, disown
        }

        private struct Weakly {
            weak var process: StubProcess?
        }

        @Test(
            "nothing is kept of one that the host has ended, whatever its threads are told afterwards",
            arguments: Way.allCases)
        func diedByItself(way: Way) throws {
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            let left = try endFirst(on: platform, way) { process in
                try Host.kill(process.hostProcess, 9)
                Self.wait(on: platform) { process.isDead }
                #expect(process.isDead)
            }
            // What has died is unmapped when nobody asks.
            platform.wait(until: MonotonicTime(nanoseconds: Host.monotonic.nanoseconds + 1_000_000))
            #expect(left.process == nil)
        }

        @Test("nor of one that the template, which was killed with its heir, cannot make")
        func withoutTemplate() throws {
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            let template = try #require(platform.template)
            let heir = try #require(platform.heir)
            while heir.isDisowned { _ = platform.nextEvent() }
            let before = platform.watched.count
            for process in [template, heir.process] { try Host.kill(process.hostProcess, 9) }
            // Not noticed yet, then noticed.
            for _ in 0..<2 {
                #expect(throws: Errno.EAGAIN) { _ = try platform.newProcess() }
                #expect(platform.watched.count == before)
                Self.wait(on: platform) { template.isDead && heir.process.isDead }
                #expect(template.isDead)
            }
        }

        @Test("nor of one that the kernel has ended", arguments: Way.allCases)
        func killed(way: Way) throws {
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            let left = try endFirst(on: platform, way) { $0.kill() }
            Self.wait(on: platform) { left.process == nil }
            #expect(left.process == nil)
        }

        /// Half a minute at most: a wait of the platform's is over at once where somebody asks.
        private static func wait(on platform: TrapPlatform, until isOver: () -> Bool) {
            let end = Host.monotonic.nanoseconds + 30_000_000_000
            while !isOver(), Host.monotonic.nanoseconds < end {
                platform.wait(until: MonotonicTime(nanoseconds: Host.monotonic.nanoseconds + 1_000_000))
                _ = platform.takeSignals()
            }
        }

        /// Ends a guest that waits for an answer, then does as told with its thread.
        private func endFirst(
            on platform: TrapPlatform, _ way: Way, _ end: (StubProcess) throws -> Void
        ) throws -> Weakly {
            var code = Assembler()
            code.call(110)
            let guest = try TinyGuest(platform: platform, code: code.bytes)
            _ = try guest.nextCall()
            let thread = guest.thread
            let process = thread.process
            try end(process)
            switch way {
            case .end: process.end(thread)
            case .abandon: process.abandon(thread)
            case .disown: process.disown(thread)
            }
            #expect(throws: Errno.EAGAIN) { try process.newThread(floatingPoint: platform.initialFloatingPoint) }
            return Weakly(process: process)
        }
    }
}
