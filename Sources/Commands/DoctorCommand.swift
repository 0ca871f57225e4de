package import ArgumentParser
internal import Corpus
internal import TraceModel

/// `apus doctor`: what this host offers, and whether the sandbox runs on it.
package struct DoctorCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Show what this host offers, and what the sandbox will therefore use.",
        discussion: """
            Looks at the kernel, the processors and what this user may do, changes nothing, and starts /bin/true in the \
            sandbox to see whether all that suffices. The exit status is 0 if the sandbox runs, 69 if it cannot.

            EXAMPLES:
              apus doctor
              apus doctor || echo "no sandbox here"
            """)

    /// `EX_UNAVAILABLE` of sysexits.h.
    static let unavailable: Int32 = 69

    package init() {}

    package func run() throws {
        let findings = HostFindings.take()
        Terminal.standardOutput.write(findings.map(\.text).joined())
        if let trouble = trial() {
            Terminal.standardOutput.write(Finding("sandbox", .missing, trouble).text)
            throw ExitCode(DoctorCommand.unavailable)
        }
        Terminal.standardOutput.write(Finding("sandbox", .present, "/bin/true ran in it").text)
    }

    /// Runs the least program there is in the sandbox.
    /// - Returns: why that does not work; nil if it does.
    private func trial() -> String? {
        do {
            var launcher = try SandboxLauncher.find()
            launcher.environment = ["PATH=/usr/bin:/bin"]
            launcher.isVerbose = true
            let outcome = try HostProgram.run(launcher.arguments(["/bin/true"]), seconds: 60)
            let notes = outcome.text.split(separator: "\n").map { Finding.continuation(String($0)) }.joined()
            Terminal.standardOutput.write(notes)
            if outcome.timedOut { return "/bin/true did not end within a minute" }
            guard outcome.status.exitCode == 0 else {
                return "/bin/true did not run: status \(outcome.status.exitCode.map(String.init) ?? "of a signal")"
            }
            return nil
        } catch {
            return "\(error)"
        }
    }
}
