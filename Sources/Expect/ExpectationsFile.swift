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
    /// Reads the expectations of a folder: every `.yaml` file in it. One that is not there holds none.
    package static func load(_ folder: String) throws -> Expectations {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return Expectations(
            try names.filter { $0.hasSuffix(".yaml") }.sorted().flatMap { try read(folder + "/" + $0).entries })
    }

    /// Reads one file.
    private static func read(_ file: String) throws -> Expectations {
        guard let bytes = FileManager.default.contents(atPath: file) else {
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

    /// Those that may hold a list.
    private static let lists: Set = ["case", "class", "call", "field", "path"]
    private static let keys = lists.union([
        "variant", "reading", "native", "sandbox", "intermittent", "reason", "issue",
    ])

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
            let isList = value.sequence.map { !$0.isEmpty && $0.allSatisfy { $0.scalar != nil } } ?? false
            guard value.scalar != nil || (isList && Self.lists.contains(name)) else {
                throw error(
                    value, "'\(name)' is not one value",
                    Self.lists.contains(name) ? "write a plain text or a list of them" : "write a plain text")
            }
        }
        func text(_ key: String) -> String? { mapping[key]?.scalar?.string }
        let kinds = try required(mapping, "class").map { text, node in
            guard let kind = DivergenceClass(rawValue: text) else {
                throw error(
                    node, "'\(text)' is no divergence class",
                    "use one of \(DivergenceClass.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return kind
        }
        return Expectation(
            patterns: try required(mapping, "case").map(\.text), variant: text("variant"), kinds: kinds,
            calls: texts(mapping["call"]).map(\.text), fields: texts(mapping["field"]).map(\.text),
            paths: texts(mapping["path"]).map(\.text),
            reading: text("reading"), native: text("native"), sandbox: text("sandbox"),
            isIntermittent: try flag(mapping["intermittent"]),
            reason: try required(mapping, "reason").map(\.text).joined(), issue: text("issue"),
            file: (file as NSString).lastPathComponent, line: node.mark?.line ?? 1)
    }

    /// One text, or those of a list.
    private func texts(_ value: Node?) -> [(text: String, node: Node)] {
        guard let value else { return [] }
        return (value.sequence.map(Array.init) ?? [value]).compactMap { node in
            node.scalar.map { (text: $0.string, node: node) }
        }
    }

    private func flag(_ value: Node?) throws -> Bool {
        guard let value else { return false }
        guard let flag = value.bool else {
            throw error(value, "'intermittent' is no truth value", "write true or false")
        }
        return flag
    }

    private func required(_ mapping: Node.Mapping, _ key: String) throws -> [(text: String, node: Node)] {
        let found = texts(mapping[key])
        guard !found.isEmpty, found.allSatisfy({ !$0.text.allSatisfy(\.isWhitespace) }) else {
            throw error(
                node, "an entry has no '\(key)'", "add '\(key): …': every entry has a case, a class and a reason")
        }
        return found
    }

    private func error(_ node: Node, _ sentence: String, _ remedy: String) -> ExpectationsError {
        ExpectationsError(file: file, line: node.mark?.line ?? 1, sentence: sentence, remedy: remedy)
    }
}
