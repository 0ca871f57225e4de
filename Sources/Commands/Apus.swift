package import ArgumentParser

/// The command `apus`.
package struct Apus: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "apus",
        abstract: "Runs Linux programs under a kernel in user space, and shows how that differs from Linux.",
        discussion: """
            EXAMPLES:
              apus run -- python3 -c 'print(1)'    a program in the sandbox
              apus trace --native -- ls            its system calls on the host
              apus diff -- ls -l                   the same program on both, compared
              apus test files                      the corpus, or a part of it
              apus bench --quick                   how fast the sandbox is
              apus doctor                          whether the sandbox runs on this host
            """,
        version: "0.1.0",
        subcommands: [
            RunCommand.self, TraceCommand.self, DiffCommand.self, TestCommand.self, ReportCommand.self,
            SyscallsCommand.self, InspectCommand.self, DoctorCommand.self, BenchCommand.self, SoakCommand.self,
        ])

    package init() {}

    /// Runs the command that the arguments name and exits. Most of `apus run -- COMMAND` never comes here: see `Sources/apus`.
    package static func start() -> Never {
        do {
            var command = try parseAsRoot()
            try CommandFailure.catching { try command.run() }
            exit()
        } catch let failure as CommandFailure {
            Terminal.standardError.write(failure.text)
            exit(withError: ExitCode(failure.status))
        } catch {
            exit(withError: error)
        }
    }
}
