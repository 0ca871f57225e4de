import Corpus
import Foundation
import FoundationXML
import Testing

@testable import Report

@Suite("junit.xml")
struct JUnitReportTests {
    @Test("is well-formed and counts what it holds")
    func wellFormed() throws {
        let reader = Reader()
        let parser = XMLParser(data: Data(JUnitReport(Sample.results).text.utf8))
        parser.delegate = reader
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        #expect(reader.count("testcase") == 6)
        #expect(reader.count("failure") == 1)
        #expect(reader.count("error") == 2)
        #expect(reader.count("skipped") == 1)
        let root = try #require(reader.elements.first)
        #expect(root.attributes["tests"] == "6")
        #expect(root.attributes["failures"] == "1")
        #expect(root.attributes["errors"] == "2")
        let failure = try #require(reader.elements.first { $0.name == "failure" })
        #expect(failure.attributes["message"] == "errno: write gives EINVAL & not EBADF")
        #expect(failure.attributes["type"] == "errno")
    }

    @Test("an unstable case is no failure, but says what differed")
    func unstable() {
        var results = Sample.results
        results.cases = [Sample.unstable]
        let text = JUnitReport(results).text
        #expect(text.contains("failures=\"0\""))
        #expect(text.contains("<system-out>unstable, differs in one of two runs: write gives EINVAL &amp; not EBADF"))
        #expect(!text.contains("<failure"))
    }

    @Test("what XML can't hold is replaced")
    func escapes() {
        #expect(JUnitReport.escaped("<a & \"b\">\n\u{1B}[0m") == "&lt;a &amp; &quot;b&quot;&gt;&#10;\u{fffd}[0m")
    }

    private final class Reader: NSObject, XMLParserDelegate {
        var elements: [(name: String, attributes: [String: String])] = []

        func count(_ name: String) -> Int { elements.count { $0.name == name } }

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            elements.append((name, attributes))
        }
    }
}
