import SyscallTableGenerator
import Testing

/// Facts of one call on one architecture, to be changed by a test.
private func makeFacts(
    of name: String = "read", number: Int = 0, entry: String? = "sys_read",
    on architectures: [Architecture] = [.x86_64],
    _ signatures: [(Source, file: String, parameters: [(String, String?)])]
) -> Facts {
    var facts = Facts()
    for source in [Source.table, .definition, .prototype, .tracefs, .btf] { facts.versions[source] = "Linux 1" }
    facts.numbers = architectures.map {
        NumberFact(architecture: $0, number: number, abi: "common", name: name, entry: entry)
    }
    for (source, file, parameters) in signatures {
        facts.signatures[source, default: []].append(
            SignatureFact(
                entry: entry ?? "sys_\(name)", file: file,
                parameters: parameters.map { ParameterFact(type: $0.0, name: $0.1) }))
    }
    return facts
}

private func merge(_ facts: Facts, _ overlay: String = "") throws -> Table {
    try Merger.merge(facts, Overlay(parsing: overlay, file: "overlay.txt"))
}

@Suite("Merging the sources")
struct MergerTests {
    @Test("each field says where it comes from, and the definition is believed before the rest")
    func provenance() throws {
        let table = try merge(
            makeFacts([
                (.definition, "f.c", [("unsigned int", "fd"), ("char __user *", "buf"), ("size_t", "count")]),
                (.prototype, "s.h", [("unsigned int", nil), ("char __user *", nil), ("size_t", "count")]),
            ]), "name fd = fd\ncall read buf:buffer,out,result(count) -> bytes")
        let call = try #require(table.calls.first)
        #expect(call.isInLinux && call.absence == nil)
        #expect(call.result == Sourced("bytes", .overlay))
        #expect(call.parameters[0].cType == Sourced("unsigned int", .definition))
        #expect(call.parameters[0].swiftType == Sourced("FileNumber", .overlay))
        #expect(call.parameters[0].direction == Sourced("value", .type))
        #expect(call.parameters[1].direction == Sourced("out", .overlay))
        #expect(call.parameters[1].extent == Sourced(.resultBytes(2), .overlay))
        #expect(call.parameters[2].swiftType == Sourced("UInt", .type))
        #expect(table.gaps.isEmpty)
        #expect(table.disagreements.isEmpty)
    }

    @Test("sources that differ are listed with what each says; spelling is told from meaning")
    func disagreements() throws {
        let table = try merge(
            makeFacts([
                (.definition, "f.c", [("u32", "fd"), ("int", "flags")]),
                (.prototype, "s.h", [("unsigned", "fd"), ("long", "flags")]),
                (.tracefs, "events", [("unsigned int", "descriptor"), ("int", "flags")]),
                (.btf, "btf", [("long unsigned int", "fd")]),
            ]), "call read -> zero")
        let found = table.disagreements
        #expect(found.map(\.field) == ["name of parameter 0", "parameter count", "type of parameter 1"])
        #expect(found.map(\.isSpelling) == [true, false, false])
        #expect(found.map(\.settledBy) == [.definition, .definition, .definition])
        #expect(
            found[2].values == [Sourced("int", .definition), Sourced("long", .prototype), Sourced("int", .tracefs)])
        #expect(table.calls[0].parameters.map(\.name.value) == ["fd", "flags"])
    }

    @Test("the overlay's signature settles what the sources leave open, and the difference stays listed")
    func settled() throws {
        let table = try merge(
            makeFacts([
                (.definition, "f.c", [("int", "b"), ("long", "a")]),
                (.definition, "f.c", [("long", "a"), ("int", "b")]),
            ]), "signature read = long a, int b\ncall read -> zero")
        #expect(table.calls[0].parameters.map(\.name) == [Sourced("a", .overlay), Sourced("b", .overlay)])
        #expect(table.disagreements.contains { $0.field == "type of parameter 0" && $0.settledBy == .overlay })
    }

    @Test("a running x86-64 kernel says nothing about other architectures")
    func otherArchitectures() throws {
        let table = try merge(
            makeFacts(
                on: [.x86_64, .riscv64],
                [(.definition, "f.c", [("int", "a")]), (.tracefs, "events", [("long", "a")])]),
            "call read -> zero")
        #expect(table.disagreements.map(\.architectures) == [[.x86_64]])
    }

    @Test("a definition below arch/ is its architecture's only")
    func architectureDefinition() throws {
        let table = try merge(
            makeFacts(
                on: [.x86_64, .aarch64, .riscv64],
                [
                    (.definition, "arch/x86/kernel/f.c", [("int", "a")]),
                    (.definition, "arch/arm64/kernel/f.c", [("long", "a")]),
                    (.definition, "arch/x86/um/f.c", [("char", "wrong")]),
                ]), "call read -> zero")
        #expect(table.calls.map(\.isInLinux) == [true, true, false])
        #expect(table.calls.prefix(2).map { $0.parameters.map(\.cType.value) } == [["int"], ["long"]])
        #expect(table.calls[2].absence == "no definition of sys_read for riscv64")
        #expect(table.disagreements.isEmpty)
    }

    @Test(
        "what Linux itself lacks is told from what it has",
        arguments: [
            (nil, "no entry point"), ("sys_ni_syscall", "sys_ni_syscall"),
            ("sys_x", "no definition of sys_x for x86_64"),
        ]
            as [(String?, String)])
    func absence(entry: String?, reason: String) throws {
        let table = try merge(makeFacts(of: "x", entry: entry, []))
        #expect(table.calls.map(\.isInLinux) == [false])
        #expect(table.calls.map(\.absence) == [reason])
        #expect(table.gaps.isEmpty)
    }

    @Test("a pointer whose direction nobody tells is a gap, and so is a missing result")
    func gaps() throws {
        let table = try merge(
            makeFacts([(.definition, "f.c", [("struct x __user *", "p"), ("const char __user *", "q")])]))
        #expect(table.gaps == ["x86_64 read p: struct x __user *", "x86_64 read: result"])
        #expect(table.calls[0].parameters[1].direction == Sourced("in", .definition))
    }

    @Test("sizes come from BTF on x86-64, and from the overlay where it differs")
    func sizes() throws {
        var facts = makeFacts(on: [.x86_64, .aarch64], [(.definition, "f.c", [("struct stat __user *", "p")])])
        facts.structureSizes = ["struct stat": 144]
        let table = try merge(facts, "size struct stat = 144 aarch64:128\ncall read p:out -> zero")
        #expect(table.calls[0].parameters[0].extent == Sourced(.fixed(144), .btf))
        #expect(table.calls[1].parameters[0].extent == Sourced(.fixed(128), .overlay))
        #expect(table.disagreements.isEmpty)
    }

    @Test("where the overlay's size is not BTF's, the overlay's stands and both are listed")
    func sizeDisagreement() throws {
        var facts = makeFacts([(.definition, "f.c", [("struct stat __user *", "p")])])
        facts.structureSizes = ["struct stat": 144]
        let table = try merge(facts, "size struct stat = 88\ncall read p:out -> zero")
        #expect(table.calls[0].parameters[0].extent == Sourced(.fixed(88), .overlay))
        #expect(table.disagreements.map(\.entry) == ["struct stat"])
        #expect(table.disagreements.map(\.field) == ["size"])
        #expect(table.disagreements.first?.values == [Sourced("88", .overlay), Sourced("144", .btf)])
    }

    @Test(
        "an overlay that names what is not there names its line",
        arguments: [
            ("call write -> zero", 1, "no table has a call write"),
            ("\nsignature write = int a", 2, "no table has a call write"),
            ("call read x:in -> zero", 1, "read has no parameter x on x86_64, but: p, n"),
            ("call read p:in,bytes(m) -> zero", 1, "read has no parameter m to count with"),
            (
                "call read p:in,array(n) -> zero", 1,
                "the size of an element of `struct x __user *` (read) is unknown: add a `size` line"
            ),
            ("call read p:in,fixed(struct_y) -> zero", 1, "unknown size `struct_y`"),
        ])
    func strangers(overlay: String, line: Int, reason: String) {
        let facts = makeFacts([(.definition, "f.c", [("struct x __user *", "p"), ("int", "n")])])
        #expect(throws: GeneratorError(file: "overlay.txt", line: line, reason: reason)) { try merge(facts, overlay) }
    }

    @Test("a C type without a Swift type is an error, not a guess")
    func unknownType() {
        let facts = makeFacts([(.definition, "f.c", [("mystery_t", "m")])])
        #expect(throws: GeneratorError(file: "x86_64", reason: "read: no Swift type is known for `mystery_t`")) {
            try merge(facts, "call read -> zero")
        }
    }
}
