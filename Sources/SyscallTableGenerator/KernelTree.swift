package import Foundation

/// The kernel's source, as `scripts/fetch-kernel-source` unpacks it.
package struct KernelTree {
    package let root: URL

    package init(root: URL) { self.root = root }

    private static let x86Table = "arch/x86/entry/syscalls/syscall_64.tbl"
    private static let genericTable = "scripts/syscall.tbl"
    private static let prototypes = "include/linux/syscalls.h"

    package func read(into facts: inout Facts) throws {
        let version = try version()
        for source in [Source.table, .prototype, .definition] { facts.versions[source] = version }
        facts.numbers = try SyscallTblParser.parse(
            text(KernelTree.x86Table), file: KernelTree.x86Table, architecture: .x86_64, abis: ["common", "64"])
        for architecture in [Architecture.aarch64, .riscv64] {
            let makefile = try text("arch/\(architecture.sourceFolder)/kernel/Makefile.syscalls")
            facts.numbers += try SyscallTblParser.parse(
                text(KernelTree.genericTable), file: KernelTree.genericTable, architecture: architecture,
                abis: SyscallTblParser.abis(makefile: makefile))
        }
        facts.signatures[.prototype] = try CDeclarations.prototypes(
            in: text(KernelTree.prototypes), file: KernelTree.prototypes)
        facts.signatures[.definition] = try definitions()
    }

    private func text(_ path: String) throws(GeneratorError) -> String {
        let file = root.appendingPathComponent(path).path
        guard let data = FileManager.default.contents(atPath: file) else {
            throw GeneratorError(
                file: file, reason: "can't be read: scripts/fetch-kernel-source unpacks what is needed")
        }
        return String(decoding: data, as: UTF8.self)
    }

    private func version() throws -> String {
        var parts: [String: String] = [:]
        for line in try text("Makefile").split(separator: "\n").prefix(20) {
            let fields = line.split(whereSeparator: \.isWhitespace).map(String.init)
            if fields.count == 3, fields[1] == "=" { parts[fields[0]] = fields[2] }
        }
        guard let major = parts["VERSION"], let minor = parts["PATCHLEVEL"], let patch = parts["SUBLEVEL"] else {
            throw GeneratorError(file: "Makefile", reason: "names no VERSION, PATCHLEVEL and SUBLEVEL")
        }
        return "Linux \(major).\(minor).\(patch)"
    }

    private func definitions() throws -> [SignatureFact] {
        var found: Set<SignatureFact> = []
        let base = root.standardizedFileURL.path
        guard let files = FileManager.default.enumerator(atPath: base) else {
            throw GeneratorError(file: base, reason: "is no folder")
        }
        for case let path as String in files where path.hasSuffix(".c") {
            if path.hasPrefix("arch/"),
                !Architecture.allCases.contains(where: { path.hasPrefix("arch/\($0.sourceFolder)/") })
            {
                continue
            }
            let source = try text(path)
            guard source.contains("SYSCALL_DEFINE") else { continue }
            found.formUnion(try CDeclarations.definitions(in: source, file: path))
        }
        return found.sorted { $0.order < $1.order }
    }
}
