/// Reads the kernel's tables of system call numbers (`syscall_64.tbl`, `scripts/syscall.tbl`).
///
/// A row is `number abi name [entry [compat entry [noreturn]]]`; `-` stands for no entry.
package enum SyscallTblParser {
    package static func parse(
        _ text: String, file: String, architecture: Architecture, abis: Set<String>
    ) throws(GeneratorError) -> [NumberFact] {
        var rows: [NumberFact] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let content = line.prefix { $0 != "#" }
            let fields = content.split(whereSeparator: \.isWhitespace).map(String.init)
            if fields.isEmpty { continue }
            guard fields.count >= 3, let number = Int(fields[0]), number >= 0 else {
                throw GeneratorError(file: file, line: index + 1, reason: "expected `number abi name [entry]`")
            }
            guard abis.contains(fields[1]) else { continue }
            let entry = fields.count > 3 && fields[3] != "-" ? fields[3] : nil
            if let clash = rows.first(where: { $0.number == number }) {
                throw GeneratorError(
                    file: file, line: index + 1,
                    reason: "number \(number) is \(clash.name) and \(fields[2]) for \(architecture.rawValue)")
            }
            rows.append(
                NumberFact(
                    architecture: architecture, number: number, abi: fields[1], name: fields[2], entry: entry))
        }
        return rows.sorted { $0.number < $1.number }
    }

    /// The ABIs whose rows an architecture takes: `common,64` and what its `Makefile.syscalls` adds.
    package static func abis(makefile: String) -> Set<String> {
        var abis: Set<String> = ["common", "64"]
        for line in makefile.split(separator: "\n") {
            let fields = line.split(whereSeparator: \.isWhitespace)
            guard fields.count > 2, fields[0] == "syscall_abis_64" else { continue }
            abis.formUnion(fields.dropFirst(2).map(String.init))
        }
        return abis
    }
}
