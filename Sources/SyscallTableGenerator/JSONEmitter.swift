/// Writes `data/syscalls.json`: one call a block, one parameter a line, so that a change reads well in a diff.
package enum JSONEmitter {
    package static func text(for table: Table) -> String {
        var text = "{\n  \"sources\": {"
        text += Source.allCases.compactMap { source in
            table.versions[source].map { "\n    \(quoted(source.rawValue)): \(quoted($0))" }
        }.joined(separator: ",")
        text += "\n  },\n  \"architectures\": {"
        text += Architecture.allCases.map { architecture in
            let calls = table.calls.filter { $0.architecture == architecture }
            return "\n    \(quoted(architecture.rawValue)): {\n      \"unassigned\": [\(unassigned(calls))],\n"
                + "      \"calls\": [\n" + calls.map(call).joined(separator: ",\n") + "\n      ]\n    }"
        }.joined(separator: ",")
        text += "\n  },\n  \"disagreements\": [\n"
        text += table.disagreements.map(disagreement).joined(separator: ",\n")
        text += "\n  ],\n  \"gaps\": [" + table.gaps.map { "\n    " + quoted($0) }.joined(separator: ",")
        return text + (table.gaps.isEmpty ? "" : "\n  ") + "]\n}\n"
    }

    /// The ranges of numbers below the newest that no call has.
    private static func unassigned(_ calls: [CallDescription]) -> String {
        var ranges: [String] = []
        var next = 0
        for call in calls {
            if call.number > next { ranges.append("[\(next), \(call.number - 1)]") }
            next = call.number + 1
        }
        return ranges.joined(separator: ", ")
    }

    private static func call(_ call: CallDescription) -> String {
        var fields = [
            "\"number\": \(call.number)", "\"name\": \(quoted(call.name))", "\"abi\": \(quoted(call.abi))",
            "\"entry\": \(call.entry.map(quoted) ?? "null")", "\"inLinux\": \(call.isInLinux)",
        ]
        if let absence = call.absence { fields.append("\"absence\": \(quoted(absence))") }
        fields.append("\"result\": \(sourced(call.result))")
        var text = "        {\(fields.joined(separator: ", ")), \"parameters\": ["
        let names = call.parameters.map(\.name.value)
        text += call.parameters.map { parameter in
            var fields = [
                "\"name\": \(sourced(parameter.name))", "\"cType\": \(sourced(parameter.cType))",
                "\"swiftType\": \(sourced(parameter.swiftType))", "\"role\": \(sourced(parameter.role))",
                "\"direction\": \(sourced(parameter.direction))",
            ]
            if parameter.direction.value != "value" {
                let words = parameter.extent.value.words { $0 < names.count ? names[$0] : "?" }
                fields.append("\"extent\": \(sourced(Sourced(words, parameter.extent.source)))")
            }
            if let set = parameter.flagSet { fields.append("\"flagSet\": \(sourced(set))") }
            return "\n          {" + fields.joined(separator: ", ") + "}"
        }.joined(separator: ",")
        return text + (call.parameters.isEmpty ? "]}" : "\n        ]}")
    }

    private static func disagreement(_ item: Disagreement) -> String {
        let values = item.values.map { "\(quoted($0.source.rawValue)): \(quoted($0.value))" }
        return "    {\"entry\": \(quoted(item.entry)), \"architectures\": ["
            + item.architectures.map { quoted($0.rawValue) }.joined(separator: ", ")
            + "], \"field\": \(quoted(item.field)), \"kind\": \"\(item.isSpelling ? "spelling" : "meaning")\", "
            + "\"values\": [\(values.map { "{\($0)}" }.joined(separator: ", "))], "
            + "\"settledBy\": \(quoted(item.settledBy.rawValue))}"
    }

    /// `["value", "source"]`.
    private static func sourced(_ item: Sourced<String>) -> String {
        "[\(quoted(item.value)), \(quoted(item.source.rawValue))]"
    }

    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\" + String(scalar)
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case let control where control.value < 0x20:
                let digits = String(control.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
