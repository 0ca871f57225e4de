package import ArgumentParser
internal import Corpus
internal import Foundation
internal import Soak

/// `apus soak`: adversarial guests for a long time.
package struct SoakCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "soak",
        abstract: "Let adversarial guests loose on the sandbox, and watch what becomes of it.",
        discussion: """
            Turn after turn a guest does its worst in a fresh sandbox. In every other turn each host call of the kernel process \
            is watched from outside and compared with the reviewed list. Beside the guest a well-behaved one makes calls all \
            the time: it may never stand still for a second, unless its native twin does, too. After each turn no process may \
            be left, the kernel may hold no more than before, and files, devices, mounts and a process of the host must be as \
            they were. The exit status is 1 if any of that failed; each failure is shown with the line that repeats its turn.

            EXAMPLES:
              apus soak --minutes 30 --output /tmp/soak
              apus soak --short --minutes 1 --seed 1
              apus soak --only forge,floods --minutes 5
            """)

    @Option(help: ArgumentHelp("For how long.", valueName: "n"))
    var minutes = 30.0

    @Option(help: ArgumentHelp("At most so many turns.", valueName: "n"))
    var turns: Int?

    @Option(help: ArgumentHelp("Where seeds begin (the time).", valueName: "seed"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("Only these guests, separated by commas.", valueName: "names"))
    var only: ListArgument?

    @Flag(name: .customLong("short"), help: "Each guest with less of everything.")
    var isShort = false

    @Flag(name: .customLong("traced"), help: "Watch the kernel process's calls in every turn.")
    var isTraced = false

    @Flag(name: .customLong("untraced"), help: "Watch them in none.")
    var isUntraced = false

    @Flag(name: .customLong("staged"), help: "A root of its own for every guest.")
    var isStaged = false

    @Flag(name: .customLong("limited"), help: "A limit of memory for every sandbox.")
    var isLimited = false

    @Option(
        name: .customLong("patch-after"), help: ArgumentHelp("As of apus-kernel, for every turn.", valueName: "traps"))
    var patchAfter: Int?

    @Option(help: ArgumentHelp("Write soak.md and soak.json there.", valueName: "dir"))
    var output: String?

    @Option(help: ArgumentHelp("The guests' sources.", valueName: "dir"))
    var guests = "Tests/SandboxTests/Guests"

    package init() {}

    package func validate() throws {
        guard minutes > 0, minutes <= 10_000 else { throw ValidationError("--minutes \(minutes): give more than 0.") }
        if isTraced && isUntraced { throw ValidationError("--traced and --untraced exclude each other.") }
    }

    package func run() throws {
        var options = Soak.Options()
        options.kernel = try CommandFailure.catching { try SandboxLauncher.find().kernel }
        options.seconds = minutes * 60
        options.turns = turns
        options.seed = seed ?? UInt64(Date().timeIntervalSince1970)
        options.only = only?.words ?? []
        options.isShort = isShort
        options.sources = guests
        options.patchAfter = patchAfter
        if isTraced || isUntraced { options.isTraced = isTraced }
        if turns == 1 || isStaged { options.isStaged = isStaged }
        if turns == 1 || isLimited { options.isLimited = isLimited }
        let report: SoakReport
        do {
            report = try CommandFailure.catching {
                try Soak(options) { Terminal.standardError.write($0 + "\n") }.run()
            }
        } catch let error as SoakError {
            throw CommandFailure(error.description)
        }
        Terminal.standardOutput.write(report.markdown)
        if let output { try write(report, to: output) }
        if report.failures > 0 { throw ExitCode(1) }
    }

    private func write(_ report: SoakReport, to folder: String) throws {
        do {
            let place = URL(fileURLWithPath: folder)
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            try Data(report.markdown.utf8).write(to: place.appendingPathComponent("soak.md"))
            try report.json.write(to: place.appendingPathComponent("soak.json"))
        } catch {
            throw CommandFailure("cannot write the report to \(folder): \(error.localizedDescription)")
        }
    }
}
