import Testing

@Suite("Host calls")
struct HostCallTests {
    /// The numbers that the wrappers of `HostSystem` pass on, wherever the number stands after `call(`.
    static func numbers(in file: SourceFile) -> Set<Int> {
        let text = file.code.joined(separator: "\n")
        return Set(
            text.matches(of: /\b(?:call|vmTransfer)\(\s*(\d+)\b/).compactMap { Int($0.output.1) })
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

    @Test("numbers are found on the same line and on the next")
    func recognition() {
        let file = SourceFile(
            path: "Sources/X/x.swift", text: "try call(61, a)\n_ = try? call(\n    437, b)\nrecall(5)\ncall(number)")
        #expect(HostCallTests.numbers(in: file) == [61, 437])
    }
}
