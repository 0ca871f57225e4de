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
                try #require(stubs.count >= 4)
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
            let family = Family.members(below: guest.process)
            let kernel = try Self.kernel(of: family)
            // Host processes are made in this order: the template, bash, sleep.
            let stubs = family.filter { $0.parent == kernel.process }.sorted {
                ($0.start, $0.process) < ($1.start, $1.process)
            }
            try #require(stubs.count == 3)
            _ = kill(stubs[2].process, SIGKILL)
            let outcome = try await guest.wait()
            #expect(outcome.output == "ready\n137\n")
            #expect(outcome.status == 4)
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
