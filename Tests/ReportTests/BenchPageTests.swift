import Bench
import Corpus
import Foundation
import Testing

@testable import Report

@Suite("the page about speed")
struct BenchPageTests {
    private let directory: String
    private let cleanUp: CleanUp

    private final class CleanUp {
        let path: String
        init(_ path: String) { self.path = path }
        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    init() {
        directory = NSTemporaryDirectory() + "apus-report-\(UUID().uuidString)"
        cleanUp = CleanUp(directory)
    }

    private var bench: BenchResults {
        var results = BenchResults(
            date: "2026-01-31T12:00:00Z",
            host: HostFacts(kernel: "6.1.0", machine: "x86_64", system: "Debian 12", processors: 2), model: "<fast>",
            bindings: [.all],
            runtimes: [.native, Runtime("sandbox", []), Runtime("runsc", [], skipped: "is <not> there")])
        results.rounds = 1
        for operation in Bench.Operation.all {
            var row = BenchResults.Row(operation)
            row.append(100, "native", .all)
            row.append(500, "sandbox", .all)
            results.rows.append(row)
        }
        results.failures = [.init(operation: "null", runtime: "sandbox", binding: .all, text: "no <end>")]
        return results
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8)
    }

    @Test("stands alone, with table, chart and what could not be had, escaped")
    func alone() throws {
        try ReportFiles(directory: directory).write(bench)
        let names = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
        #expect(names == ["bench.html", "bench.json", "bench.md", "bench.svg", "style.css"])
        let page = try text("bench.html")
        #expect(page.contains("<svg viewBox"))
        #expect(page.contains("null call, not patched"))
        #expect(
            page.contains("is &lt;not&gt; there") && page.contains("no &lt;end&gt;") && page.contains("&lt;fast&gt;"))
        #expect(page.contains("<td class=\"pass\">met</td>") && page.contains("<td class=\"fail\">missed</td>"))
        #expect(!page.contains("index.html") && !page.contains("http://"))
        #expect(PagesTests.unbalanced(page) == [])
        let markdown = try text("bench.md")
        #expect(markdown.contains("| null call, not patched"))
        #expect(markdown.contains("runsc: skipped: is \\<not\\> there"))
    }

    @Test("is led to from the corpus's pages, whichever came first")
    func together() throws {
        try ReportFiles(directory: directory).write(Sample.results)
        #expect(try !text("index.html").contains("bench.html"))
        try ReportFiles(directory: directory).write(bench)
        for name in ["index.html", "syscalls.html", "cases/\(CasePage.fileName(Sample.passed))", "bench.html"] {
            #expect(try text(name).contains("bench.html\">Speed</a>"), "\(name)")
        }
        #expect(try text("index.html").contains("Targets met: "))
        #expect(try text("bench.html").contains("href=\"index.html\""))
        try ReportFiles(directory: directory).write(Sample.results)
        #expect(try text("index.html").contains("bench.html"))
    }
}
