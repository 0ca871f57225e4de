import Corpus
import Foundation
import HostSystem
import Testing
import TraceModel

/// `apus` becomes the sandbox by itself where nothing is to be parsed: that must not show.
@Suite("Launch", .enabled(if: Built.apus != nil && Built.toolkit != nil, "skipped: apus is not built"))
final class LaunchTests {
    private let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "apus-launch-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// A kernel that only says how it was started: its words, and its environment.
    private func kernel() throws -> String {
        let path = "\(folder)/kernel"
        try Data("#!/bin/sh\nfor word; do printf '<%s>\\n' \"$word\"; done; cat /proc/$$/environ; exit 7\n".utf8)
            .write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return path
    }

    private func output(
        _ program: String?, _ words: [String], _ environment: [String], in directory: String? = nil
    ) throws -> HostProgram.Outcome {
        let command = HostCommand(
            path: try #require(program), arguments: ["apus"] + words, environment: environment,
            workingDirectory: directory ?? folder)
        return try HostProgram.run(command, seconds: 60)
    }

    @Test(
        "the sandbox is started as the toolkit would start it",
        arguments: [
            ["ls"], ["ls", "--help"], ["--", "x"], ["-x"], ["sh", "-c", "echo  a\nb"], ["", "x"], ["ä", ""],
        ])
    func same(command: [String]) throws {
        let environment = [
            "Z=1", "A=x=y", "PATH=/bin", "A_B=", "AB=2", "a=ä", "Ä=\u{301}", "B=1\n2", "APUS_KERNEL=\(try kernel())",
        ]
        let ours = try output(Built.apus, ["run", "--"] + command, environment)
        let theirs = try output(Built.toolkit, ["run", "--"] + command, environment)
        #expect(ours.standardOutput.bytes == theirs.standardOutput.bytes)
        #expect(ours.standardError.bytes == theirs.standardError.bytes)
        #expect(ours.status == theirs.status)
        if command.first?.isEmpty == false { #expect(ours.status.exitCode == 7) }
    }

    @Test(
        "an unusual environment is left to the toolkit",
        arguments: [["A=1", "B=2", "A=3"], ["A"], ["=x"], ["A=1", ""], []])
    func unusual(entries: [String]) throws {
        let environment = entries + ["APUS_KERNEL=\(try kernel())"]
        let ours = try output(Built.apus, ["run", "--", "ls"], environment)
        let theirs = try output(Built.toolkit, ["run", "--", "ls"], environment)
        #expect(ours.standardOutput.bytes == theirs.standardOutput.bytes)
        #expect(ours.status.exitCode == 7)
    }

    @Test(
        "a kernel named by a path that is not plain is the same kernel", arguments: ["./kernel", "x/../kernel", "//"])
    func named(path: String) throws {
        _ = try kernel()
        let environment = ["APUS_KERNEL=\(path == "//" ? "/" + folder + "//kernel" : path)"]
        let ours = try output(Built.apus, ["run", "--", "ls"], environment)
        let theirs = try output(Built.toolkit, ["run", "--", "ls"], environment)
        #expect(ours.standardOutput.bytes == theirs.standardOutput.bytes)
        #expect(ours.status.exitCode == theirs.status.exitCode)
    }

    @Test("a directory that is gone stays gone")
    func gone() throws {
        let script = "mkdir gone && cd gone && rmdir ../gone && exec \"$0\" run -- ls"
        let environment = ["APUS_KERNEL=\(try kernel())"]
        let outputs = try [Built.apus, Built.toolkit].map { program in
            let command = HostCommand(
                path: "/bin/sh", arguments: ["sh", "-c", script, try #require(program)], environment: environment,
                workingDirectory: folder)
            return try HostProgram.run(command, seconds: 60)
        }
        #expect(outputs[0].standardOutput.bytes == outputs[1].standardOutput.bytes)
        #expect(outputs[0].status == outputs[1].status)
    }

    @Test("without the toolkit only plain runs are possible, and the others say what is missing")
    func alone() throws {
        let copy = "\(folder)/apus"
        try FileManager.default.copyItem(atPath: try #require(Built.apus), toPath: copy)
        let environment = ["APUS_KERNEL=\(try kernel())"]
        #expect(try output(copy, ["run", "--", "ls"], environment).status.exitCode == 7)
        let outcome = try output(copy, ["run", "--readonly", "--", "ls"], environment)
        #expect(outcome.status.exitCode == 125)
        let said = String(decoding: outcome.standardError.bytes, as: UTF8.self)
        #expect(said.hasPrefix("apus: \(folder)/apus-toolkit: cannot be executed: ENOENT"), "\(said)")
    }
}
