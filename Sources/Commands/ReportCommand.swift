package import ArgumentParser
internal import Corpus
internal import Report

/// `apus report`: the reports once more, from the store.
package struct ReportCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write all reports again from a run's results.json.",
        discussion: """
            EXAMPLES:
              apus report
              apus report --results old/results.json --output /tmp/report
            """)

    @Option(help: ArgumentHelp("The results of a run.", valueName: "file"))
    var results = "reports/latest/results.json"

    @Option(help: ArgumentHelp("Where the reports go.", valueName: "dir"))
    var output = "reports/latest"

    package init() {}

    package func run() throws {
        let found = try CommandFailure.catching {
            let found = try ResultStore.read(results)
            try ReportFiles(directory: output).write(found)
            return found
        }
        SummaryTable(found, output).print(to: Terminal.standardOutput)
    }
}
