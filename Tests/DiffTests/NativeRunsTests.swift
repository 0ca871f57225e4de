import Foundation
import Testing
import Trace
import TraceModel

@testable import Diff

@Suite("native runs compared with each other", .serialized)
struct NativeRunsTests {
    static func run(_ command: [String]) throws -> RunRecord {
        let manager = FileManager.default
        let folder = manager.temporaryDirectory.appendingPathComponent("native-run-\(UUID().uuidString)").path
        try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? manager.removeItem(atPath: folder) }
        var options = NativeTracer.Options()
        options.timeout = 60_000
        options.planner.limit = PayloadPlanner.comparisonLimit
        var start = NativeTracer.Command(
            command[0], Array(command.dropFirst()), environment: ["PATH=/usr/bin:/bin", "LC_ALL=C"],
            workingDirectory: folder)
        let null = try #require(FileHandle(forUpdatingAtPath: "/dev/null"))
        start.standardInput = null.fileDescriptor
        start.standardOutput = null.fileDescriptor
        start.standardError = null.fileDescriptor
        let trace = folder + "/trace"
        let writer = try TraceFileWriter(trace, format: .binary, header: TraceHeader(subject: .native))
        var events: [TraceEvent] = []
        let ended = try NativeTracer(options: options).run(start) { event in
            events.append(event)
            try writer.write(event)
        }
        try writer.finish()
        withExtendedLifetime(null) {}
        // What was written is what happened.
        let reader = try TraceFileReader(trace)
        var read: [TraceEvent] = []
        while let event = try reader.event() { read.append(event) }
        #expect(read == events)
        var record = RunRecord(events: .events(events), ending: .ended(ended.status))
        record.aliases = [folder: "$WORK"]
        return record
    }

    @Test(
        "a third run of a program shows nothing that the first two don't allow",
        arguments: [
            ["/bin/ls", "-l", "/etc"], ["/bin/sh", "-c", "echo one > a; cat a; mkdir b; mv a b; rm -r b; exit 3"],
            ["/bin/sh", "-c", "(exit 7); echo $?; kill -TERM $$"],
        ])
    func stable(command: [String]) throws {
        let runs = try (0..<3).map { _ in try Self.run(command) }
        let difference = try Comparison().compare(native: Array(runs[0...1]), sandbox: [runs[2]])
        #expect([.same, .explained].contains(difference.verdict), "\(difference.divergences)")
        #expect(difference.statistics.aligned > 20)
    }

    @Test("two programs that differ are different, and a trace file is read as well as events in memory")
    func different() throws {
        let one = try Self.run(["/bin/ls", "-l", "/etc"])
        let other = try Self.run(["/bin/ls", "-la", "/etc"])
        let difference = try Comparison().compare(native: [one], sandbox: [other])
        #expect(difference.verdict == .different)
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("trace-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let writer = try TraceFileWriter(file, format: .jsonLines, header: TraceHeader(subject: .native))
        if case .events(let events) = one.events { for event in events { try writer.write(event) } }
        try writer.finish()
        var stored = one
        stored.events = .file(file)
        #expect(try Comparison().compare(native: [one], sandbox: [stored]).verdict == .same)
    }
}
