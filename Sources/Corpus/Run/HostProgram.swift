internal import Foundation
package import HostSystem
internal import LinuxABI
package import TraceModel

/// A program of the host that is run to its end, with its output captured: a compiler, or the sandbox.
package struct HostProgram {
    package struct Outcome: Sendable {
        package var status: WaitStatus
        package var timedOut: Bool
        package var standardOutput: CapturedOutput
        package var standardError: CapturedOutput

        /// Both outputs as text.
        package var text: String {
            String(decoding: standardError.bytes + standardOutput.bytes, as: UTF8.self)
        }
    }

    /// Runs a command with an empty standard input and this process's environment.
    package static func run(_ command: [String], seconds: Int) throws -> Outcome {
        guard let path = command.first else { throw Errno.ENOENT }
        let environment = ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }.sorted()
        return try run(HostCommand(path: path, arguments: command, environment: environment), seconds: seconds)
    }

    /// Runs a command; its outputs replace those that `command` names, and its standard input is empty if that names
    /// none. `beforeKill` is called with the child's number
    /// when time is up, while everything still stands. Throws the errno of a start that failed.
    package static func run(
        _ command: HostCommand, seconds: Int, beforeKill: (Int32) -> Void = { _ in }
    ) throws -> Outcome {
        let output = OutputCapture()
        let errors = OutputCapture()
        let null = try FileHandle.openedNull()
        var command = command
        if command.standardInput < 0 { command.standardInput = null.fileDescriptor }
        command.standardOutput = output.descriptor
        command.standardError = errors.descriptor
        defer {
            output.closeWriter()
            errors.closeWriter()
        }
        let child = try Host.spawn(command)
        try? null.close()
        output.closeWriter()
        errors.closeWriter()
        var status = try Host.wait(for: child, milliseconds: Int32(clamping: seconds * 1000))
        let timedOut = status == nil
        if timedOut {
            beforeKill(child)
            // Not yet reaped: the number is still the child's.
            try? Host.kill(child, 9)
            status = try Host.wait(for: child)
        }
        return Outcome(
            status: WaitStatus(rawValue: status ?? 0), timedOut: timedOut, standardOutput: output.finish(),
            standardError: errors.finish())
    }

    /// What a quick command prints; throws if it fails.
    package static func output(of command: [String]) throws -> String {
        let outcome = try run(command, seconds: 20)
        guard outcome.status.exitCode == 0, !outcome.timedOut else { throw Errno.EIO }
        return String(decoding: outcome.standardOutput.bytes, as: UTF8.self)
    }

    /// The path of an executable of ours: they all lie in one folder, this process's own among them.
    package static func beside(_ name: String) -> String {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return ((own as NSString).deletingLastPathComponent as NSString).appendingPathComponent(name)
    }

    /// The path of a program in PATH (this process's own, if none is given); nil if there is none.
    package static func find(_ name: String, in path: String? = nil) -> String? {
        let path = path ?? ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(name)" }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }
}
