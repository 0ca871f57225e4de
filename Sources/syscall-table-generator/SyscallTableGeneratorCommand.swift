import ArgumentParser
import Foundation
import SyscallTableGenerator

@main
struct SyscallTableGeneratorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "syscall-table-generator",
        abstract: "Makes the one table of system calls from the kernel's own sources.",
        discussion: """
            Examples:
              syscall-table-generator extract --tree .build/kernel-source --data data
              syscall-table-generator generate --data data --swift Sources/LinuxABI/Generated
            """,
        subcommands: [Extract.self, Generate.self])
}

struct Extract: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Reads facts from a kernel's source, and from the running kernel where it offers them.")

    @Option(help: "The kernel's source, as scripts/fetch-kernel-source unpacks it.")
    var tree: String

    @Option(help: "Where tracefs is mounted.")
    var tracefs = "/sys/kernel/tracing"

    @Option(help: "The running kernel's types.")
    var btf = "/sys/kernel/btf/vmlinux"

    @Option(help: "The data folder; its sources/ is written.")
    var data = "data"

    func run() throws {
        var facts = Facts()
        try KernelTree(root: URL(fileURLWithPath: tree)).read(into: &facts)
        let release = try runningRelease()
        if let signatures = try TracefsParser.signatures(below: URL(fileURLWithPath: tracefs)) {
            facts.signatures[.tracefs] = signatures
            facts.versions[.tracefs] = release
        } else {
            print("tracefs: \(tracefs) shows no system calls; what was extracted before stays")
        }
        if let bytes = FileManager.default.contents(atPath: btf) {
            try facts.add(BTF([UInt8](bytes), file: btf), release: release)
        } else {
            print("BTF: \(btf) can't be read; what was extracted before stays")
        }
        try FactsFiles(folder: URL(fileURLWithPath: data).appendingPathComponent("sources")).write(facts)
        print("\(facts.versions[.table] ?? ""): \(facts.numbers.count) numbers")
        for source in Source.allCases {
            guard let signatures = facts.signatures[source] else { continue }
            print("\(source.rawValue): \(signatures.count) signatures")
        }
    }

    /// `Linux 6.12.9`, as the running kernel says: local suffixes are of no concern.
    private func runningRelease() throws -> String {
        let release = try String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)
        return "Linux " + release.prefix { $0.isNumber || $0 == "." }
    }
}

struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Merges the facts and the overlay of a data folder into syscalls.json and Swift.")

    @Option(help: "The data folder: sources/ and overlay.txt.")
    var data = "data"

    @Option(help: "The folder of the generated Swift.")
    var swift = "Sources/LinuxABI/Generated"

    @Option(help: "Write syscalls.json here instead of the data folder.")
    var json: String?

    @Flag(help: "Write nothing; fail if what is there is not what the data give.")
    var check = false

    func run() throws {
        let folder = URL(fileURLWithPath: data)
        let table = try Merger.table(of: folder)
        let generated = GeneratedFiles(
            for: table, json: json.map { URL(fileURLWithPath: $0) } ?? folder.appendingPathComponent("syscalls.json"),
            swift: URL(fileURLWithPath: swift))
        for gap in table.gaps { print("gap: \(gap)") }
        let real = table.disagreements.filter { !$0.isSpelling }.count
        print(
            "\(table.calls.count) calls, \(table.disagreements.count) disagreements (\(real) in meaning), "
                + "\(table.gaps.count) gaps")
        if check {
            let drift = generated.drift()
            for difference in drift { print(difference) }
            if !drift.isEmpty {
                print("run scripts/regenerate-table and commit what it writes")
                throw ExitCode.failure
            }
            print("the generated files are what the data give")
        } else {
            try generated.write()
        }
    }
}
