package import Corpus
internal import Diff
internal import Expect

/// `junit.xml`, as CI servers read it: a suite for each family, a test for each case and variant.
package struct JUnitReport {
    private let results: Results

    package init(_ results: Results) { self.results = results }

    package var text: String {
        var xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        let failures = results.count(.fail)
        let errors = results.count(.invalid) + results.count(.broken) + results.errors.count
        xml +=
            "<testsuites name=\"apus\" tests=\"\(results.cases.count + results.errors.count)\" failures=\"\(failures)\""
        xml += " errors=\"\(errors)\" skipped=\"\(results.count(.skipped))\" time=\"\(results.seconds)\">\n"
        for (name, cases) in Words.families(results) { xml += suite(name, cases) }
        if !results.errors.isEmpty {
            xml += "  <testsuite name=\"manifests\" tests=\"\(results.errors.count)\" failures=\"0\""
            xml += " errors=\"\(results.errors.count)\" skipped=\"0\">\n"
            for error in results.errors {
                let file = error.prefix { $0 != ":" }
                xml += "    <testcase classname=\"manifests\" name=\"\(Self.escaped(String(file)))\">\n"
                xml += "      <error message=\"\(Self.escaped(error))\"/>\n    </testcase>\n"
            }
            xml += "  </testsuite>\n"
        }
        return xml + "</testsuites>\n"
    }

    private func suite(_ name: String, _ cases: [CaseResult]) -> String {
        let failures = cases.count { $0.outcome == .fail }
        let errors = cases.count { $0.outcome == .invalid || $0.outcome == .broken }
        let skipped = cases.count { $0.outcome == .skipped }
        var xml = "  <testsuite name=\"\(Self.escaped(name))\" tests=\"\(cases.count)\" failures=\"\(failures)\""
        xml += " errors=\"\(errors)\" skipped=\"\(skipped)\">\n"
        for result in cases {
            let milliseconds = (result.native + result.sandbox).map(\.milliseconds).reduce(0, +)
            let title = result.variant == "command" ? result.name : "\(result.name)@\(result.variant)"
            xml += "    <testcase classname=\"\(Self.escaped(name))\" name=\"\(Self.escaped(title))\""
            xml += " file=\"\(Self.escaped(result.file))\" time=\"\(Double(milliseconds) / 1000)\""
            let content = content(result)
            xml += content.isEmpty ? "/>\n" : ">\n\(content)    </testcase>\n"
        }
        return xml + "  </testsuite>\n"
    }

    private func content(_ result: CaseResult) -> String {
        let reason = result.reason ?? ""
        switch result.outcome {
        case .pass: return ""
        case .expected:
            let reasons = Set(result.judgement?.expected.map(\.reason) ?? []).sorted().joined(separator: "; ")
            return "      <system-out>\(Self.escaped("differs as expected: \(reasons)"))</system-out>\n"
        case .unstable:
            let open = result.open.map(\.divergence.explanation).joined(separator: "; ")
            let text = "unstable, differs in one of two runs: \(open.isEmpty ? reason : open)"
            return "      <system-out>\(Self.escaped(text))</system-out>\n"
        case .skipped: return "      <skipped message=\"\(Self.escaped(reason))\"/>\n"
        case .invalid, .broken:
            let first = reason.split(separator: "\n").first.map(String.init) ?? result.outcome.rawValue
            return "      <error type=\"\(result.outcome.rawValue)\" message=\"\(Self.escaped(first))\">"
                + "\(Self.escaped(reason))</error>\n"
        case .fail:
            let divergences = result.difference?.divergences ?? []
            let unexpected = (result.judgement?.unexpected ?? []).filter(divergences.indices.contains)
            let lines = unexpected.map { index in
                "\(divergences[index].kind.rawValue) \(Words.place(divergences[index])): "
                    + divergences[index].explanation
            }
            let first = result.first?.divergence
            let message = first.map { "\($0.kind.rawValue): \($0.explanation)" } ?? "differs"
            return
                "      <failure type=\"\(first?.kind.rawValue ?? "divergence")\" message=\"\(Self.escaped(message))\">"
                + Self.escaped(lines.joined(separator: "\n")) + "</failure>\n"
        }
    }

    /// Text for XML 1.0: what it can't hold at all becomes U+FFFD.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n": result += "&#10;"
            case "\t": result += "&#9;"
            case "\r": result += "&#13;"
            default:
                let isAllowed = scalar.value >= 0x20 && scalar.value != 0xfffe && scalar.value != 0xffff
                result.unicodeScalars.append(isAllowed ? scalar : "\u{fffd}")
            }
        }
        return result
    }
}
