import HostSystem
import LinuxABI
import Platform
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
                for _ in 0..<1000 where !process.isDead {
                    platform.wait(until: MonotonicTime(nanoseconds: Host.monotonic.nanoseconds + 10_000_000))
                    _ = platform.takeSignals()
                }
                #expect(process.isDead)
            }
            // What has died is unmapped when nobody asks.
            platform.wait(until: MonotonicTime(nanoseconds: Host.monotonic.nanoseconds + 1_000_000))
            #expect(left.process == nil)
        }

        @Test("nor of one that the kernel has ended", arguments: Way.allCases)
        func killed(way: Way) throws {
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            let left = try endFirst(on: platform, way) { $0.kill() }
            for _ in 0..<100 {
                platform.wait(until: MonotonicTime(nanoseconds: Host.monotonic.nanoseconds + 1_000_000))
                _ = platform.takeSignals()
                if left.process == nil { break }
            }
            #expect(left.process == nil)
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
