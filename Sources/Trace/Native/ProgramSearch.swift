internal import Foundation

/// Finds a program as a shell does.
enum ProgramSearch {
    /// A name without a slash is looked up in the environment's PATH.
    static func find(_ command: NativeTracer.Command) throws -> String {
        if command.program.contains("/") { return command.program }
        let path = command.environment.last { $0.hasPrefix("PATH=") }?.dropFirst(5) ?? "/usr/local/bin:/usr/bin:/bin"
        for directory in path.split(separator: ":", omittingEmptySubsequences: false) {
            let candidate = (directory.isEmpty ? "." : String(directory)) + "/" + command.program
            var isDirectory: ObjCBool = false
            // Foundation writes the flag.
            let exists = unsafe FileManager.default.fileExists(atPath: candidate, isDirectory: &isDirectory)
            if exists, !isDirectory.boolValue, FileManager.default.isExecutableFile(atPath: candidate) {
                return candidate
            }
        }
        throw TraceError(.commandNotFound, "'\(command.program)' is in no directory of PATH (\(path))")
    }
}
