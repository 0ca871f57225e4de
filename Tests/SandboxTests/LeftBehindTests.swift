import Foundation
import Testing

extension SandboxTests {
    /// Whichever process of a sandbox is killed, the host takes the others with it.
    @Suite("kill -9")
    struct LeftBehind {
        /// A guest with children that fork, that sleep, and that compute.
        static let busy = """
            sleep 1000 &
            (while :; do /bin/true; done) &
            (while :; do :; done) &
            echo ready
            wait
            """

        /// With privileges there is a namespace of process numbers that ends with the kernel; without, only signals.
        static let users = [[], ["setpriv", "--reuid=54321", "--clear-groups"]]

        @Test("of the supervisor leaves no process behind", arguments: users)
        func supervisor(wrapper: [String]) async throws {
            try await killing(wrapper) { family in family[0] }
        }

        @Test("of the kernel process leaves no process behind", arguments: users)
        func kernel(wrapper: [String]) async throws {
            try await killing(wrapper) { family in try Self.kernel(of: family) }
        }

        @Test("of the template and of every stub leaves no process behind")
        func stubs() async throws {
            try await killing { family in
                let kernel = try Self.kernel(of: family)
                let stubs = family.filter { $0.parent == kernel.process }
                try #require(stubs.count >= 5)
                for stub in stubs { _ = kill(stub.process, SIGKILL) }
                return stubs[0]
            }
        }

        @Test("of a child's stub ends that child and no other")
        func oneChild() async throws {
            let guest = try await Guest([
                "bash", "-c", "sleep 1000 & child=$!; echo ready; wait $child; echo $?; exit 4",
            ])
            try await guest.printed("ready")
            let stubs = try Self.stubs(of: Family.members(below: guest.process))
            try #require(stubs.count == 4)
            _ = kill(stubs[3].process, SIGKILL)
            let outcome = try await guest.wait()
            #expect(outcome.output == "ready\n137\n")
            #expect(outcome.status == 4)
        }

        @Test("of the template, and of each that takes its place, leaves programs that start others")
        func template() async throws {
            // Dash executes programs from vfork, for which a new stub is needed each time.
            let guest = try await Guest([
                "dash", "-c", "echo ready; for n in 1 2 3 4 5 6 7 8 9; do sleep 0.5 || echo $n; done; echo over",
            ])
            try await guest.printed("ready")
            for _ in 0..<3 {
                // One that is being made for a program has no guest either, but not for long.
                var pair: [Int32] = []
                var seen = 0
                try await Watchdog.until("there is an heir", dumping: { Family.members(below: guest.process) }) {
                    let stubs = (try? Self.stubs(of: Family.members(below: guest.process))) ?? []
                    let now = stubs.filter(Self.hasNoGuest).map(\.process)
                    seen = now == pair ? seen + 1 : 0
                    pair = now
                    return pair.count == 2 && seen >= 20
                }
                _ = kill(try #require(pair.first), SIGKILL)
            }
            let outcome = try await guest.wait()
            #expect(outcome.output == "ready\nover\n")
            #expect(outcome.status == 0)
        }

        /// Nothing is mapped there but the stub.
        private static func hasNoGuest(_ stub: Family.Member) -> Bool {
            guard let maps = try? String(contentsOfFile: "/proc/\(stub.process)/maps", encoding: .utf8) else {
                return false
            }
            let lines = maps.split(separator: "\n")
            return !lines.isEmpty && lines.allSatisfy { $0.hasPrefix("7ef0") || $0.hasSuffix("[vsyscall]") }
        }

        /// Host processes in the order in which they were made: the template, its heir, and the guests'.
        private static func stubs(of family: [Family.Member]) throws -> [Family.Member] {
            let kernel = try kernel(of: family)
            return family.filter { $0.parent == kernel.process }.sorted {
                ($0.start, $0.process) < ($1.start, $1.process)
            }
        }

        /// Starts a busy guest, kills the process that `choose` gives, and waits until the whole family is gone.
        private func killing(
            _ wrapper: [String] = [], _ choose: ([Family.Member]) throws -> Family.Member
        ) async throws {
            let mounts = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
            let guest = try await Guest(["bash", "-c", Self.busy], wrapper: wrapper)
            try await guest.printed("ready")
            var family = Set(Family.members(below: guest.process))
            let chosen = try choose(Family.members(below: guest.process))
            // Who was born meanwhile belongs to the family, too.
            family.formUnion(Family.members(below: guest.process))
            _ = kill(chosen.process, SIGKILL)
            let members = Array(family)
            try await Watchdog.until("the family is gone", dumping: { Family.alive(members) }) {
                Family.alive(members).isEmpty
            }
            _ = try await guest.wait()
            #expect(try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8) == mounts)
        }

        private static func kernel(of family: [Family.Member]) throws -> Family.Member {
            try #require(family.first { $0.parent == family[0].process })
        }
    }
}
