import Corpus
import Foundation
import HostSystem
import Testing
import TraceModel

/// `apus bench` with a stand-in for the sandbox, which traces natively: slower than native, and nothing else.
@Suite(
    "apus bench",
    .enabled(
        if: Built.apus != nil && Built.standIn != nil && HostProgram.find("gcc") != nil,
        "skipped: apus is not built, or there is no C compiler"),
    .serialized)
struct BenchCommandTests {
    private let folder: String
    private let cleanUp: CleanUp

    private final class CleanUp {
        let path: String
        init(_ path: String) { self.path = path }
        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    init() throws {
        folder = NSTemporaryDirectory() + "apus-bench-command-\(UUID().uuidString)"
        cleanUp = CleanUp(folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private func run(_ words: [String], fault: String = "none") throws -> (
        status: Int32?, output: String, errors: String
    ) {
        let apus = try #require(Built.apus)
        let standIn = try #require(Built.standIn)
        let kernel = "\(folder)/kernel"
        try Data("#!/bin/sh\nexec '\(standIn)' --fault \(fault) \"$@\"\n".utf8).write(to: URL(fileURLWithPath: kernel))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: kernel)
        let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("bench").path
        let command = HostCommand(
            path: apus, arguments: ["apus", "bench", "--sources", sources] + words,
            environment: ["PATH=/usr/bin:/bin", "APUS_KERNEL=\(kernel)", "TMPDIR=\(folder)"], workingDirectory: folder)
        let outcome = try HostProgram.run(command, seconds: 60)
        return (
            outcome.timedOut ? nil : outcome.status.exitCode,
            String(decoding: outcome.standardOutput.bytes, as: UTF8.self),
            String(decoding: outcome.standardError.bytes, as: UTF8.self)
        )
    }

    private var left: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasPrefix("apus-bench-") }
    }

    @Test("prints the table, writes what it is told to, and leaves nothing else")
    func runs() throws {
        let outcome = try run([
            "--only", "getuid,start", "--rounds", "1", "--both", "--json", "a.json", "--svg", "a.svg", "--output",
            "out",
        ])
        #expect(outcome.status == 0, "\(outcome.errors.suffix(500))")
        #expect(outcome.output.contains("\ngetuid "))
        #expect(outcome.output.contains("targets met on 1 CPU\n"))
        for file in ["a.json", "a.svg", "out/bench.html", "out/bench.json", "out/bench.svg", "out/bench.md"] {
            #expect(FileManager.default.fileExists(atPath: "\(folder)/\(file)"), "\(file)")
        }
        #expect(left == [])
    }

    @Test("what is worse than the baseline is measured once more, named, and exits 1; --update-baseline mends that")
    func baseline() throws {
        let file = folder + "/baseline.json"
        // Of all figures, the size of an idle process depends least on what else the machine does.
        func write(_ size: String) throws {
            let entry = "{\"median\": \(size), \"lowest\": \(size), \"highest\": \(size)}"
            let text = "{\"version\": 1, \"processors\": 2, \"entries\": {\"idle\": {\"one\": \(entry)}}}"
            try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        }
        let words = ["--only", "idle", "--rounds", "1", "--one-cpu", "--baseline", file]
        try write("0.001")
        let worse = try run(words)
        #expect(worse.status == 1)
        #expect(worse.output.contains("worse: idle, 1 CPU: 0 in the baseline"), "\(worse.output)")
        #expect(worse.errors.contains("once more"))
        #expect(try run(words + ["--update-baseline"]).status == 0)
        #expect(try String(contentsOfFile: file, encoding: .utf8).contains("0.001") == false)
        try write("1000000")
        let better = try run(words)
        #expect(better.status == 0)
        #expect(better.output.contains("better: idle"))
    }

    @Test("a sandbox that hangs is ended at the limit, its threads shown, and counts as failed")
    func hangs() throws {
        let outcome = try run(["--only", "getuid", "--rounds", "2", "--limit", "1"], fault: "hang")
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("no end after 1 s"))
        #expect(outcome.errors.contains("thread"))
        #expect(outcome.output.contains("not measured: getuid, sandbox"))
        #expect(left == [])
    }

    @Test("sources that are not there are told with a remedy")
    func missing() throws {
        let outcome = try run(["--sources", "/nowhere"])
        #expect(outcome.status == 74)
        #expect(outcome.errors.contains("name its bench folder with --sources"))
    }
}
