internal import Corpus
internal import Foundation

/// A way to run a program: natively, in the sandbox, or by something that others have made.
package struct Runtime: Sendable, Hashable, Codable {
    package var name: String
    /// What stands before a command and its arguments.
    package var prefix: [String]
    /// What the figures of this runtime mean, where that is not plain.
    package var note: String
    /// Why it takes no part.
    package var skipped: String?

    package init(_ name: String, _ prefix: [String], note: String = "", skipped: String? = nil) {
        self.name = name
        self.prefix = prefix
        self.note = note
        self.skipped = skipped
    }

    /// The names under which the two sides that are always there are kept.
    package static let nativeName = "native"
    package static let sandboxName = "sandbox"

    package static let native = Runtime(nativeName, [])

    /// `apus` is the command's own path: what users start is measured.
    package static func sandbox(apus: String, platform: String? = nil) -> Runtime {
        Runtime(sandboxName, [apus, "run"] + (platform.map { ["--platform", $0] } ?? []) + ["--"])
    }

    /// Others, as they are best compared: on the host's root, without a network of their own.
    package static let others = [
        Runtime(
            "runsc", ["runsc", "--network=none", "--ignore-cgroups", "do"],
            note: "gVisor as installed, with the platform that it chooses itself"),
        Runtime(
            "qemu-x86_64", ["qemu-x86_64"],
            note: "translates one program; what that executes runs natively where binfmt_misc does not say otherwise"),
        Runtime("proot", ["proot"], note: "stops the program at some calls by ptrace and seccomp"),
        Runtime(
            "bwrap",
            ["bwrap", "--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc", "--unshare-pid"],
            note: "namespaces only: calls are the host's own"),
    ]

    package static func other(_ name: String) -> Runtime? { others.first { $0.name == name } }

    /// The command for `argv`. The program is given by its path: not every runtime looks for it.
    func command(_ argv: [String]) -> [String] {
        guard let program = argv.first else { return prefix }
        let path = program.contains("/") ? program : HostProgram.find(program, in: Fixtures.searchPath) ?? program
        return prefix + [path] + argv.dropFirst()
    }

    /// Whether the runtime's own program is there.
    var isInstalled: Bool {
        prefix.first.map { $0.contains("/") || HostProgram.find($0, in: Fixtures.searchPath) != nil } ?? true
    }
}
