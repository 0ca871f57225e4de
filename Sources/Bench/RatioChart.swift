internal import Corpus
internal import Foundation

/// The ratios to native as bars on a logarithmic scale, with their spread, the targets and other runtimes: an SVG that needs
/// nothing else, in light and dark.
package struct RatioChart {
    private static let labelWidth = 250.0
    private static let width = 960.0
    private static let barHeight = 12.0
    private static let margin = 28.0

    private let results: BenchResults
    private let rows: [BenchResults.Row]
    /// Powers of ten.
    private let lowest: Double
    private let highest: Double

    package init(_ results: BenchResults) {
        self.results = results
        rows = results.rows.filter { row in
            row.measure == .ratio && results.bindings.contains { row.ratio(Runtime.sandboxName, $0) != nil }
        }
        var values = [0.1, 10]
        for row in rows {
            for binding in results.bindings {
                values += row.target[binding].map { [$0] } ?? []
                for name in [Runtime.sandboxName] + results.others.map(\.name) {
                    if let ratio = row.ratio(name, binding) { values += [ratio.lowest, ratio.highest] }
                }
            }
        }
        let decades = values.filter { $0 > 0 && $0.isFinite }.map(log10)
        lowest = floor(decades.min() ?? -1)
        highest = max(ceil(decades.max() ?? 1), lowest + 1)
    }

    private var rowHeight: Double { Double(results.bindings.count) * (Self.barHeight + 3) + 8 }
    private var plotTop: Double { 2 * Self.margin }
    private var plotBottom: Double { plotTop + Double(rows.count) * rowHeight }

    /// A file of its own.
    package var text: String {
        svg(attributes: "xmlns=\"http://www.w3.org/2000/svg\" ")
    }

    /// To stand in a page, which knows the notation without being told of it.
    package var inline: String { svg(attributes: "") }

    private func svg(attributes: String) -> String {
        let height = plotBottom + Self.margin
        var svg = """
            <svg \(attributes)viewBox="0 0 \(Int(Self.width)) \(Int(height))" class="ratios" role="img" \
            aria-label="Ratios to native by operation, on a logarithmic scale">
            <style>\(Self.style)</style>
            <rect class="ratios-ground" width="\(Int(Self.width))" height="\(Int(height))"></rect>

            """
        svg += legend
        for decade in Int(lowest)...Int(highest) {
            let x = place(pow(10, Double(decade)))
            svg += line("ratios-grid\(decade == 0 ? " ratios-unit" : "")", x, plotTop - 4, x, plotBottom)
            svg += label(BenchTable.digits(pow(10, Double(decade))) + "×", x, plotBottom + 16, "middle")
        }
        for (index, row) in rows.enumerated() { svg += bars(row, top: plotTop + Double(index) * rowHeight) }
        return svg + "</svg>\n"
    }

    private func bars(_ row: BenchResults.Row, top: Double) -> String {
        var svg = label(row.title, Self.labelWidth - 10, top + rowHeight / 2 + 1, "end")
        for (index, binding) in results.bindings.enumerated() {
            guard let ratio = row.ratio(Runtime.sandboxName, binding) else { continue }
            let y = top + 4 + Double(index) * (Self.barHeight + 3)
            let (one, end) = (place(1), place(ratio.median))
            let title = binding.title(processors: results.host.processors)
            let says =
                "\(row.title), \(title): \(BenchTable.digits(ratio.median))× "
                + "(\(BenchTable.digits(ratio.lowest)) to \(BenchTable.digits(ratio.highest)))"
            svg += "<rect class=\"ratios-\(binding.rawValue)\" x=\"\(number(min(one, end)))\" y=\"\(number(y))\""
            svg += " width=\"\(number(max(1, abs(end - one))))\" height=\"\(number(Self.barHeight))\">"
            svg += "<title>\(Self.escaped(says))</title></rect>\n"
            let middle = y + Self.barHeight / 2
            svg += line("ratios-spread", place(ratio.lowest), middle, place(ratio.highest), middle)
            if let target = row.target[binding] {
                let isMet = row.meetsTarget(binding) ?? false
                let x = place(target)
                svg += line(isMet ? "ratios-met" : "ratios-missed", x, y - 2, x, y + Self.barHeight + 2)
            }
            for (number, other) in results.others.enumerated() {
                guard let ratio = row.ratio(other.name, binding) else { continue }
                svg += dot(number, place(ratio.median), middle, "\(other.name): \(BenchTable.digits(ratio.median))×")
            }
        }
        return svg
    }

    private var legend: String {
        var x = Self.margin
        var svg = ""
        func entry(_ mark: String, _ words: String) {
            svg += mark + label(words, x + 18, 22, "start")
            x += 36 + 6.4 * Double(words.count)
        }
        for binding in results.bindings {
            let title = "sandbox, " + binding.title(processors: results.host.processors)
            entry(
                "<rect class=\"ratios-\(binding.rawValue)\" x=\"\(number(x))\" y=\"12\" width=\"12\" height=\"12\"></rect>\n",
                title)
        }
        entry(line("ratios-met", x + 6, 11, x + 6, 25), "target, met")
        entry(line("ratios-missed", x + 6, 11, x + 6, 25), "missed")
        for (index, other) in results.others.enumerated() { entry(dot(index, x + 6, 18, other.name), other.name) }
        return svg
    }

    private func place(_ ratio: Double) -> Double {
        let share = (log10(max(ratio, 1e-9)) - lowest) / (highest - lowest)
        return Self.labelWidth + min(1, max(0, share)) * (Self.width - Self.labelWidth - Self.margin)
    }

    private func line(_ style: String, _ x: Double, _ y: Double, _ endX: Double, _ endY: Double) -> String {
        "<line class=\"\(style)\" x1=\"\(number(x))\" y1=\"\(number(y))\" x2=\"\(number(endX))\" y2=\"\(number(endY))\"></line>\n"
    }

    private func dot(_ index: Int, _ x: Double, _ y: Double, _ title: String) -> String {
        "<circle class=\"ratios-other\(index % 4)\" cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"4\">"
            + "<title>\(Self.escaped(title))</title></circle>\n"
    }

    private func label(_ text: String, _ x: Double, _ y: Double, _ anchor: String) -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(Self.escaped(text))</text>\n"
    }

    private func number(_ value: Double) -> String { String(format: "%.1f", value) }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    private static let style = """
        .ratios { --ratio-ground: #ffffff; --ratio-text: #1c2126; --ratio-line: #d9dee3; --ratio-all: #2f6fb0; --ratio-one: #8fb6dd; \
        --ratio-met: #1a6b37; --ratio-missed: #b3261e; }
        @media (prefers-color-scheme: dark) { .ratios { --ratio-ground: #14181c; --ratio-text: #e3e7eb; --ratio-line: #343c44; \
        --ratio-all: #6ea8e0; --ratio-one: #3f6690; --ratio-met: #6fce8e; --ratio-missed: #ff8a80; } }
        .ratios text { font: 12px system-ui, sans-serif; fill: var(--ratio-text); }
        .ratios-grid { stroke: var(--ratio-line); } .ratios-unit { stroke: var(--ratio-text); }
        .ratios-all { fill: var(--ratio-all); } .ratios-one { fill: var(--ratio-one); }
        .ratios-spread { stroke: var(--ratio-text); stroke-width: 1.5; }
        .ratios-met { stroke: var(--ratio-met); stroke-width: 3; } .ratios-missed { stroke: var(--ratio-missed); stroke-width: 3; }
        .ratios-ground, .ratios circle { fill: var(--ratio-ground); } .ratios circle { stroke-width: 2; } .ratios-other0 { stroke: #c2701e; } .ratios-other1 { stroke: #7d5fb8; }
        .ratios-other2 { stroke: #1f8f86; } .ratios-other3 { stroke: #b04a86; }
        """
}
