import Foundation
import HostSystem
import LinuxABI
import Testing
import TraceModel

@testable import Corpus

@Suite("programs of the host", .serialized)
struct HostProgramTests {
    private func run(_ script: String, seconds: Int = 20) throws -> HostProgram.Outcome {
        try HostProgram.run(["/bin/sh", "-c", script], seconds: seconds)
    }

    @Test("give their outputs and status")
    func outputs() throws {
        let outcome = try run("echo out; echo err >&2; exit 7")
        #expect(outcome.standardOutput.bytes == Array("out\n".utf8))
        #expect(outcome.standardError.bytes == Array("err\n".utf8))
        #expect(outcome.status.exitCode == 7)
        #expect(!outcome.timedOut)
    }

    @Test("give what they have written even when another holds their outputs open")
    func heldOutputs() throws {
        let outcome = try run("sleep 1000 & echo $!")
        let text = String(decoding: outcome.standardOutput.bytes, as: UTF8.self)
        let sleeper = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        try Host.kill(sleeper, 9)
        #expect(!outcome.standardOutput.isClosed)
    }

    @Test("killed ones give their signal")
    func signal() throws {
        #expect(try run("kill -SEGV $$").status.signal == 11)
    }

    @Test("get no descriptor of ours but the three")
    func descriptors() throws {
        let outcome = try run("ls /proc/$$/fd")
        #expect(outcome.standardOutput.bytes == Array("0\n1\n2\n".utf8))
    }

    @Test("that never end are dumped and killed")
    func timeout() throws {
        var dumps: [ThreadDump] = []
        var command = HostCommand(path: "/bin/sh", arguments: ["sh", "-c", "sleep 1000 >/dev/null 2>&1; true"])
        command.environment = ["PATH=/usr/bin:/bin"]
        func areAsleep() -> Bool { dumps.map(\.name) == ["sh", "sleep"] && dumps.allSatisfy { $0.state == "S" } }
        // Longer when the host is so busy that a second brings no program to where it sleeps.
        for seconds in [1, 15, 60] where !areAsleep() {
            let outcome = try HostProgram.run(command, seconds: seconds) { dumps = ProcessDump.take(below: $0) }
            #expect(outcome.timedOut)
            #expect(outcome.status.signal == 9)
            // The shell's child outlives it and holds the outputs; nothing of this test may stay.
            for dump in dumps.dropFirst() { try? Host.kill(dump.process, 9) }
        }
        #expect(areAsleep(), "\(dumps)")
    }

    @Test("that are not there give the errno")
    func missing() {
        #expect(throws: Errno.ENOENT) { try HostProgram.run(["/nowhere/program"], seconds: 5) }
        #expect(throws: Errno.EACCES) { try HostProgram.run(["/etc/passwd"], seconds: 5) }
    }

    @Test("may write more than is kept")
    func bounded() throws {
        let outcome = try run("head -c 9000000 /dev/zero")
        #expect(outcome.standardOutput.count == 9_000_000)
        #expect(outcome.standardOutput.bytes.count == OutputCapture.limit)
        #expect(!outcome.standardOutput.isWhole)
    }
}

@Suite("a few workers")
struct WorkersTests {
    @Test("do everything once", arguments: [1, 3, 50])
    func once(count: Int) {
        let sums = Sums()
        Workers(count).run(Array(1...200)) { sums.add($0) }
        #expect(sums.all.sorted() == Array(1...200))
    }

    private final class Sums: @unchecked Sendable {
        private let lock = NSLock()
        private var seen: [Int] = []

        func add(_ number: Int) { lock.withLock { seen.append(number) } }
        var all: [Int] { lock.withLock { seen } }
    }
}

@Suite("what the sandbox is started with")
struct SandboxLauncherTests {
    @Test("its options stand before the command")
    func arguments() {
        var launcher = SandboxLauncher(kernel: "/k")
        launcher.environment = ["A=1", "B="]
        launcher.workingDirectory = "/w"
        launcher.isReadOnly = true
        launcher.binds = [
            .init(source: "/s", destination: "/d"), .init(source: "/r", destination: "/r", isReadOnly: true),
        ]
        launcher.memory = 1024
        launcher.trace = "/t"
        launcher.isVerbose = true
        #expect(
            launcher.arguments(["ls", "--", "-l"]) == [
                "/k", "--root", "/", "--env", "A=1", "--env", "B=", "--cwd", "/w", "--readonly", "--bind", "/s:/d",
                "--bind", "/r:/r:ro", "--memory", "1024", "--trace", "/t", "--verbose", "--", "ls", "--", "-l",
            ])
    }

    @Test("its list of calls is read, and a malformed one refused")
    func support() throws {
        let rows = try SyscallSupport.parse("0\tread\tfull\t\n101\tptrace\trefused\tnot here\n", from: "k")
        #expect(rows.map(\.status) == [.full, .refused])
        #expect(rows[1].note == "not here")
        #expect(throws: CorpusError.self) { try SyscallSupport.parse("zero\tread\tfull\n", from: "k") }
        #expect(throws: CorpusError.self) { try SyscallSupport.parse("0\tread\tsome\n", from: "k") }
    }
}
