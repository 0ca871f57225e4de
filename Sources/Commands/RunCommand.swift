package import ArgumentParser
internal import Corpus
internal import HostSystem
internal import LinuxABI

/// `apus run`: a program in the sandbox.
package struct RunCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a program in the sandbox.",
        usage: "apus run [<options>] -- <command> [<arguments> ...]",
        discussion: """
            The program sees the caller's environment and working directory, and the host's files under an overlay in \
            memory: whatever it changes is gone when it ends. Its input, outputs, signals and exit status are its own; a \
            signal that kills it gives 128 and the signal's number. Status 125 means that the sandbox failed, 126 that the \
            command can't be executed, 127 that it is not there.

            EXAMPLES:
              apus run -- ls -l /
              apus run --memory 512M --env LANG=C -- python3 script.py
              apus run --bind .:/work --cwd /work -- make
              apus run --root ./debian --readonly -- /bin/sh
              apus run --trace calls.trace -- date && apus diff native.trace calls.trace
            """)

    @OptionGroup var sandbox: SandboxOptions

    @Option(help: ArgumentHelp("Write the system calls to a file, in the binary format.", valueName: "file"))
    var trace: String?

    @Flag(name: .customLong("verbose"), help: "Tell of every system call that the sandbox does not implement.")
    var isVerbose = false

    @Argument(parsing: .captureForPassthrough, help: "The program and its arguments.")
    var command: [String] = []

    package init() {}

    package mutating func validate() throws { _ = try GuestCommand.parse(command) }

    package func run() throws {
        var launcher = try sandbox.launcher()
        launcher.trace = trace.map { FilePaths.absolute($0) }
        launcher.isVerbose = isVerbose
        try Self.start(try GuestCommand.parse(command), by: launcher)
    }

    /// Runs the sandbox in this process's place: terminal, signals and exit status need no middleman. Returns only by throwing.
    static func start(_ command: [String], by launcher: SandboxLauncher) throws {
        do throws(Errno) {
            try Host.execute(launcher.kernel, launcher.arguments(command), environment: [])
        } catch {
            throw CommandFailure(
                "\(launcher.kernel): cannot be executed: \(error); build it anew (swift build --product apus-kernel)",
                status: SandboxLauncher.failureStatus)
        }
    }
}
