import Corpus
import Foundation
import HostSystem
import Testing
import TraceModel

/// What the tests' own build has made beside their bundle.
enum Built {
    static let apus = find("apus")
    static let toolkit = find("apus-toolkit")
    static let standIn = find("kernel-stand-in")

    private static func find(_ name: String) -> String? {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? ""
        let folders = [own, bundle].map { ($0 as NSString).deletingLastPathComponent }
        return (folders + [FileManager.default.currentDirectoryPath + "/.build/debug"]).map { "\($0)/\(name)" }
            .first(where: FileManager.default.isExecutableFile(atPath:))
    }
}

/// The program itself, with a stand-in for the sandbox that runs programs natively.
@Suite(
    "apus", .enabled(if: Built.apus != nil && Built.standIn != nil, "skipped: apus is not built"),
    .serialized)
struct ProgramTests {
    private let folder: String
    private let cleanUp: CleanUp

    private final class CleanUp {
        let path: String
        init(_ path: String) { self.path = path }
        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    init() throws {
        folder = NSTemporaryDirectory() + "apus-commands-\(UUID().uuidString)"
        cleanUp = CleanUp(folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private func run(
        _ words: [String], fault: String = "none", environment: [String] = [], input: FileHandle? = nil
    ) throws -> Outcome {
        let apus = try #require(Built.apus)
        let standIn = try #require(Built.standIn)
        let kernel = "\(folder)/kernel-\(fault)"
        try Data("#!/bin/sh\nexec '\(standIn)' --fault \(fault) \"$@\"\n".utf8).write(to: URL(fileURLWithPath: kernel))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: kernel)
        var command = HostCommand(
            path: apus, arguments: ["apus"] + words,
            environment: ["PATH=/usr/bin:/bin", "APUS_KERNEL=\(kernel)"] + environment, workingDirectory: folder)
        if let input { command.standardInput = input.fileDescriptor }
        return Outcome(try HostProgram.run(command, seconds: 60))
    }

    /// Starts a command that reads nothing, and whose outputs nobody reads but those of `errors`.
    private func spawn(_ command: HostCommand, errors: FileHandle? = nil) throws -> Int32 {
        var command = command
        let null = try FileHandle.openedNull()
        defer { try? null.close() }
        (command.standardInput, command.standardOutput) = (null.fileDescriptor, null.fileDescriptor)
        command.standardError = errors?.fileDescriptor ?? null.fileDescriptor
        return try Host.spawn(command)
    }

    private struct Outcome {
        let status: Int32?
        let output: String
        let errors: String

        init(_ outcome: HostProgram.Outcome) {
            status = outcome.timedOut ? nil : outcome.status.exitCode
            output = String(decoding: outcome.standardOutput.bytes, as: UTF8.self)
            errors = String(decoding: outcome.standardError.bytes, as: UTF8.self)
        }
    }

    @Test("run: output, environment, directory and status are the program's")
    func runs() throws {
        let outcome = try run(
            ["run", "--env", "B=2", "--", "sh", "-c", "echo $A $B; pwd; echo err >&2; exit 9"], environment: ["A=1"])
        #expect(outcome.output == "1 2\n\(folder)\n")
        #expect(outcome.errors == "err\n")
        #expect(outcome.status == 9)
    }

    @Test("run: a signal gives 128 and its number")
    func signals() throws {
        #expect(try run(["run", "--", "sh", "-c", "kill -TERM $$"]).status == 143)
    }

    @Test("run: what is not there is told with a remedy, and exits 125")
    func missing() throws {
        let outcome = try run(["run", "--root", "/nowhere", "--", "ls"])
        #expect(outcome.status == 125)
        #expect(outcome.errors == "apus: /nowhere: is no directory; give one to --root\n")
        #expect(try run(["run", "--bind", "/nowhere:/x", "--", "ls"]).status == 125)
        let kernel = try run(["run", "--", "ls"], environment: ["APUS_KERNEL=/nowhere"])
        #expect(kernel.status == 125)
        #expect(kernel.errors.contains("APUS_KERNEL"))
    }

    @Test("trace: reads like strace, natively and from the sandbox", arguments: ["--native", "--sandbox"])
    func traces(side: String) throws {
        let outcome = try run(["trace", side, "--", "sh", "-c", "exit 4"])
        #expect(outcome.status == 4)
        #expect(outcome.errors.hasPrefix("execve("), "\(outcome.errors.prefix(200))")
        #expect(outcome.errors.hasSuffix("+++ exited with 4 +++\n"))
        #expect(!outcome.errors.contains("\u{1B}"))
    }

    @Test("trace: calls are shown while the program runs", arguments: ["--native", "--sandbox"])
    func streams(side: String) throws {
        let apus = try #require(Built.apus)
        let standIn = try #require(Built.standIn)
        let (gate, shown) = ("\(folder)/gate", "\(folder)/shown")
        // The host reads the path.
        try #require(unsafe mkfifo(gate, 0o600) == 0)
        try #require(FileManager.default.createFile(atPath: shown, contents: nil))
        let errors = try #require(FileHandle(forWritingAtPath: shown))
        let command = HostCommand(
            path: apus, arguments: ["apus", "trace", side, "--", "sh", "-c", "read word < \(gate); exit 7"],
            environment: ["PATH=/usr/bin:/bin", "APUS_KERNEL=\(standIn)"], workingDirectory: folder)
        let child = try spawn(command, errors: errors)
        func text() -> String { (try? String(contentsOfFile: shown, encoding: .utf8)) ?? "" }
        // Nobody opens the gate before what led there is on show.
        let seen: Bool? = awaited { text().contains("execve(") && text().contains("mmap(") ? true : nil }
        #expect(seen == true, "\(text().prefix(500))")
        #expect(!text().contains("exited"))
        try #require(FileHandle(forWritingAtPath: gate)).close()
        let status = try #require(try Host.wait(for: child, milliseconds: 60_000))
        #expect(WaitStatus(rawValue: status).exitCode == 7)
        #expect(text().hasSuffix("+++ exited with 7 +++\n"))
    }

    @Test("trace: a sandbox that dies leaves what it has told, and an error")
    func cutOff() throws {
        let outcome = try run(["trace", "--sandbox", "--", "true"], fault: "crash")
        #expect(outcome.status == 137)
        #expect(outcome.output.isEmpty)
        // Killed after the program's execve, it has told that much.
        let late = try run(["trace", "--sandbox", "--", "sh", "-c", "kill -9 $PPID; sleep 1000"])
        #expect(late.status == 125)
        #expect(late.errors.hasPrefix("execve("))
        #expect(late.errors.contains("apus: 'the sandbox's trace'"), "\(late.errors.suffix(300))")
    }

    @Test("trace: a command that is not there is 127")
    func notFound() throws {
        let outcome = try run(["trace", "--native", "--", "no-such-program"])
        #expect(outcome.status == 127)
        #expect(outcome.errors.contains("no-such-program"))
    }

    @Test("diff: reads back what trace wrote, in both formats", arguments: ["binary", "jsonl"])
    func diffsFiles(format: String) throws {
        for name in ["a", "b"] {
            let outcome = try run(["trace", "--native", "-o", name, "--format", format, "--", "true"])
            #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        }
        #expect(try run(["diff", "a", "b"]).status == 0)
        let outcome = try run(["diff", "a", "none"])
        #expect(outcome.status == 74)
        #expect(outcome.errors.contains("none"))
    }

    @Test("diff: runs a command on both sides and tells what differs")
    func diffsRuns() throws {
        #expect(try run(["diff", "--", "echo", "one"]).status == 0)
        let outcome = try run(["diff", "--", "echo", "one"], fault: "output")
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("sandbox | a line too many"), "\(outcome.output)")
        let json = try run(["diff", "--json", "--", "echo", "one"], fault: "output")
        #expect(json.status == 1)
        #expect(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) is [String: Any])
    }

    @Test("diff: neither side reads what apus was given to read")
    func diffsWithoutInput() throws {
        let words = folder + "/words"
        try Data("words\n".utf8).write(to: URL(fileURLWithPath: words))
        let input = try #require(FileHandle(forReadingAtPath: words))
        defer { try? input.close() }
        let outcome = try run(["diff", "--", "cat"], input: input)
        #expect(outcome.status == 0, "\(outcome.output)")
        #expect(try input.readToEnd() == Data("words\n".utf8))
    }

    @Test("test and report: run a corpus, say how it went and write the reports")
    func testsAndReports() throws {
        let family = folder + "/corpus/programs"
        try FileManager.default.createDirectory(atPath: family, withIntermediateDirectories: true)
        try Data("summary: s\ncommand: [echo, one]\n".utf8).write(to: URL(fileURLWithPath: family + "/one.yaml"))
        let good = try run(["test"])
        #expect(good.status == 0, "\(good.errors)")
        #expect(good.errors == "[1/1] pass programs/one\n")
        #expect(good.output.contains("reports: reports/latest/index.html"))
        let bad = try run(["test", "--output", "other", "programs/one"], fault: "output")
        #expect(bad.status == 1)
        #expect(bad.errors.hasPrefix("[1/1] fail programs/one: "))
        #expect(try run(["test", "--report-only"], fault: "output").status == 0)
        let again = try run(["report", "--results", "other/results.json", "--output", "third"])
        #expect(again.status == 0)
        for name in ["index.html", "report.md", "junit.xml", "cases/programs.one.command.html"] {
            let files = ["other", "third"].map { FileManager.default.contents(atPath: "\(folder)/\($0)/\(name)") }
            #expect(files[0] != nil && files[0] == files[1], "\(name)")
        }
        #expect(try run(["report", "--results", "nowhere"]).status == 74)
        #expect(try run(["test", "no/such"]).status == 74)
        #expect(try run(["test", "--filter", "nothing"]).status == 64)
    }

    @Test("test: interrupted, it reports what was done, and nothing is left running")
    func interrupted() throws {
        let apus = try #require(Built.apus)
        let standIn = try #require(Built.standIn)
        let family = folder + "/corpus/programs"
        try FileManager.default.createDirectory(atPath: family, withIntermediateDirectories: true)
        try Data("summary: s\ncommand: [echo, one]\n".utf8).write(to: URL(fileURLWithPath: family + "/one.yaml"))
        let hang = "summary: s\ncommand: [sh, -c, 'echo $$ > \(folder)/pid; exec sleep 1000']\ntimeout: 600\n"
        try Data(hang.utf8).write(to: URL(fileURLWithPath: family + "/two.yaml"))
        let command = HostCommand(
            path: apus, arguments: ["apus", "test", "--jobs", "1"],
            environment: ["PATH=/usr/bin:/bin", "APUS_KERNEL=\(standIn)"], workingDirectory: folder)
        let child = try spawn(command)
        // The second case has begun, so the first is done.
        let program = try #require(awaited { Self.number(in: folder + "/pid") })
        try Host.kill(child, 2)
        let status = try #require(try Host.wait(for: child, milliseconds: 60_000))
        #expect(WaitStatus(rawValue: status).exitCode == 130)
        let isGone: Bool? = awaited { FileManager.default.fileExists(atPath: "/proc/\(program)") ? nil : true }
        #expect(isGone == true)
        let results = try ResultStore.read(folder + "/reports/latest/results.json")
        #expect(results.cases.map(\.id) == ["programs/one"])
    }

    @Test("syscalls and inspect print what they know")
    func looks() throws {
        let calls = try run(["syscalls", "--format", "csv"])
        #expect(calls.status == 0)
        #expect(calls.output.contains("ptrace"))
        #expect(try run(["inspect", "/bin/true"]).output.contains("/lib64/ld-linux-x86-64.so.2"))
        let missing = try run(["inspect", "nothing"])
        #expect(missing.status == 74)
        #expect(missing.errors.hasPrefix("apus: nothing: "))
    }

    @Test("doctor: tells what the host offers, a line each, and exits 0 where the sandbox runs")
    func doctor() throws {
        let outcome = try run(["doctor"])
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        for name in [
            "kernel", "processors", "seccomp", "user dispatch", "openat2", "memfd", "membarrier", "process memory",
            "mseal", "notifications", "pid namespace", "uts namespace", "ipc namespace", "empty root", "landlock",
            "user namespace", "cgroup",
        ] {
            #expect(outcome.output.split(separator: "\n").contains { $0.hasPrefix(name + " ") }, "\(name)")
        }
        #expect(outcome.output.contains("sandbox          yes /bin/true ran in it\n"), "\(outcome.output)")
    }

    @Test("doctor: exits 69 and tells why where the sandbox does not run", arguments: ["failure", "crash"])
    func doctorWithoutSandbox(fault: String) throws {
        let outcome = try run(["doctor"], fault: fault)
        #expect(outcome.status == 69)
        #expect(outcome.output.contains("sandbox          NO  /bin/true did not run"), "\(outcome.output)")
        if fault == "failure" { #expect(outcome.output.contains("the host forbids user namespaces; allow them")) }
        let absent = try run(["doctor"], environment: ["APUS_KERNEL=/nowhere"])
        #expect(absent.status == 69)
        #expect(absent.output.contains("APUS_KERNEL"))
    }

    @Test("what is started dies with apus, however that ends")
    func diesWithUs() throws {
        let apus = try #require(Built.apus)
        for side in ["--native", "--sandbox"] {
            let standIn = try #require(Built.standIn)
            let command = HostCommand(
                path: apus, arguments: ["apus", "trace", side, "--", "sh", "-c", "echo $$ > pid; exec sleep 1000"],
                environment: ["PATH=/usr/bin:/bin", "APUS_KERNEL=\(standIn)"], workingDirectory: folder)
            try? FileManager.default.removeItem(atPath: folder + "/pid")
            let child = try spawn(command)
            let program = try #require(awaited { Self.number(in: folder + "/pid") })
            try Host.kill(child, 9)
            _ = try Host.wait(for: child)
            let isGone: Bool? = awaited { FileManager.default.fileExists(atPath: "/proc/\(program)") ? nil : true }
            #expect(isGone == true, "\(side): process \(program) is still there")
        }
    }

    private static func number(in file: String) -> Int32? {
        guard let bytes = FileManager.default.contents(atPath: file) else { return nil }
        return Int32(String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// What `look` finds, which may take a while; nil after 30 seconds.
    private func awaited<Value>(_ look: () -> Value?) -> Value? {
        for _ in 0..<3000 {
            if let value = look() { return value }
            usleep(10_000)
        }
        return nil
    }
}
