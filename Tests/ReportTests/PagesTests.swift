import Corpus
import Foundation
import Testing

@testable import Report

@Suite("the pages")
struct PagesTests {
    private let directory: String
    private let cleanUp: CleanUp

    private final class CleanUp {
        let path: String
        init(_ path: String) { self.path = path }
        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    init() throws {
        directory = NSTemporaryDirectory() + "apus-report-\(UUID().uuidString)"
        cleanUp = CleanUp(directory)
        try ReportFiles(directory: directory).write(Sample.results)
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8)
    }

    private var names: [String] {
        (FileManager.default.enumerator(atPath: directory)?.allObjects as? [String] ?? []).sorted()
    }

    @Test("are all there, and written again give the same bytes")
    func files() throws {
        let expected =
            Sample.results.cases.map { "cases/\(CasePage.fileName($0))" } + [
                "cases", "index.html", "junit.xml", "report.md", "results.json", "style.css", "syscalls.html",
            ]
        #expect(names == expected.sorted())
        let before = try names.filter { $0.contains(".") }.map(text)
        try ReportFiles(directory: directory).write(try ResultStore.read(directory + "/results.json"))
        #expect(try names.filter { $0.contains(".") }.map(text) == before)
    }

    @Test("a case that is gone takes its page along")
    func stalePages() throws {
        var results = Sample.results
        results.cases = [Sample.passed]
        try ReportFiles(directory: directory).write(results)
        #expect(names.filter { $0.hasPrefix("cases/") } == ["cases/files.read.glibc-dynamic.html"])
    }

    @Test("close what they open, and every link leads to a file and a place in it")
    func links() throws {
        for name in names where name.hasSuffix(".html") {
            let page = try text(name)
            #expect(Self.unbalanced(page) == [], "\(name)")
            let folder = name.contains("/") ? "cases/" : ""
            for match in page.matches(of: /(?:href|src)="([^"]*)"/) {
                let parts = match.1.split(separator: "#", omittingEmptySubsequences: false)
                let target = URL(fileURLWithPath: "\(directory)/\(folder)\(parts[0])").standardized.path
                #expect(FileManager.default.fileExists(atPath: target), "\(name): \(match.1)")
                if parts.count == 2 {
                    let other = try String(contentsOfFile: target, encoding: .utf8)
                    #expect(other.contains("id=\"\(parts[1])\""), "\(name): \(match.1)")
                }
            }
        }
    }

    @Test("show both sides at the divergence, marked, with gutters, and escape what programs print")
    func sides() throws {
        let page = try text("cases/files.write.musl-static.html")
        #expect(page.contains("<td class=\"gutter\">native</td>"))
        #expect(page.contains("<td class=\"gutter\">sandbox</td>"))
        #expect(page.contains("&quot;a<mark>→</mark>&lt;b&gt;&quot;) = -1 <mark>EBADF</mark>"))
        #expect(!page.contains("<b>\")"))
        #expect(page.contains("&#39;corpus/build/traces/a b/native-1.trace&#39;"))
        #expect(page.contains("&#39;it&#39;\\&#39;&#39;s&#39;"))
        #expect(page.contains("2 further divergences"))
    }

    @Test("an expected divergence shows its reason; a case's own reason is not taken for one")
    func expectation() throws {
        #expect(try text("cases/time.clock.glibc-static.html").contains("no &lt;steal time&gt;"))
        #expect(try text("index.html").contains("no &lt;steal time&gt;"))
        #expect(try !text("cases/files.write.musl-static.html").contains("badge expected"))
    }

    @Test("need no script and nothing from elsewhere")
    func selfContained() throws {
        for name in names where name.hasSuffix(".html") || name.hasSuffix(".css") {
            let page = try text(name)
            #expect(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"), "\(name)")
        }
    }

    /// Elements that are closed otherwise than they were opened.
    static func unbalanced(_ page: String) -> [String] {
        let void: Set = ["meta", "link", "br", "!doctype"]
        var open: [String] = []
        var wrong: [String] = []
        for match in page.matches(of: /<(\/?)([a-z!][a-z0-9]*)[^>]*>/) {
            let name = String(match.2)
            guard !void.contains(name) else { continue }
            if match.1.isEmpty {
                open.append(name)
            } else if open.last == name {
                open.removeLast()
            } else {
                wrong.append(name)
            }
        }
        return wrong + open
    }
}
