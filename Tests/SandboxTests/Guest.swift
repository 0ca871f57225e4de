import Foundation
import Testing

/// One started `apus-kernel` with its guest, in a session of its own, its outputs in files.
final class Guest {
    /// The supervisor's number; the group's and the session's, too.
    let process: Int32
    private let folder: URL
    private var status: Int32?

    struct Outcome {
        /// As a shell tells it: the exit code, or 128 and the signal that killed the supervisor.
        let status: Int32
        let output: String
        let errors: String
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    /// The sandbox that the tests are about: beside this test bundle.
    static let kernel = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("apus-kernel").path

    /// What no sandbox of these tests takes, however slow the machine is.
    static let limit = Duration.seconds(120)

    /// Starts the sandbox.
    ///
    /// `options` are those of `apus-kernel`, before those that every test gives; `wrapper` is a command of the host that
    /// starts the sandbox, such as `taskset -c 0`.
    convenience init(
        _ command: [String], options: [String] = [], input: String = "", wrapper: [String] = []
    ) async throws {
        var words = [Guest.kernel] + options + ["--env", "PATH=/usr/bin:/bin", "--env", "LC_ALL=C.UTF-8"]
        if !options.contains("--cwd") { words += ["--cwd", "/tmp"] }
        try await self.init(starting: wrapper + words + ["--"] + command, input: input)
    }

    /// Starts a command of the host, no sandbox: with no signal blocked, and under the same watchdog.
    init(starting words: [String], input: String = "") async throws {
        folder = try Scratch.folder()
        try Data(input.utf8).write(to: folder.appendingPathComponent("input"))
        let place = folder
        process = try await Spawner.shared.run { try Guest.spawn(words, folder: place) }
    }

    deinit {
        Family.end(Family.members(below: process))
        if status == nil { _ = waitpid(process, nil, 0) }
        try? FileManager.default.removeItem(at: folder)
    }

    /// Runs a guest to its end.
    static func run(
        _ command: [String], options: [String] = [], input: String = "", wrapper: [String] = []
    ) async throws -> Outcome {
        try await Guest(command, options: options, input: input, wrapper: wrapper).wait()
    }

    /// Waits for the end. When the watchdog's time is up, throws with the state of each thread, and ends the family.
    func wait() async throws -> Outcome {
        try await Watchdog.until("the sandbox ends", dumping: { Family.members(below: self.process) }) {
            self.reap()
        }
        let raw = status ?? 0
        return Outcome(status: raw & 0x7f == 0 ? raw >> 8 & 0xff : 128 + raw & 0x7f, output: output, errors: errors)
    }

    /// Waits until the guest has printed a text.
    func printed(_ text: String) async throws {
        try await Watchdog.until(
            "the guest prints \(text); so far: \(output)\(errors)",
            dumping: { Family.members(below: self.process) }
        ) {
            self.output.contains(text) || self.reap()
        }
        try #require(output.contains(text), "the guest ended before: \(errors)")
    }

    var output: String { text("output") }
    var errors: String { text("errors") }

    private func text(_ name: String) -> String {
        let data = (try? Data(contentsOf: folder.appendingPathComponent(name))) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    /// - Returns: whether the supervisor has ended.
    private func reap() -> Bool {
        guard status == nil else { return true }
        var raw: Int32 = 0
        guard unsafe waitpid(process, &raw, WNOHANG) == process else { return false }
        status = raw
        return true
    }

    private static func spawn(_ words: [String], folder: URL) throws -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        let files: [(Int32, String, Int32)] = [
            (0, "input", O_RDONLY), (1, "output", O_WRONLY | O_CREAT), (2, "errors", O_WRONLY | O_CREAT),
        ]
        for (descriptor, name, flags) in files {
            let path = folder.appendingPathComponent(name).path
            unsafe posix_spawn_file_actions_addopen(&actions, descriptor, path, flags, 0o600)
        }
        // What other tests have open at this moment would be the guest's, too, as a shell's further descriptors are.
        // One by one: the C library's header hides from Swift what closes all from a number on.
        for descriptor in Int32(3)..<1024 { unsafe posix_spawn_file_actions_addclose(&actions, descriptor) }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // The threads of a test run block signals, and a child would inherit that.
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        // With POSIX_SPAWN_SETSID, which the C library's header hides from Swift.
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | 0x80)
        var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
        defer { unsafe arguments.forEach { unsafe free($0) } }
        var child: Int32 = 0
        let error = unsafe posix_spawnp(&child, words[0], &actions, &attributes, &arguments, environ)
        guard error == 0 else {
            throw Failure("\(words[0]) cannot be started: errno \(error); build it: swift build --product apus-kernel")
        }
        return child
    }
}

/// Folders for one test.
enum Scratch {
    static func folder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sandbox-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }
}
