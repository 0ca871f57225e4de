package import Foundation

/// `data/sources/`: the facts as tab-separated files, one source a file, small enough to commit and to review.
package struct FactsFiles {
    package let folder: URL

    package init(folder: URL) { self.folder = folder }

    private static let signatureSources: [Source] = [.definition, .prototype, .tracefs, .btf]

    package func write(_ facts: Facts) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var numbers = header(facts.versions[.table], "architecture\tnumber\tabi\tname\tentry")
        for fact in facts.numbers {
            numbers +=
                "\(fact.architecture.rawValue)\t\(fact.number)\t\(fact.abi)\t\(fact.name)\t\(fact.entry ?? "-")\n"
        }
        try save(numbers, as: "numbers.tsv")
        for source in FactsFiles.signatureSources {
            // What this host does not offer stays as it was extracted elsewhere.
            guard let signatures = facts.signatures[source] else { continue }
            var text = header(facts.versions[source], "entry\tfile\tparameters: type|name")
            for signature in signatures {
                let parameters = signature.parameters.map { "\t\($0.type)|\($0.name ?? "")" }
                text += "\(signature.entry)\t\(signature.file)\(parameters.joined())\n"
            }
            try save(text, as: "\(source.rawValue).tsv")
        }
        if !facts.structureSizes.isEmpty {
            var text = header(facts.versions[.btf], "structure\tbytes (x86-64)")
            for (name, size) in facts.structureSizes.sorted(by: { $0.key < $1.key }) { text += "\(name)\t\(size)\n" }
            try save(text, as: "structures.tsv")
        }
    }

    package func read() throws -> Facts {
        var facts = Facts()
        let numbers = try load("numbers.tsv", required: true)
        facts.versions[.table] = numbers.version
        for row in numbers.rows {
            guard row.fields.count == 5, let architecture = Architecture(rawValue: row.fields[0]),
                let number = Int(row.fields[1])
            else {
                throw GeneratorError(file: "numbers.tsv", line: row.line, reason: "expected five fields")
            }
            let entry = row.fields[4] == "-" ? nil : row.fields[4]
            facts.numbers.append(
                NumberFact(
                    architecture: architecture, number: number, abi: row.fields[2], name: row.fields[3], entry: entry))
        }
        for source in FactsFiles.signatureSources {
            let name = "\(source.rawValue).tsv"
            let table = try load(name, required: source == .definition || source == .prototype)
            guard let version = table.version else { continue }
            facts.versions[source] = version
            facts.signatures[source] = try table.rows.map { row throws(GeneratorError) in
                guard row.fields.count >= 2 else {
                    throw GeneratorError(file: name, line: row.line, reason: "expected an entry and a file")
                }
                let parameters = try row.fields.dropFirst(2).map { field throws(GeneratorError) in
                    let parts = field.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
                    guard parts.count == 2 else {
                        throw GeneratorError(file: name, line: row.line, reason: "expected `type|name`: \(field)")
                    }
                    return ParameterFact(type: parts[0], name: parts[1].isEmpty ? nil : parts[1])
                }
                return SignatureFact(entry: row.fields[0], file: row.fields[1], parameters: parameters)
            }
        }
        for row in try load("structures.tsv", required: false).rows {
            guard row.fields.count == 2, let size = Int(row.fields[1]) else {
                throw GeneratorError(file: "structures.tsv", line: row.line, reason: "expected a name and a size")
            }
            facts.structureSizes[row.fields[0]] = size
        }
        return facts
    }

    private func header(_ version: String?, _ columns: String) -> String {
        "# \(version ?? "unknown version")\n# \(columns)\n"
    }

    private func save(_ text: String, as name: String) throws {
        try Data(text.utf8).write(to: folder.appendingPathComponent(name))
    }

    private struct Row {
        let line: Int
        let fields: [String]
    }

    private func load(_ name: String, required: Bool) throws -> (version: String?, rows: [Row]) {
        let file = folder.appendingPathComponent(name)
        guard FileManager.default.fileExists(atPath: file.path) else {
            if required { throw GeneratorError(file: file.path, reason: "is missing: run the extraction first") }
            return (nil, [])
        }
        var version: String?
        var rows: [Row] = []
        let text = try String(contentsOf: file, encoding: .utf8)
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("#") {
                if index == 0 { version = String(line.dropFirst(2)) }
            } else if !line.isEmpty {
                let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
                rows.append(Row(line: index + 1, fields: fields))
            }
        }
        return (version, rows)
    }
}
