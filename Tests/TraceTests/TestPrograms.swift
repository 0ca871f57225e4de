import Foundation
import Testing

@testable import Trace
@testable import TraceModel

/// Small C programs, compiled once per test run.
enum TestPrograms {
    static let compiler = ["/usr/bin/gcc", "/usr/bin/cc", "/usr/bin/clang"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// Compiles a program and gives its path, which the caller deletes with its folder.
    static func compile(_ source: String) throws -> URL {
        let compiler = try #require(compiler, "skipped: no C compiler")
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("trace-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("program.c")
        try Data(source.utf8).write(to: file)
        let program = folder.appendingPathComponent("program")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: compiler)
        process.arguments = ["-O1", "-pthread", "-D_GNU_SOURCE", "-o", program.path, file.path]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "the test's own program does not compile")
        return program
    }

    /// Runs a C program under the tracer, and deletes it. `sink` hears of each event as well.
    @discardableResult
    static func trace(
        _ source: String, arguments: [String] = [], options: NativeTracer.Options = quick,
        sink: (TraceEvent) -> Void = { _ in }
    ) throws -> (events: [TraceEvent], run: NativeRun) {
        let program = try compile(source)
        defer { try? FileManager.default.removeItem(at: program.deletingLastPathComponent()) }
        return try trace(program.path, arguments, options: options, sink: sink)
    }

    static func trace(
        _ program: String, _ arguments: [String], options: NativeTracer.Options = quick,
        sink: (TraceEvent) -> Void = { _ in }
    ) throws -> (events: [TraceEvent], run: NativeRun) {
        var command = NativeTracer.Command(program, arguments, environment: ["PATH=/usr/bin:/bin", "LC_ALL=C"])
        let null = FileHandle(forUpdatingAtPath: "/dev/null")
        command.standardInput = try #require(null?.fileDescriptor)
        command.standardOutput = command.standardInput
        command.standardError = command.standardInput
        var events: [TraceEvent] = []
        let run = try NativeTracer(options: options).run(command) { event in
            events.append(event)
            sink(event)
        }
        withExtendedLifetime(null) {}
        return (events, run)
    }

    /// Runs a C program that never ends into a time limit: into a longer one when the host is so busy that the program has
    /// not come as far as `isThere` says.
    static func traceToLimit(
        _ source: String, isThere: (NativeRun) -> Bool
    ) throws -> (events: [TraceEvent], run: NativeRun) {
        let program = try compile(source)
        defer { try? FileManager.default.removeItem(at: program.deletingLastPathComponent()) }
        var options = quick
        options.timeout = 300
        var traced = try trace(program.path, [], options: options)
        for limit: UInt64 in [3000, 15_000, 60_000] where !isThere(traced.run) {
            options.timeout = limit
            traced = try trace(program.path, [], options: options)
        }
        return traced
    }

    /// Nothing that a test runs takes as long as this.
    static var quick: NativeTracer.Options {
        var options = NativeTracer.Options()
        options.timeout = 60_000
        return options
    }
}

extension [TraceEvent] {
    /// The calls with a number that returned.
    func calls(_ number: Int) -> [(call: TracedCall, result: Int64, thread: Int32)] {
        compactMap { event in
            guard case .call(let call, let result) = event.kind, call.number == number else { return nil }
            return (call, result.rawValue, event.thread)
        }
    }

    var signals: [TracedSignal] {
        compactMap { event in
            guard case .signal(let signal) = event.kind else { return nil }
            return signal
        }
    }

    var clones: [CloneEdge] {
        compactMap { event in
            guard case .clone(let edge) = event.kind else { return nil }
            return edge
        }
    }

    func exits(of kind: (TraceEvent.Kind) -> WaitStatus?) -> [WaitStatus] { compactMap { kind($0.kind) } }
}
