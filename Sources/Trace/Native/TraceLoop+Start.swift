internal import CHost
internal import Foundation
internal import LinuxABI

/// The first process.
extension TraceLoop {
    /// Forks a child that becomes the command when `release` is written to, and tells through `failure` if it can't.
    static func spawn(
        _ command: NativeTracer.Command, path: String, release: inout Int32, failure: inout Int32
    ) throws -> Int32 {
        // Copies that outlive the call that reads them, and are freed below.
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe ([command.program] + command.arguments).map {
            unsafe strdup($0)
        }
        var environment: [UnsafeMutablePointer<CChar>?] = unsafe command.environment.map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        unsafe environment.append(nil)
        // The copies are NUL-terminated vectors of strings that live until the child has been forked with its own.
        defer { unsafe (arguments + environment).forEach { unsafe free($0) } }
        let standard = [command.standardInput, command.standardOutput, command.standardError]
        // The shim reads the vectors and three descriptors, and writes two.
        let child = unsafe apus_ptrace_spawn(
            path, arguments, environment, command.workingDirectory, standard, command.startsSession ? 1 : 0, &release,
            &failure)
        guard child > 0 else {
            throw TraceError(.cannotStart, "cannot fork for '\(path)': \(Errno(rawValue: -child))")
        }
        return child
    }
}
