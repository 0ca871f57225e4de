internal import Yams

/// Reads `corpus/programs/<name>.yaml`: one command of installed packages.
package struct ProgramFile {
    private let file: String

    private static let keys: Set = [
        "summary", "packages", "command", "stdin", "env", "files", "timeout", "calls", "needs",
    ]
    private static let defaultTimeout = 60

    /// The case that a file describes.
    /// - Throws: `CorpusError` with the line that is wrong.
    package static func parse(
        _ text: String, file: String, family: String, name: String
    ) throws(CorpusError) -> CorpusCase {
        try ProgramFile(file: file).parse(text, family: family, name: name)
    }

    private func parse(_ text: String, family: String, name: String) throws(CorpusError) -> CorpusCase {
        let root = try compose(text)
        guard case .mapping(let mapping) = root else {
            throw error(root, "the file is not a mapping", "write 'summary: …', 'packages: […]', 'command: […]'")
        }
        var fields: [String: Node] = [:]
        for (key, value) in mapping {
            let word = try string(key, "a key")
            guard Self.keys.contains(word) else {
                throw error(key, "unknown key '\(word)'", "the keys are \(Self.keys.sorted().joined(separator: ", "))")
            }
            guard fields.updateValue(value, forKey: word) == nil else {
                throw error(key, "'\(word)' stands here a second time", "remove one of them")
            }
        }
        guard let summaryNode = fields["summary"], let commandNode = fields["command"] else {
            throw error(root, "summary or command is missing", "give both")
        }
        let command = try strings(commandNode, "command")
        guard let program = command.first, !program.isEmpty else {
            throw error(commandNode, "the command is empty", "give argv: [\"sort\", \"-u\", \"words\"]")
        }
        var result = CorpusCase(
            family: family, name: name, file: file, summary: try string(summaryNode, "summary"),
            subject: .command(
                command,
                packages: try fields["packages"].map { node throws(CorpusError) in
                    try strings(node, "packages")
                } ?? []), timeout: Self.defaultTimeout)
        try complete(&result, fields)
        return result
    }

    private func complete(_ result: inout CorpusCase, _ fields: [String: Node]) throws(CorpusError) {
        if let node = fields["stdin"] { result.standardInput = Array(try string(node, "stdin").utf8) }
        if let node = fields["calls"] { result.calls = try strings(node, "calls") }
        if let node = fields["env"] {
            for (name, value) in try pairs(node, "env") {
                guard !name.isEmpty, !name.contains("=") else {
                    throw error(node, "'\(name)' is not a variable's name", "write env: {KEY: value}")
                }
                result.environment.append(EnvironmentEntry(name, value))
            }
        }
        if let node = fields["files"] {
            for (path, content) in try pairs(node, "files") {
                guard PlacedFile.staysBelow(path) else {
                    throw error(
                        node, "the path '\(path)' leaves the working directory", "give a relative path without . and .."
                    )
                }
                // What starts like a script is meant to be run.
                let mode: UInt32 = content.hasPrefix("#!") ? 0o755 : 0o644
                result.files.append(PlacedFile(path: path, mode: mode, content: Array(content.utf8)))
            }
        }
        if let node = fields["needs"] {
            for word in try strings(node, "needs") {
                guard let need = HostNeed(rawValue: word) else {
                    let all = HostNeed.allCases.map(\.rawValue).joined(separator: ", ")
                    throw error(node, "unknown need '\(word)'", "there are \(all)")
                }
                result.needs.append(need)
            }
        }
        if let node = fields["timeout"] {
            guard let seconds = node.int, (1...ManifestParser.longestTimeout).contains(seconds) else {
                throw error(
                    node, "the timeout is not a number of seconds", "give 1 to \(ManifestParser.longestTimeout)")
            }
            result.timeout = seconds
        }
    }

    private func compose(_ text: String) throws(CorpusError) -> Node {
        do {
            guard let node = try Yams.compose(yaml: text) else {
                throw CorpusError(.manifest, file, line: 1, "the file is empty", remedy: "give summary and command")
            }
            return node
        } catch let error as CorpusError {
            throw error
        } catch let error as YamlError {
            throw syntaxError(error)
        } catch {
            throw CorpusError(.manifest, file, "not YAML: \(error)", remedy: "correct the syntax")
        }
    }

    private func syntaxError(_ error: YamlError) -> CorpusError {
        let (line, problem): (Int?, String) =
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                (mark.line, problem)
            case .duplicatedKeysInMapping(_, let context):
                (context.mark.line, "a key stands here a second time")
            default: (nil, "\(error)")
            }
        return CorpusError(.manifest, file, line: line, "not YAML: \(problem)", remedy: "correct the syntax")
    }

    private func string(_ node: Node, _ what: String) throws(CorpusError) -> String {
        guard case .scalar(let scalar) = node else {
            throw error(node, "\(what) is not a text", "put it between quotes")
        }
        return scalar.string
    }

    private func strings(_ node: Node, _ what: String) throws(CorpusError) -> [String] {
        guard case .sequence(let sequence) = node else {
            throw error(node, "\(what) is not a list", "write \(what): [one, two]")
        }
        var result: [String] = []
        for element in sequence { result.append(try string(element, "an element of \(what)")) }
        return result
    }

    /// In the file's order.
    private func pairs(_ node: Node, _ what: String) throws(CorpusError) -> [(String, String)] {
        guard case .mapping(let mapping) = node else {
            throw error(node, "\(what) is not a mapping", "write \(what): {name: value}")
        }
        var result: [(String, String)] = []
        for (key, value) in mapping {
            result.append((try string(key, "a key of \(what)"), try string(value, "a value of \(what)")))
        }
        return result
    }

    private func error(_ node: Node, _ what: String, _ remedy: String) -> CorpusError {
        CorpusError(.manifest, file, line: node.mark?.line, what, remedy: remedy)
    }
}
