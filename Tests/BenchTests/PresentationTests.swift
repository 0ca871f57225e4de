import Foundation
import FoundationXML
import Testing

@testable import Bench

@Suite("table and chart")
struct PresentationTests {
    @Test("the chart is XML, has a bar for each ratio and a mark for each target, and knows the dark")
    func chart() {
        let chart = RatioChart(Sample.results).text
        let reader = Reader()
        let parser = XMLParser(data: Data(chart.utf8))
        parser.delegate = reader
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        // The legend has one of each, too.
        #expect(reader.classes["ratios-all"] == 2)
        #expect(reader.classes["ratios-one"] == 2)
        #expect(reader.classes["ratios-met"] == 2)
        #expect(reader.classes["ratios-missed"] == 2)
        #expect(reader.classes["ratios-other0"] == 2)
        #expect(chart.contains("prefers-color-scheme: dark"))
        #expect(!RatioChart(Sample.results).inline.contains("http"))
    }

    @Test("a chart of nothing, and of figures far apart, is XML")
    func extremes() {
        var nothing = Sample.results
        nothing.rows = []
        for results in [nothing, Sample.results("null", [1e-6, 1e9])] {
            let parser = XMLParser(data: Data(RatioChart(results).text.utf8))
            #expect(parser.parse())
            #expect(!RatioChart(results).text.contains("nan"))
        }
    }

    @Test("what XML would take for notation is escaped")
    func escaped() {
        #expect(RatioChart.escaped("a<b>&\"c\"") == "a&lt;b&gt;&amp;&quot;c&quot;")
    }

    @Test("the table has both sides, the ratio with its spread, the target, and whether it is met")
    func table() {
        let table = BenchTable(Sample.results)
        #expect(table.header.count == 1 + 2 * 7)
        #expect(table.rows.allSatisfy { $0.cells.count == table.header.count })
        #expect(
            table.rows[0].cells == [
                "null call, not patched", "150 ns", "1.7 µs", "11×", "10–12", "≤ 14×", "met", "30×",
                "150 ns", "6.8 µs", "44×", "40–48", "≤ 35×", "missed", "",
            ])
        #expect(table.rows[1].cells[1...6] == ["1 ms", "11 ms", "11×", "11–11", "≤ 12 ms", "met"])
        #expect(table.rows[2].cells[1...6] == ["", "9 MB", "", "9–9", "≤ 8 MB", "missed"])
        #expect(table.rows.map(\.marks) == [[.met, .missed], [.met, .none], [.missed, .none]])
    }

    @Test("what was skipped is named with its reason, operations and runtimes")
    func skipped() {
        let skipped = BenchTable(Sample.results).skipped
        #expect(skipped.map(\.name) == ["redis, 20,000 requests", "runsc"])
        #expect(skipped.map(\.reason) == ["the sandbox offers no AF_INET", "is not installed"])
    }

    @Test(
        "numbers have three digits",
        arguments: [(0.0123, "0.01"), (0.3, "0.3"), (9.994, "9.99"), (9.996, "10"), (12.34, "12.3"), (123.4, "123")])
    func digits(value: Double, text: String) {
        #expect(BenchTable.digits(value) == text)
    }

    @Test(
        "times have the unit in which they can be read",
        arguments: [(999.0, "999 ns"), (1500, "1.5 µs"), (2.5e6, "2.5 ms"), (3e9, "3 s")])
    func times(value: Double, text: String) {
        #expect(BenchTable.time(value) == text)
    }

    private final class Reader: NSObject, XMLParserDelegate {
        var classes: [String: Int] = [:]

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            for style in (attributes["class"] ?? "").split(separator: " ") { classes[String(style), default: 0] += 1 }
        }
    }
}
