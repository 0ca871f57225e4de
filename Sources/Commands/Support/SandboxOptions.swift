internal import ArgumentParser
internal import Corpus
internal import Foundation

/// How the sandbox is set up, as `run` and others take it.
struct SandboxOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The directory that the program sees as /.", valueName: "dir"))
    var root: String?

    @Option(
        name: .customLong("env"),
        help: ArgumentHelp("Add or replace a variable of the environment (repeatable).", valueName: "name=value"))
    var environment: [String] = []

    @Option(help: ArgumentHelp("The program's working directory (the caller's, if / is the root).", valueName: "dir"))
    var cwd: String?

    @Flag(name: .customLong("readonly"), help: "Refuse every change of files, even in memory.")
    var isReadOnly = false

    @Option(
        name: .customLong("bind"),
        help: ArgumentHelp("Show a file or directory of the host (repeatable).", valueName: "src:dst[:ro]"))
    var binds: [BindArgument] = []

    @OptionGroup var platform: PlatformOption

    @Option(help: ArgumentHelp("The most memory, in bytes or with K, M, G or T.", valueName: "size"))
    var memory: MemorySize?

    mutating func validate() throws {
        for entry in environment where entry.first == "=" || !entry.contains("=") {
            throw ValidationError("--env \(entry): write NAME=VALUE.")
        }
    }

    /// The sandbox's own options for all this.
    func launcher() throws -> SandboxLauncher {
        var launcher = try CommandFailure.catching(status: SandboxLauncher.failureStatus) {
            try SandboxLauncher.find()
        }
        launcher.platform = platform.platform?.rawValue
        let here = FileManager.default.currentDirectoryPath
        launcher.root = try root.map { try directory($0, option: "--root") } ?? "/"
        // Empty where that directory has been removed, which the guest then finds as natively.
        launcher.workingDirectory =
            cwd.map { absolute($0, from: root == nil ? here : "/") } ?? (root == nil ? here : "/")
        launcher.environment = Self.merged(ProcessInfo.processInfo.environment, environment)
        launcher.isReadOnly = isReadOnly
        launcher.memory = memory?.bytes
        launcher.binds = try binds.map { bind in
            let source = absolute(bind.source, from: here)
            guard FileManager.default.fileExists(atPath: source) else {
                throw CommandFailure(
                    "\(source): is not there; --bind needs an existing file or directory",
                    status: SandboxLauncher.failureStatus)
            }
            return .init(source: source, destination: bind.destination, isReadOnly: bind.isReadOnly)
        }
        return launcher
    }

    /// The caller's environment with some entries added or replaced, sorted by name.
    static func merged(_ environment: [String: String], _ entries: [String]) -> [String] {
        var all = environment
        for entry in entries {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            all[String(parts[0])] = parts.count == 2 ? String(parts[1]) : ""
        }
        return all.map { "\($0.key)=\($0.value)" }.sorted()
    }

    private func directory(_ path: String, option: String) throws -> String {
        let path = absolute(path, from: FileManager.default.currentDirectoryPath)
        let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
        // A link to a directory is one, too.
        let isLink = type == .typeSymbolicLink && FileManager.default.fileExists(atPath: path + "/.")
        guard type == .typeDirectory || isLink else {
            throw CommandFailure(
                "\(path): is no directory; give one to \(option)", status: SandboxLauncher.failureStatus)
        }
        return path
    }

    private func absolute(_ path: String, from directory: String) -> String {
        FilePaths.absolute(path, from: directory)
    }
}

/// Paths as users write them.
enum FilePaths {
    static func absolute(_ path: String, from directory: String = FileManager.default.currentDirectoryPath) -> String {
        path.hasPrefix("/") ? path : URL(fileURLWithPath: directory).appendingPathComponent(path).standardized.path
    }
}

/// `SRC:DST` or `SRC:DST:ro`.
struct BindArgument: ExpressibleByArgument, Hashable {
    let source: String
    let destination: String
    let isReadOnly: Bool

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 || (parts.count == 3 && parts[2] == "ro"), !parts[0].isEmpty, parts[1].hasPrefix("/")
        else { return nil }
        source = parts[0]
        destination = parts[1]
        isReadOnly = parts.count == 3
    }
}

/// A number of bytes: `1048576`, `512M`, `2G`.
struct MemorySize: ExpressibleByArgument, Hashable {
    let bytes: UInt64

    init?(argument: String) {
        let units: [Character: UInt64] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40]
        let factor = argument.last.flatMap { units[Character($0.uppercased())] }
        let digits = factor == nil ? argument[...] : argument.dropLast()
        guard digits.allSatisfy(\.isASCII), let number = UInt64(digits), number > 0 else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: factor ?? 1)
        guard !overflow else { return nil }
        self.bytes = bytes
    }
}
