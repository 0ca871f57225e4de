import Foundation
import SyscallTableGenerator
import Testing

@Suite("data/sources and what is generated")
struct FilesTests {
    private var sample: Facts {
        var facts = Facts()
        for source in [Source.table, .definition, .prototype, .tracefs, .btf] {
            facts.versions[source] = "Linux \(source.rawValue)"
            if source != .table {
                facts.signatures[source] = [
                    SignatureFact(
                        entry: "sys_read", file: "f.c",
                        parameters: [ParameterFact(type: "char *", name: "buf"), ParameterFact(type: "int", name: nil)])
                ]
            }
        }
        facts.numbers = [
            NumberFact(architecture: .x86_64, number: 0, abi: "common", name: "read", entry: "sys_read"),
            NumberFact(architecture: .x86_64, number: 3, abi: "64", name: "gone", entry: nil),
        ]
        facts.structureSizes = ["struct stat": 144]
        return facts
    }

    @Test("facts are read as they were written")
    func roundTrip() throws {
        try withTemporaryFolder { folder in
            try FactsFiles(folder: folder).write(sample)
            #expect(try FactsFiles(folder: folder).read() == sample)
        }
    }

    @Test("a source that the host lacks leaves its file as it is")
    func kept() throws {
        try withTemporaryFolder { folder in
            try FactsFiles(folder: folder).write(sample)
            var less = sample
            less.signatures[.btf] = nil
            less.structureSizes = [:]
            try FactsFiles(folder: folder).write(less)
            #expect(try FactsFiles(folder: folder).read() == sample)
        }
    }

    @Test(
        "a line that makes no sense names file and line",
        arguments: [
            ("numbers.tsv", "x86_64\tzero\tcommon\tread\tsys_read", "expected five fields"),
            ("numbers.tsv", "vax\t0\tcommon\tread\tsys_read", "expected five fields"),
            ("numbers.tsv", "x86_64\t0\tcommon\tread", "expected five fields"),
            ("definition.tsv", "sys_read", "expected an entry and a file"),
            ("btf.tsv", "sys_read\tbtf\tint", "expected `type|name`: int"),
            ("structures.tsv", "struct stat\tlarge", "expected a name and a size"),
        ])
    func malformed(file: String, text: String, reason: String) throws {
        try withTemporaryFolder { folder in
            try FactsFiles(folder: folder).write(sample)
            try Data("# Linux 1\n\n\(text)\n".utf8).write(to: folder.appendingPathComponent(file))
            #expect(throws: GeneratorError(file: file, line: 3, reason: reason)) {
                try FactsFiles(folder: folder).read()
            }
        }
    }

    @Test("without the facts that every table needs, the error says what to do")
    func missing() throws {
        try withTemporaryFolder { folder in
            #expect(throws: GeneratorError.self) { try FactsFiles(folder: folder).read() }
            #expect(throws: GeneratorError.self) { try Merger.table(of: folder) }
        }
    }

    @Test("the same facts give the same bytes, and the JSON is JSON")
    func deterministic() throws {
        let overlay = "call read buf:out,none argument1:int -> zero"
        let table = try Merger.merge(sample, Overlay(parsing: overlay, file: "o"))
        let text = JSONEmitter.text(for: table)
        #expect(try JSONEmitter.text(for: Merger.merge(sample, Overlay(parsing: overlay, file: "o"))) == text)
        let root = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let architectures = try #require(root["architectures"] as? [String: [String: Any]])
        let calls = try #require(architectures["x86_64"]?["calls"] as? [[String: Any]])
        #expect(calls.count == 2)
        #expect(calls[1]["inLinux"] as? Bool == false)
        #expect(architectures["x86_64"]?["unassigned"] as? [[Int]] == [[1, 2]])
    }

    @Test("drift is a changed, a missing and a left-over file, each by its name")
    func drift() throws {
        try withTemporaryFolder { folder in
            let table = try Merger.merge(sample, Overlay(parsing: "call read buf:out,none -> zero", file: "o"))
            let json = folder.appendingPathComponent("syscalls.json")
            let swift = folder.appendingPathComponent("Generated")
            let generated = GeneratedFiles(for: table, json: json, swift: swift)
            try generated.write()
            #expect(generated.drift().isEmpty)

            try Data("{\n  \"sources\": {}\n".utf8).write(to: json)
            try FileManager.default.removeItem(at: swift.appendingPathComponent("Linux.swift"))
            try Data().write(to: swift.appendingPathComponent("Linux+640.swift"))
            let expected = [
                "\(json.path):2 is not what the data give",
                "\(swift.appendingPathComponent("Linux.swift").path) is missing",
                "\(swift.appendingPathComponent("Linux+640.swift").path) is not generated any more",
            ]
            #expect(generated.drift() == expected)
            try generated.write()
            #expect(generated.drift().isEmpty)
        }
    }
}

@Suite("The committed table")
struct CommittedTableTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static let data = root.appendingPathComponent("data")

    @Test("the committed files are what the committed data give")
    func drift() throws {
        let generated = GeneratedFiles(
            for: try Merger.table(of: Self.data), json: Self.data.appendingPathComponent("syscalls.json"),
            swift: Self.root.appendingPathComponent("Sources/LinuxABI/Generated"))
        #expect(generated.drift().isEmpty, "run scripts/regenerate-table")
    }

    @Test("no pointer is left without a direction, and no call without a result")
    func gaps() throws {
        #expect(try Merger.table(of: Self.data).gaps.isEmpty)
    }

    @Test("every number of the source's tables is described, with nothing between them unaccounted for")
    func complete() throws {
        let table = try Merger.table(of: Self.data)
        let facts = try FactsFiles(folder: Self.data.appendingPathComponent("sources")).read()
        for architecture in Architecture.allCases {
            let numbers = table.calls.filter { $0.architecture == architecture }.map(\.number)
            #expect(numbers == facts.numbers.filter { $0.architecture == architecture }.map(\.number).sorted())
        }
        let x86 = table.calls.filter { $0.architecture == .x86_64 }
        #expect(x86.map(\.number) == Array(0...335) + Array(424...462))
        #expect(x86.last?.name == "mseal")
    }

    @Test("a disagreement in meaning is settled by the overlay, or is about a prototype of other architectures")
    func settled() throws {
        let open = try Merger.table(of: Self.data).disagreements.filter { !$0.isSpelling && $0.settledBy != .overlay }
        // fanotify_mark takes its mask in two halves on 32-bit architectures.
        #expect(Set(open.map(\.entry)) == ["sys_fanotify_mark"])
    }
}
