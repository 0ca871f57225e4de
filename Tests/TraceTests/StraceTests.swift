import Foundation
import HostSystem
import LinuxABI
import Testing
import TraceModel

@testable import Trace

/// Another tracer's word on the same programs: calls, signals and ends, by kind and number.
@Suite(
    "as strace -f sees it",
    .enabled(if: Strace.path != nil && TestPrograms.compiler != nil, "skipped: no strace or no C compiler"))
struct StraceTests {
    @Test("no call, signal or end is lost or made up", arguments: StracePrograms.all.keys.sorted())
    func same(name: String) throws {
        let program = try TestPrograms.compile(try #require(StracePrograms.all[name]))
        defer { try? FileManager.default.removeItem(at: program.deletingLastPathComponent()) }
        var differences: [String] = []
        // On a busy host a thread may come too late for what the others wait to see it in; never every time.
        for _ in 0..<5 {
            let (events, run) = try TestPrograms.trace(program.path, [])
            #expect(!run.timedOut)
            #expect(run.status.exitCode == 0)
            #expect(TraceRules.objections(to: events).isEmpty)
            let (ours, theirs) = (Strace.count(events), try Strace.count(program.path))
            try #require(theirs.count > 10)
            differences = Set(ours.keys).union(theirs.keys).sorted().filter { ours[$0] != theirs[$0] }
                .map { "\($0): strace \(theirs[$0] ?? 0), apus \(ours[$0] ?? 0)" }
            if differences.isEmpty { return }
        }
        Issue.record("\(differences.joined(separator: "; "))")
    }
}

/// Runs strace and counts what it tells.
enum Strace {
    static let path = ["/usr/bin/strace", "/usr/local/bin/strace"].first(
        where: FileManager.default.isExecutableFile(atPath:))

    /// How often these happen depends on who comes first.
    private static let accidental: Set<String> = [
        "futex", "mmap", "munmap", "mprotect", "madvise", "brk", "restart_syscall", "sched_yield",
    ]

    static func count(_ events: [TraceEvent]) -> [String: Int] {
        var counts: [String: Int] = [:]
        for event in events {
            switch event.kind {
            case .call(let call, _), .unfinished(let call, _):
                let name = SyscallTable.x86_64[call.number]?.name ?? "\(call.number)"
                if !accidental.contains(name) { counts[name, default: 0] += 1 }
            case .signal(let signal):
                let text = TraceText.signal(signal).split(separator: ",").prefix(2).joined(separator: ",")
                counts[text.trimmingCharacters(in: ["}"]), default: 0] += 1
            case .stopped(let signal): counts["stopped by \(SignalText.name(signal))", default: 0] += 1
            case .exit(let status):
                // A leader's end is told by strace when its process is gone.
                if event.thread != event.process { counts[ending(status), default: 0] += 1 }
            case .processExit(let status): counts[ending(status), default: 0] += 1
            case .exec(_, let former):
                if former != event.thread { counts["superseded", default: 0] += 1 }
            case .clone: break
            }
        }
        return counts
    }

    private static func ending(_ status: WaitStatus) -> String {
        status.exitCode.map { "exited with \($0)" } ?? "killed by \(SignalText.name(status.signal ?? 0))"
    }

    /// The same of strace's own run of a program.
    static func count(_ program: String) throws -> [String: Int] {
        let output = program + ".strace"
        // Started with no signal blocked or ignored, as our own side is; Foundation would hand on what its threads block.
        var command = HostCommand(
            path: try #require(path), arguments: ["strace", "-f", "-o", output, program],
            environment: ["PATH=/usr/bin:/bin", "LC_ALL=C"])
        // Foundation's null device has no descriptor.
        let null = try #require(FileHandle(forUpdatingAtPath: "/dev/null"))
        let number = null.fileDescriptor
        (command.standardInput, command.standardOutput, command.standardError) = (number, number, number)
        let child = try Host.spawn(command)
        try null.close()
        if try Host.wait(for: child, milliseconds: 60_000) == nil {
            try Host.kill(child, 9)
            _ = try Host.wait(for: child)
            let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
            // Left alone, its tracees would go on.
            for process in Set(text.split(separator: "\n").compactMap { Int32($0.prefix { $0.isNumber }) }) {
                try? Host.kill(process, 9)
            }
            Issue.record("the program never ended under strace: \(text.suffix(500))")
        }
        var counts: [String: Int] = [:]
        for line in try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n") {
            let text = line.drop { $0.isNumber }.drop { $0 == " " }
            let key: String
            if text.hasPrefix("--- stopped") {
                key = String(text.dropFirst(4).dropLast(4))
            } else if text.hasPrefix("--- ") {
                let fields = text.dropFirst(4).dropLast(4).split(separator: ",").prefix(2).joined(separator: ",")
                key = fields.trimmingCharacters(in: ["}"])
            } else if text.hasPrefix("+++ ") {
                let how = String(text.dropFirst(4).dropLast(4)).replacing(" (core dumped)", with: "")
                key = how.hasPrefix("superseded") ? "superseded" : how
            } else if let name = text.firstIndex(of: "(").map({ String(text[..<$0]) }), !text.hasPrefix("<...") {
                if accidental.contains(name) { continue }
                key = name
            } else {
                continue
            }
            counts[key, default: 0] += 1
        }
        return counts
    }
}
