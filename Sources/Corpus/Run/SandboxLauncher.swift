internal import Foundation

/// How `apus-kernel` is started: its plain options, as its own README lists them.
package struct SandboxLauncher: Sendable, Hashable {
    package struct Bind: Sendable, Hashable {
        package var source: String
        package var destination: String
        package var isReadOnly: Bool

        package init(source: String, destination: String, isReadOnly: Bool = false) {
            self.source = source
            self.destination = destination
            self.isReadOnly = isReadOnly
        }
    }

    /// The executable's path.
    package var kernel: String
    package var root = "/"
    /// `NAME=value`: all that the guest gets.
    package var environment: [String] = []
    package var workingDirectory = "/"
    package var isReadOnly = false
    package var binds: [Bind] = []
    /// Bytes.
    package var memory: UInt64?
    /// The file that the trace is written to, in the binary format.
    package var trace: String?
    package var isVerbose = false
    /// `trap`, `ptrace` or `auto`; nil for the sandbox's own choice.
    package var platform: String?

    package init(kernel: String) { self.kernel = kernel }

    /// `argv` for a command of the guest.
    package func arguments(_ command: [String]) -> [String] {
        var words = [kernel, "--root", root]
        for entry in environment { words += ["--env", entry] }
        words += ["--cwd", workingDirectory]
        if isReadOnly { words.append("--readonly") }
        for bind in binds {
            words += ["--bind", "\(bind.source):\(bind.destination)" + (bind.isReadOnly ? ":ro" : "")]
        }
        if let memory { words += ["--memory", String(memory)] }
        if let trace { words += ["--trace", trace] }
        if let platform { words += ["--platform", platform] }
        if isVerbose { words.append("--verbose") }
        return words + ["--"] + command
    }

    /// The status with which `apus-kernel` says that the sandbox itself failed.
    package static let failureStatus: Int32 = 125

    /// Finds `apus-kernel`: what the variable APUS_KERNEL names, else the file beside this program's own.
    package static func find() throws(CorpusError) -> SandboxLauncher {
        if let named = ProcessInfo.processInfo.environment["APUS_KERNEL"], !named.isEmpty {
            guard FileManager.default.isExecutableFile(atPath: named) else {
                throw CorpusError(
                    .sandbox, named, "APUS_KERNEL names no executable", remedy: "correct or unset the variable")
            }
            return SandboxLauncher(kernel: URL(fileURLWithPath: named).standardizedFileURL.path)
        }
        let beside = HostProgram.beside("apus-kernel")
        guard FileManager.default.isExecutableFile(atPath: beside) else {
            throw CorpusError(
                .sandbox, beside, "the sandbox is not there",
                remedy: "build it (swift build --product apus-kernel) or set APUS_KERNEL")
        }
        return SandboxLauncher(kernel: beside)
    }
}
