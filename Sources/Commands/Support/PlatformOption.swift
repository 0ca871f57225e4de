internal import ArgumentParser
internal import Corpus

/// By which platform guests run, as every command takes it that starts the sandbox.
struct PlatformOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How guests' calls reach the kernel: trap, ptrace (slower, needs neither seccomp nor user dispatch) or auto.",
            valueName: "name"))
    var platform: PlatformArgument?

    /// The sandbox as it was found, with this choice.
    func found() throws -> SandboxLauncher {
        var launcher = try SandboxLauncher.find()
        launcher.platform = platform?.rawValue
        return launcher
    }
}

enum PlatformArgument: String, ExpressibleByArgument, CaseIterable {
    case trap, ptrace, auto
}
