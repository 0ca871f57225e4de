import Foundation
import Testing

@testable import Corpus

/// A folder that a test has to itself, removed when the test lets go of it.
final class Scratch {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "apus-corpus-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ name: String, _ text: String, mode: Int = 0o644) throws -> String {
        let file = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }

    /// An `apus-kernel` that runs programs natively and errs as told.
    func launcher(fault: String) throws -> SandboxLauncher {
        let standIn = try #require(Self.standIn)
        return SandboxLauncher(
            kernel: try write("kernel-\(fault)", "#!/bin/sh\nexec '\(standIn)' --fault \(fault) \"$@\"\n", mode: 0o755))
    }

    /// One that errs once in each way, run after run, and then no more.
    func launcher(faults: [String]) throws -> SandboxLauncher {
        let standIn = try #require(Self.standIn)
        try write("faults", faults.map { $0 + "\n" }.joined())
        let list = path + "/faults"
        return SandboxLauncher(
            kernel: try write(
                "kernel-faults",
                """
                #!/bin/sh
                for word; do [ "$word" != -- ] || break; done
                if [ "$word" != -- ]; then exec '\(standIn)' "$@"; fi
                read -r fault < '\(list)' || fault=none
                sed -i 1d '\(list)'
                exec '\(standIn)' --fault "$fault" "$@"
                """, mode: 0o755))
    }

    /// What the tests' own build has made beside their bundle.
    static var standIn: String? {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let folders = [
            (own as NSString).deletingLastPathComponent,
            (CommandLine.arguments.first { $0.hasSuffix(".xctest") }.map { ($0 as NSString).deletingLastPathComponent })
                ?? "",
            FileManager.default.currentDirectoryPath + "/.build/debug",
        ]
        return folders.map { $0 + "/kernel-stand-in" }.first(where: FileManager.default.isExecutableFile(atPath:))
    }

    static var hasCompiler: Bool { HostProgram.find("gcc") != nil }
}
