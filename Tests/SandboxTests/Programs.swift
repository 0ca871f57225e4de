import Foundation
import Testing

/// Small C programs for guests, compiled once per test run.
enum Programs {
    static let compiler = ["/usr/bin/gcc", "/usr/bin/cc", "/usr/bin/clang"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    static var canCompile: Bool { compiler != nil }

    struct Broken: Error {}

    /// Compiles a program into a folder and gives its path.
    static func compile(_ source: String, flags: [String] = [], in folder: URL) throws -> String {
        let file = folder.appendingPathComponent("program.c")
        try Data(source.utf8).write(to: file)
        return try compile(file: file.path, flags: flags, in: folder)
    }

    static func compile(file: String, flags: [String] = [], in folder: URL) throws -> String {
        guard let compiler else { throw Broken() }
        let program = folder.appendingPathComponent("program").path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: compiler)
        process.arguments = ["-O1", "-w", "-pthread", "-D_GNU_SOURCE", "-o", program, file] + flags
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Broken() }
        return program
    }

    /// C: `next()`, the same row of 64-bit numbers in every run.
    static let randomNumbers = """
        static uint64_t state = 88172645463325252ull;
        static uint64_t next(void) {
            state ^= state << 13; state ^= state >> 7; state ^= state << 17;
            return state;
        }
        """

    /// C: what the programs include that have much to do with processes, descriptors and memory.
    static let headers = """
        #include <errno.h>
        #include <fcntl.h>
        #include <pthread.h>
        #include <sched.h>
        #include <signal.h>
        #include <stdint.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/mman.h>
        #include <sys/resource.h>
        #include <sys/stat.h>
        #include <sys/time.h>
        #include <sys/uio.h>
        #include <sys/wait.h>
        #include <unistd.h>

        """

    /// C: one process goes on by `next(step)` when another has seen that it has come to this step. `s` is what they share, with
    /// `step` and `seen` in it; neither waits by a call of the kernel's.
    static let steps = """
        static int get(int *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }
        static void set(int *word, int value) { __atomic_store_n(word, value, __ATOMIC_SEQ_CST); }
        static void next(int step) { set(&s->step, step); while (get(&s->seen) != step) sched_yield(); }
        """

    /// Compiles a program, runs it in the sandbox, and deletes it.
    static func run(
        _ source: String, options: [String] = [], arguments: [String] = [], wrapper: [String] = []
    ) async throws -> Guest.Outcome {
        let folder = try Scratch.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let program = try compile(source, in: folder)
        return try await Guest.run([program] + arguments, options: options, wrapper: wrapper)
    }

    /// The same for programs that count what is wrong, and print that alone.
    static func expectNothingWrong(
        _ source: String, options: [String] = [], arguments: [String] = [], wrapper: [String] = [],
        at location: SourceLocation = #_sourceLocation
    ) async throws {
        let outcome = try await run(source, options: options, arguments: arguments, wrapper: wrapper)
        #expect(outcome.output == "0\n", "\(outcome.errors)", sourceLocation: location)
        #expect(outcome.status == 0, sourceLocation: location)
    }

    private static let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../corpus").standardizedFileURL

    /// Expects a case of the corpus to print in the sandbox what it prints natively, without a trace, as in use: what stubs do
    /// by themselves they only do then. Both run in a folder of the host that holds nothing but `files`, by name.
    static func expectAgreement(
        on name: String, wrapper: [String], files: [String: String] = [:],
        at location: SourceLocation = #_sourceLocation
    ) async throws {
        let folder = try Scratch.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let program = try compile(
            file: corpus.appendingPathComponent("\(name).c").path,
            flags: ["-I", corpus.appendingPathComponent("include").path], in: folder)
        let place = folder.appendingPathComponent("place")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        for (name, text) in files { try Data(text.utf8).write(to: place.appendingPathComponent(name)) }
        // First, since what it changes there it keeps to itself.
        let outcome = try await Guest.run([program], options: ["--cwd", place.path], wrapper: wrapper)
        let native = try await Guest(starting: wrapper + ["env", "-C", place.path, program]).wait()
        #expect(outcome.output == native.output, "\(outcome.errors)", sourceLocation: location)
        #expect(outcome.status == 0 && native.status == 0, sourceLocation: location)
        #expect(!native.output.isEmpty, sourceLocation: location)
    }

    /// What a command of the host prints.
    static func output(of words: [String]) throws -> String {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.standardOutput = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}
