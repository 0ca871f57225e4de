import HostSystem
import Testing

@Suite("Host calls")
struct HostCallTests {
    /// The numbers that the wrappers of `HostSystem` pass on, wherever the number stands after `call(` or `rawCall(`.
    static func numbers(in file: SourceFile) -> Set<Int> {
        let text = file.code.joined(separator: "\n")
        return Set(
            text.matches(of: /\b(?:call|rawCall|vmTransfer)\(\s*(\d+)\b/).compactMap { Int($0.output.1) })
    }

    @Test("the list in docs/host-calls.md is complete, and names no call that is not made")
    func listed() throws {
        let document = try Repository.text(of: "docs/host-calls.md")
        let listed = Set(document.matches(of: /\n\| (\d+) \|/).compactMap { Int($0.output.1) })
        let made = try Repository.swiftFiles(below: "Sources/HostSystem").reduce(into: Set<Int>()) { all, file in
            all.formUnion(HostCallTests.numbers(in: file))
        }
        #expect(made.subtracting(listed).sorted() == [], "not in the list")
        #expect(listed.subtracting(made).sorted() == [], "listed, but not made")
    }

    @Test("each wrapper's call passes the seal or is made before it only, and no others pass")
    func sealed() throws {
        let made = try Repository.swiftFiles(below: "Sources/HostSystem").reduce(into: Set<Int>()) { all, file in
            all.formUnion(HostCallTests.numbers(in: file))
        }
        let allowed = Set((AllowedCall.all + AllowedCall.tracing).map { Int($0.number) })
        #expect(made.subtracting(allowed).subtracting(AllowedCall.onlyBefore).sorted() == [], "in neither list")
        #expect(AllowedCall.onlyBefore.subtracting(made).sorted() == [], "made by no wrapper")
        #expect(AllowedCall.onlyBefore.intersection(allowed).sorted() == [], "in both lists")
        // What no wrapper makes is the shims', the C library's and the language's: named, so that it cannot grow unseen.
        let others: Set<Int> = [10, 12, 14, 15, 25, 28, 39, 46, 186, 219, 228, 230, 232, 233]
        #expect(allowed.subtracting(made).subtracting(others).sorted() == [], "made by nobody")
    }

    @Test("docs/host-calls.md shows the seal's list as it is")
    func documented() throws {
        let document = try Repository.text(of: "docs/host-calls.md")
        let shown = document.split(separator: "\n").map(String.init)
            .filter { $0.hasPrefix("| `") && $0.contains("` (") }
        let rows = (AllowedCall.all + AllowedCall.tracing).map(\.row)
        #expect(shown.filter { !rows.contains($0) } == [], "not in Sources/HostSystem/Seal/AllowedCalls.swift")
        #expect(rows.filter { !shown.contains($0) } == [], "missing in the document")
    }

    @Test("numbers are found on the same line and on the next")
    func recognition() {
        let file = SourceFile(
            path: "Sources/X/x.swift",
            text: "try call(61, a)\n_ = try? call(\n    437, b)\nrecall(5)\ncall(number)\nrawCall(\n    332, c)")
        #expect(HostCallTests.numbers(in: file) == [61, 437, 332])
    }
}
