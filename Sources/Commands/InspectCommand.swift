package import ArgumentParser
internal import Foundation
internal import Inspect

/// `apus inspect FILE… [--json] [--symbols]`.
package struct InspectCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what an ELF file says of itself.",
        discussion: """
            Headers, segments, interpreter, needed libraries, notes and symbols, as libelf reads them.

            EXAMPLES:
              apus inspect /bin/true
              apus inspect --symbols ./program
              apus inspect --json /lib64/ld-linux-x86-64.so.2
            """)

    @Argument(help: "The files to look at.", completion: .file())
    var files: [String]

    @Flag(help: "Print JSON: an object for one file, an array for several.")
    var json = false

    @Flag(help: "List every symbol instead of their number.")
    var symbols = false

    package init() {}

    package func run() throws {
        let reports = try files.map { try ImageFile($0).report() }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            let data = try reports.count == 1 ? encoder.encode(reports[0]) : encoder.encode(reports)
            print(String(decoding: data, as: UTF8.self))
        } else {
            print(reports.map { $0.text(listsSymbols: symbols) }.joined(separator: "\n"), terminator: "")
        }
    }
}
