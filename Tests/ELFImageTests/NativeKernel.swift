import Foundation
import Glibc
import LinuxABI

/// Asks the host's kernel: writes files and executes them.
final class NativeKernel {
    enum Outcome: Equatable {
        /// execve returned.
        case refused(Errno)
        case exited(Int32)
        case killed(signal: Int32)
    }

    /// A fresh folder, gone with this object.
    let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-elf-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // Programs that die here leave no core files.
        var limit = rlimit()
        // Safe, here and below: each C call gets structures of its own types and strings that outlive it.
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
        limit.rlim_cur = 0
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Writes an executable file below the folder and gives its path.
    func write(_ bytes: [UInt8], as name: String, mode: Int = 0o755) throws -> String {
        let path = "\(folder)/\(name)"
        // A new file each time: the old one may still be running.
        try? FileManager.default.removeItem(atPath: path)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    /// Executes a file. Its standard output goes to a file of the folder; it is killed after ten seconds.
    func run(
        _ path: String, _ arguments: [[UInt8]] = [Array("program".utf8)], _ environment: [[UInt8]] = []
    ) throws -> (outcome: Outcome, output: [UInt8]) {
        let output = "\(folder)/output"
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var child: pid_t = 0
        var code: Int32 = 0
        // A child of another test that was forked while the file was being written still holds it for a moment.
        for _ in 0..<2_000 {
            code = unsafe withStrings(arguments) { arguments in
                unsafe withStrings(environment) { environment in
                    unsafe posix_spawn(&child, path, &actions, nil, arguments, environment)
                }
            }
            if code != ETXTBSY { break }
            usleep(1_000)
        }
        guard code == 0 else { return (.refused(Errno(rawValue: code)), []) }
        let status = wait(for: child)
        let bytes = FileManager.default.contents(atPath: output).map(Array.init) ?? []
        return (status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .killed(signal: status & 0x7f), bytes)
    }

    /// The wait status. The watchdog kills what runs longer than ten seconds.
    private func wait(for child: pid_t) -> Int32 {
        var status: Int32 = 0
        let deadline = ContinuousClock.now + .seconds(10)
        var isKilled = false
        while unsafe waitpid(child, &status, WNOHANG) == 0 {
            if ContinuousClock.now > deadline, !isKilled {
                kill(child, SIGKILL)
                isKilled = true
            }
            usleep(100)
        }
        return status
    }

    /// Calls a body with a NULL-terminated vector of C strings, which live until it returns.
    private func withStrings<Result>(
        _ strings: [[UInt8]], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = unsafe strings.map { string in
            unsafe strdup(String(decoding: string, as: UTF8.self))
        }
        defer { unsafe copies.forEach { unsafe free($0) } }
        return unsafe body(copies + [nil])
    }
}

/// This process's soft limit of the stack, which its children inherit.
enum StackLimit {
    static var current: UInt64 {
        var limit = rlimit()
        // Safe: getrlimit fills a structure of its own type.
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_STACK.rawValue), &limit) == 0 else { return 0 }
        return UInt64(limit.rlim_cur)
    }
}
