package import ArgumentParser
internal import Corpus
internal import Foundation
internal import Inspect
internal import LinuxABI

extension SyscallArchitecture: ExpressibleByArgument {}
extension SyscallListing.Support: ExpressibleByArgument {}

/// `apus syscalls [--arch A] [--format F] [--missing | --implemented | --support S…]`.
package struct SyscallsCommand: ParsableCommand {
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case table, json, csv, markdown
    }

    package static let configuration = CommandConfiguration(
        commandName: "syscalls",
        abstract: "List Linux's system calls, and what the sandbox makes of each.",
        discussion: """
            full, partial and refused are what the sandbox says of itself; missing calls Linux has and the sandbox \
            lacks; absent ones Linux itself answers with ENOSYS. The sandbox runs x86-64 programs: of other \
            architectures the table tells the calls alone.

            EXAMPLES:
              apus syscalls
              apus syscalls --missing
              apus syscalls --support partial --format markdown
              apus syscalls --arch riscv64 --format csv
            """)

    @Option(help: "The architecture.")
    var arch = SyscallArchitecture.x86_64

    @Option(help: "How to print.")
    var format = Format.table

    @Flag(help: "Only calls that Linux has and the sandbox lacks.")
    var missing = false

    @Flag(help: "Only calls that the sandbox implements, in full or in part.")
    var implemented = false

    @Option(help: "Only calls with this support (repeatable).")
    var support: [SyscallListing.Support] = []

    package init() {}

    /// What the options leave; nil means every call.
    private var wanted: Set<SyscallListing.Support>? {
        var wanted = Set(support)
        if missing { wanted.insert(.missing) }
        if implemented { wanted.formUnion([.full, .partial]) }
        return wanted.isEmpty ? nil : wanted
    }

    package func validate() throws {
        guard wanted != nil, arch != .x86_64 else { return }
        throw ValidationError(
            "The sandbox runs x86-64 programs only: it has no support for \(arch.rawValue) to choose by.")
    }

    package func run() throws {
        var listing = SyscallListing(arch, statuses: try statuses())
        if let wanted { listing.keep(wanted) }
        switch format {
        case .table: print(listing.table, terminator: "")
        case .csv: print(listing.csv, terminator: "")
        case .markdown: print(listing.markdown, terminator: "")
        case .json: print(try json(listing))
        }
    }

    /// What the sandbox says of itself. Without a sandbox the table is still worth printing, unless it was to be chosen by.
    private func statuses() throws -> [Int: (status: SyscallListing.Support, note: String)]? {
        guard arch == .x86_64 else { return nil }
        do {
            let rows = try SyscallSupport.query(try SandboxLauncher.find())
            return Dictionary(
                rows.map { ($0.number, (SyscallListing.Support(rawValue: $0.status.rawValue) ?? .unknown, $0.note)) },
                uniquingKeysWith: { first, _ in first })
        } catch {
            if wanted != nil { throw error }
            try? FileHandle.standardError.write(contentsOf: Data("apus: support is unknown: \(error)\n".utf8))
            return nil
        }
    }

    private func json(_ listing: SyscallListing) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let output = Output(architecture: listing.architecture.rawValue, summary: listing.summary, calls: listing.rows)
        return String(decoding: try encoder.encode(output), as: UTF8.self)
    }

    private struct Output: Encodable {
        let architecture: String
        let summary: String
        let calls: [SyscallListing.Row]
    }
}
