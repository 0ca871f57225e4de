import Testing

@Suite("Style")
struct StyleTests {
    /// Lines that a file may have.
    static let ceiling = 500
    static let sandbox = Set(Floors.all.filter { $0.house == .sandbox }.map(\.name))

    @Test("a file has at most 500 lines", arguments: ["Sources", "Tests", "scripts", "bench", "corpus"])
    func sizes(folder: String) throws {
        for path in try Repository.files(below: folder) where StyleTests.isText(path) {
            let count = try Repository.text(of: path).split(separator: "\n", omittingEmptySubsequences: false).count
            #expect(count <= StyleTests.ceiling + 1, "\(path) has \(count - 1) lines")
        }
    }

    @Test("nothing in Sources can trap by try!, as! or a forced unwrap")
    func forced() throws {
        for file in try Repository.swiftFiles(below: "Sources") {
            let places = StyleTests.forced(in: file)
            #expect(places.isEmpty, "\(places)")
        }
    }

    @Test(
        "forced unwraps are told from negations and comparisons",
        arguments: [
            ("let a = try! f()", true), ("let a = b as! C", true), ("let a = b!", true), ("f()!.g()", true),
            ("let a = b[0]!", true), ("var a: Int!", true), ("let a = !b", false), ("if a != b {}", false),
            ("guard !isEmpty else {}", false), ("f(!a, a !== b)", false), ("let a = \"oh!\"", false),
        ])
    func recognition(line: String, isForced: Bool) {
        #expect(StyleTests.forced(in: SourceFile(path: "Sources/X/x.swift", text: line)).isEmpty == !isForced)
    }

    @Test("the sandbox's floors neither suspend nor throw without saying what")
    func sandboxFloors() throws {
        for file in try Repository.swiftFiles(below: "Sources") where StyleTests.sandbox.contains(file.target) {
            let suspending = file.lines(matching: /\)\s*async\b|\bawait\s|^\s*(?:\w+\s+)*actor\s+\w/)
            #expect(suspending.isEmpty, "\(suspending)")
            let untyped = file.lines(matching: /\bthrows\b(?!\()/)
            #expect(untyped.isEmpty, "\(untyped)")
        }
    }

    @Test("no type is called Task")
    func task() throws {
        for file in try Repository.swiftFiles(below: "Sources") {
            let places = file.lines(matching: /\b(?:class|struct|enum|actor|protocol|typealias)\s+Task\b/)
            #expect(places.isEmpty, "\(places)")
        }
    }

    @Test(
        "nothing is left for later by a note in the code",
        arguments: ["Sources", "Tests", "scripts", "bench", "corpus", "docs"])
    func notes(folder: String) throws {
        // Spelled apart, so that this file passes its own test.
        let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X:"]
        for path in try Repository.files(below: folder) where StyleTests.isText(path) {
            let text = try Repository.text(of: path)
            for word in words { #expect(!text.contains(word), "\(path) says \(word)") }
        }
    }

    @Test(
        "each folder says in its README.md what lives there",
        arguments: ["Sources", "corpus", "scripts", "bench", "docs"])
    func readmes(folder: String) throws {
        for holder in try Repository.foldersWithFiles(below: folder) {
            #expect(Repository.exists(holder + "/README.md"), "\(holder) has no README.md")
        }
    }

    private static func forced(in file: SourceFile) -> [String] {
        file.lines(matching: /\btry!|\bas!|[\w)\]}]!(?![=\w])/)
    }

    private static func isText(_ path: String) -> Bool {
        let endings = [".swift", ".c", ".h", ".S", ".md", ".yaml", ".sh", ".py"]
        return endings.contains { path.hasSuffix($0) } || !path.split(separator: "/").suffix(1).joined().contains(".")
    }
}
