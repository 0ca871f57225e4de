/// Reads the manifest in the head comment of a C source: the lines ` * key: value` of the first block comment.
package struct ManifestParser {
    private let file: String
    private let family: String
    private let name: String
    private var calls: [String] = []
    private var arguments: [String] = []
    private var variants = BuildVariant.allCases
    private var linkFlags: [String] = []
    private var result: CorpusCase
    private var seen: Set<String> = []

    /// The keys of a manifest; the repeatable ones may stand several times.
    private static let keys = [
        "summary", "calls", "args", "stdin", "env", "file", "variants", "link", "needs", "timeout",
    ]
    private static let repeatable: Set = ["env", "file"]
    private static let defaultTimeout = 20
    /// No case may hold up a run for longer, in seconds.
    static let longestTimeout = 600

    /// The case that a source describes.
    /// - Throws: `CorpusError` with the line that is wrong.
    package static func parse(
        _ text: String, file: String, family: String, name: String
    ) throws(CorpusError) -> CorpusCase {
        var parser = ManifestParser(file: file, family: family, name: name)
        return try parser.parse(text)
    }

    private init(file: String, family: String, name: String) {
        self.file = file
        self.family = family
        self.name = name
        result = CorpusCase(
            family: family, name: name, file: file, summary: "",
            subject: .source(arguments: [], variants: [], linkFlags: []), timeout: Self.defaultTimeout)
    }

    private mutating func parse(_ text: String) throws(CorpusError) -> CorpusCase {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.first?.hasPrefix("/*") == true else {
            throw error(
                1, "the file does not start with its manifest", "begin it with a comment: /*, then ' * summary: …'")
        }
        var isClosed = false
        for (index, line) in lines.enumerated() {
            var content = line.drop { $0 == " " || $0 == "\t" }
            if index == 0 { content = content.dropFirst(2) }
            if let end = content.firstRange(of: "*/") {
                content = content[..<end.lowerBound]
                isClosed = true
            }
            if index > 0, content.hasPrefix("*") { content = content.dropFirst() }
            try take(content, line: index + 1)
            if isClosed { break }
        }
        guard isClosed else { throw error(1, "the manifest's comment is never closed", "end it with a line ' */'") }
        guard !result.summary.isEmpty else {
            throw error(1, "the manifest has no summary", "add ' * summary: what the case shows'")
        }
        guard !calls.isEmpty else {
            throw error(1, "the manifest names no calls", "add ' * calls: ' with the system calls under test")
        }
        result.calls = calls
        result.subject = .source(arguments: arguments, variants: variants, linkFlags: linkFlags)
        return result
    }

    private mutating func take(_ content: Substring, line: Int) throws(CorpusError) {
        let content = content.drop { $0 == " " || $0 == "\t" }
        guard !content.allSatisfy({ $0.isWhitespace }) else { return }
        guard let colon = content.firstIndex(of: ":") else {
            throw error(line, "'\(content)' is not 'key: value'", "put prose into a second comment")
        }
        let key = String(content[..<colon])
        guard Self.keys.contains(key) else {
            throw error(line, "unknown key '\(key)'", "the keys are \(Self.keys.joined(separator: ", "))")
        }
        guard seen.insert(key).inserted || Self.repeatable.contains(key) else {
            throw error(line, "'\(key)' stands here a second time", "join the two lines")
        }
        var value = content[content.index(after: colon)...]
        // One blank belongs to the notation; those after it to the value (of stdin and file).
        if value.first == " " { value = value.dropFirst() }
        do {
            try set(key, value, line: line)
        } catch let invalid as ManifestText.Invalid {
            throw error(line, "\(key): \(invalid.what)", "correct the value")
        } catch let error as CorpusError {
            throw error
        } catch {
            throw self.error(line, "\(key): \(error)", "correct the value")
        }
    }

    private mutating func set(_ key: String, _ value: Substring, line: Int) throws {
        let words = value.split { $0 == " " || $0 == "\t" }.map(String.init)
        switch key {
        case "summary": result.summary = words.joined(separator: " ")
        case "calls": calls = words
        case "args": arguments = try ManifestText.words(value)
        case "stdin": result.standardInput = try ManifestText.unescaped(value)
        case "env": result.environment.append(try environment(value, line))
        case "file": result.files.append(try placedFile(value, line))
        case "variants": variants = try known(words, BuildVariant.self, "variant", line)
        case "link": linkFlags = words
        case "needs": result.needs = try known(words, HostNeed.self, "need", line)
        default:
            guard let seconds = Int(words.joined()), (1...Self.longestTimeout).contains(seconds) else {
                throw error(
                    line, "timeout '\(value)' is not a number of seconds", "give 1 to \(Self.longestTimeout)")
            }
            result.timeout = seconds
        }
    }

    private func environment(_ value: Substring, _ line: Int) throws(CorpusError) -> EnvironmentEntry {
        let parts = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[0].contains(" ") else {
            throw error(line, "'\(value)' is not KEY=VALUE", "write ' * env: KEY=VALUE'")
        }
        return EnvironmentEntry(String(parts[0]), String(parts[1]))
    }

    private func placedFile(_ value: Substring, _ line: Int) throws -> PlacedFile {
        let parts = value.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, let mode = UInt32(parts[1], radix: 8), mode <= 0o7777 else {
            throw error(line, "'\(value)' is not 'path mode content'", "write ' * file: data.txt 644 one\\ntwo\\n'")
        }
        guard PlacedFile.staysBelow(String(parts[0])) else {
            throw error(
                line, "the path '\(parts[0])' leaves the working directory", "give a relative path without . and ..")
        }
        let content = try ManifestText.unescaped(parts.count == 3 ? parts[2] : "")
        return PlacedFile(path: String(parts[0]), mode: mode, content: content)
    }

    private func known<Value: RawRepresentable<String> & CaseIterable>(
        _ words: [String], _: Value.Type, _ noun: String, _ line: Int
    ) throws(CorpusError) -> [Value] {
        let all = Value.allCases.map(\.rawValue).joined(separator: ", ")
        guard !words.isEmpty else { throw error(line, "no \(noun) is given", "name some of \(all), or drop the line") }
        var values: [Value] = []
        for word in words {
            guard let value = Value(rawValue: word) else {
                throw error(line, "unknown \(noun) '\(word)'", "there are \(all)")
            }
            values.append(value)
        }
        return values
    }

    private func error(_ line: Int, _ what: String, _ remedy: String) -> CorpusError {
        CorpusError(.manifest, file, line: line, what, remedy: remedy)
    }
}
