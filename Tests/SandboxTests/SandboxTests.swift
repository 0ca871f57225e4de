import Foundation
import Testing

/// What users see of the sandbox: the built `apus-kernel` is started, as `apus run` starts it.
///
/// One test at a time: each starts some processes, and none may starve another.
@Suite("The sandbox as a process", .serialized)
enum SandboxTests {}

extension SandboxTests {
    @Suite("Exit status")
    struct ExitStatus {
        @Test(
            "is the program's, or 128 and the signal that killed it",
            arguments: [
                (["true"], 0), (["false"], 1), (["bash", "-c", "exit 3"], 3), (["bash", "-c", "exit 255"], 255),
                (["bash", "-c", "kill -TERM $$"], 143), (["bash", "-c", "kill -KILL $$"], 137),
                (["bash", "-c", "kill -SEGV $$"], 139), (["bash", "-c", "bash -c 'kill -KILL $$'; exit 5"], 5),
            ] as [([String], Int32)])
        func program(command: [String], status: Int32) async throws {
            let outcome = try await Guest.run(command)
            #expect(outcome.status == status, "\(outcome.errors)")
        }

        @Test(
            "is 127 for a program that is not there, 126 for one that cannot be executed, with a message",
            arguments: [
                ("/no/such/program", 127), ("no-such-program", 127), ("/etc/passwd", 126), ("/usr", 126),
                ("/etc/passwd/x", 127),
            ] as [(String, Int32)])
        func noProgram(program: String, status: Int32) async throws {
            let outcome = try await Guest.run([program])
            #expect(outcome.status == status)
            #expect(outcome.errors.contains(program))
            #expect(outcome.output.isEmpty)
        }

        @Test(
            "is 125 for a sandbox that cannot be set up, with a message that names what is wrong",
            arguments: [
                (["--root", "/no/such/root"], "/no/such/root"), (["--cwd", "/no/such/folder"], "/no/such/folder"),
                (["--memory", "lots"], "lots"), (["--bind", "relative:/x"], "relative:/x"),
                (["--sideways"], "--sideways"),
                (["--bind", "/no/such/source:/tmp"], "/no/such/source"),
                (["--trace", "/no/such/folder/t"], "/no/such"),
            ])
        func refused(options: [String], named: String) async throws {
            let outcome = try await Guest.run(["true"], options: options)
            #expect(outcome.status == 125)
            #expect(outcome.errors.contains(named))
        }
    }

    @Suite("Streams")
    struct Streams {
        @Test("standard input reaches the guest, and its output comes out")
        func copied() async throws {
            let text = String(repeating: "a line with ümlauts\n", count: 20_000)
            let outcome = try await Guest.run(["cat"], input: text)
            #expect(outcome.output == text)
            #expect(outcome.errors.isEmpty)
        }

        @Test("standard error stays apart")
        func apart() async throws {
            let outcome = try await Guest.run(["bash", "-c", "echo out; echo err >&2"])
            #expect(outcome.output == "out\n")
            #expect(outcome.errors == "err\n")
        }

        @Test("pipes of the host work on both sides, whoever closes first")
        func pipes() async throws {
            let script = """
                seq 100000 | "$0" --env PATH=/usr/bin:/bin -- sort -n | tail -n 1
                "$0" --env PATH=/usr/bin:/bin -- yes | head -n 1
                echo "${PIPESTATUS[0]}"
                """
            let outcome = try await HostShell.run(script, arguments: [Guest.kernel])
            #expect(outcome == "100000\ny\n141\n")
        }

        @Test("a stream that the host has closed is closed for the guest")
        func closed() async throws {
            let script = "\"$0\" --env PATH=/usr/bin:/bin -- bash -c 'cat <&0 2>/dev/null || echo closed' <&-"
            #expect(try await HostShell.run(script, arguments: [Guest.kernel]) == "closed\n")
        }
    }

    @Suite("Signals from outside")
    struct OutsideSignals {
        static let looping = "echo ready; while :; do sleep 0.05; done"

        @Test("Ctrl-C reaches a guest that handles it")
        func interruptHandled() async throws {
            let guest = try await Guest(["bash", "-c", "trap 'echo got it; exit 7' INT; \(Self.looping)"])
            try await guest.printed("ready")
            _ = kill(-guest.process, SIGINT)
            let outcome = try await guest.wait()
            #expect(outcome.status == 7)
            #expect(outcome.output == "ready\ngot it\n")
        }

        @Test("Ctrl-C ends a guest that does not, with all its children")
        func interruptDefault() async throws {
            let guest = try await Guest(["bash", "-c", "sleep 1000 & \(Self.looping)"])
            try await guest.printed("ready")
            let family = Family.members(below: guest.process)
            _ = kill(-guest.process, SIGINT)
            #expect(try await guest.wait().status == 130)
            try await Watchdog.until("the family is gone", dumping: { Family.alive(family) }) {
                Family.alive(family).isEmpty
            }
        }

        @Test("a signal to the supervisor is passed on", arguments: [SIGTERM, SIGHUP, SIGUSR1])
        func passedOn(signal: Int32) async throws {
            let guest = try await Guest(["bash", "-c", "trap 'exit 9' TERM HUP USR1; \(Self.looping)"])
            try await guest.printed("ready")
            _ = kill(guest.process, signal)
            #expect(try await guest.wait().status == 9)
        }

        @Test("a signal to the supervisor is for the first program alone, not for its children")
        func firstAlone() async throws {
            let child = "trap 'echo wrong' HUP; trap 'echo child ends; exit' USR1; \(Self.looping)"
            let parent = "trap 'kill -USR1 $!; wait $!; exit 9' HUP; (\(child)) & while :; do sleep 0.05; done"
            let guest = try await Guest(["bash", "-c", parent])
            try await guest.printed("ready")
            _ = kill(guest.process, SIGHUP)
            let outcome = try await guest.wait()
            #expect(outcome.status == 9)
            #expect(outcome.output == "ready\nchild ends\n")
        }
    }
}

/// A script of the host's shell, for what only a shell can set up.
enum HostShell {
    /// - Returns: its standard output.
    static func run(_ script: String, arguments: [String]) async throws -> String {
        let folder = try Scratch.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let output = folder.appendingPathComponent("output")
        try Data().write(to: output)
        let process = try await Spawner.shared.run {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/bash")
            process.arguments = ["-c", script] + arguments
            process.standardOutput = try FileHandle(forWritingTo: output)
            process.standardInput = FileHandle.nullDevice
            try process.run()
            return process
        }
        let number = process.processIdentifier
        try await Watchdog.until("the host's shell ends", dumping: { Family.members(below: number) }) {
            !process.isRunning
        }
        return String(decoding: try Data(contentsOf: output), as: UTF8.self)
    }
}
