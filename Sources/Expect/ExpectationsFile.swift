internal import Diff
internal import Foundation
internal import Yams

/// What is wrong with an expectations file: where, what, and what to do.
package struct ExpectationsError: Error, Hashable, Sendable, CustomStringConvertible {
    package var file: String
    package var line: Int
    package var sentence: String
    package var remedy: String

    package var description: String { "\(file):\(line): \(sentence); \(remedy)" }
}

extension Expectations {
    /// Reads an expectations file. A file that is not there holds no expectations.
    package static func load(_ file: String) throws -> Expectations {
        guard let bytes = FileManager.default.contents(atPath: file) else {
            guard FileManager.default.fileExists(atPath: file) else { return Expectations() }
            throw ExpectationsError(
                file: file, line: 1, sentence: "the file can't be read", remedy: "check its permissions")
        }
        guard let text = String(data: bytes, encoding: .utf8) else {
            throw ExpectationsError(file: file, line: 1, sentence: "the file is not UTF-8", remedy: "save it as UTF-8")
        }
        return try parse(text, file: file)
    }

    /// Reads the text of an expectations file; `file` is its name in errors.
    package static func parse(_ text: String, file: String) throws -> Expectations {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw ExpectationsError(
                file: file, line: line(of: error), sentence: "not YAML: \(sentence(of: error))",
                remedy: "correct the syntax (a text with ': ' or '#' in it needs quotes)")
        }
        guard let root, root != Node("") else { return Expectations() }
        guard let list = root.sequence else {
            throw ExpectationsError(
                file: file, line: root.mark?.line ?? 1, sentence: "the file is not a list",
                remedy: "start every entry with '- case: …'")
        }
        return Expectations(try list.map { try EntryReader(file: file, node: $0).read() })
    }

    private static func line(of error: YamlError) -> Int {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        default: 1
        }
    }

    private static func sentence(of error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _): problem
        default: "\(error)"
        }
    }
}

/// Reads one entry, key by key, with the line of each for errors.
private struct EntryReader {
    let file: String
    let node: Node

    private static let keys: Set = ["case", "variant", "class", "call", "field", "reason", "issue"]

    func read() throws -> Expectation {
        guard let mapping = node.mapping else {
            throw error(node, "an entry is not a mapping", "write '- case: …' with the other keys below it")
        }
        for (key, value) in mapping {
            guard let name = key.string, Self.keys.contains(name) else {
                throw error(
                    key, "an entry has no key '\(key.string ?? "?")'",
                    "use one of \(Self.keys.sorted().joined(separator: ", "))")
            }
            guard value.scalar != nil else { throw error(value, "'\(name)' is not one value", "write a plain text") }
        }
        let name = try required(mapping, "class")
        guard let kind = DivergenceClass(rawValue: name.text) else {
            throw error(
                name.node, "'\(name.text)' is no divergence class",
                "use one of \(DivergenceClass.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return Expectation(
            pattern: try required(mapping, "case").text, variant: mapping["variant"]?.scalar?.string, kind: kind,
            call: mapping["call"]?.scalar?.string, field: mapping["field"]?.scalar?.string,
            reason: try required(mapping, "reason").text, issue: mapping["issue"]?.scalar?.string,
            line: node.mark?.line ?? 1)
    }

    private func required(_ mapping: Node.Mapping, _ key: String) throws -> (text: String, node: Node) {
        guard let value = mapping[key], let text = value.scalar?.string, !text.allSatisfy(\.isWhitespace) else {
            throw error(
                node, "an entry has no '\(key)'", "add '\(key): …': every entry has a case, a class and a reason")
        }
        return (text, value)
    }

    private func error(_ node: Node, _ sentence: String, _ remedy: String) -> ExpectationsError {
        ExpectationsError(file: file, line: node.mark?.line ?? 1, sentence: sentence, remedy: remedy)
    }
}
