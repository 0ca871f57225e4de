/// Finds system calls in C text. It is no C parser: it knows how the kernel writes these declarations.
package enum CDeclarations {
    /// The prototypes of `include/linux/syscalls.h`.
    package static func prototypes(in text: String, file: String) throws(GeneratorError) -> [SignatureFact] {
        let text = withoutComments(text)
        var found: [SignatureFact] = []
        for (line, rest) in occurrences(of: "asmlinkage", in: text) {
            guard let list = argumentList(rest) else { continue }
            let words = list.before.split { !($0.isLetter || $0.isNumber || $0 == "_") }
            guard let entry = words.last, entry.hasPrefix("sys_") else { continue }
            guard let inside = list.inside else {
                throw GeneratorError(file: file, line: line, reason: "the parameters of \(entry) never end")
            }
            found.append(
                SignatureFact(entry: String(entry), file: file, parameters: splitList(inside).compactMap(declaration)))
        }
        return found
    }

    /// The `SYSCALL_DEFINEn(name, type, name, …)` of a source file.
    package static func definitions(in text: String, file: String) throws(GeneratorError) -> [SignatureFact] {
        let text = withoutComments(text)
        var found: [SignatureFact] = []
        for (line, rest) in occurrences(of: "SYSCALL_DEFINE", in: text) {
            guard let count = rest.first?.wholeNumberValue, rest.dropFirst().first == "(" else { continue }
            guard let inside = argumentList(rest)?.inside else {
                throw GeneratorError(file: file, line: line, reason: "a SYSCALL_DEFINE never ends")
            }
            let parts = splitList(inside)
            if parts.contains(where: { $0.hasPrefix("SC_ARG64") || $0 == "..." }) { continue }
            guard parts.count == 1 + 2 * count else {
                throw GeneratorError(
                    file: file, line: line, reason: "SYSCALL_DEFINE\(count) has \(parts.count - 1) types and names")
            }
            let parameters = stride(from: 1, to: parts.count, by: 2).map { index in
                ParameterFact(type: CType.spelled(parts[index]), name: parts[index + 1])
            }
            found.append(SignatureFact(entry: "sys_" + parts[0], file: file, parameters: parameters))
        }
        return found
    }

    /// A parameter's type and name; nil for `void`.
    static func declaration(_ text: String) -> ParameterFact? {
        let spelled = CType.words(of: text).joined(separator: " ")
        if spelled == "void" || spelled.isEmpty { return nil }
        let name = spelled.reversed().prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        let last = String(name.reversed())
        let type = String(spelled.dropLast(last.count))
        let words = type.split { $0 == " " || $0 == "*" }.filter { !["const", "struct", "union"].contains($0) }
        // `unsigned int` and `aio_context_t` are types without a name; so is whatever ends in `*`.
        if last.isEmpty || words.isEmpty || ["int", "long", "char", "short"].contains(last) {
            return ParameterFact(type: CType.spelled(spelled), name: nil)
        }
        return ParameterFact(type: CType.spelled(type), name: last)
    }

    /// The same text with comments blanked, so that lines still count.
    static func withoutComments(_ text: String) -> String {
        var result: [UInt8] = []
        var bytes = text.utf8.makeIterator()
        var inComment = false
        var previous: UInt8 = 0
        while let byte = bytes.next() {
            if inComment {
                inComment = !(previous == UInt8(ascii: "*") && byte == UInt8(ascii: "/"))
                if byte == UInt8(ascii: "\n") { result.append(byte) }
                previous = inComment ? byte : 0
            } else if previous == UInt8(ascii: "/"), byte == UInt8(ascii: "*") {
                result[result.count - 1] = UInt8(ascii: " ")
                inComment = true
                previous = 0
            } else {
                result.append(byte)
                previous = byte
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// What follows each occurrence of a word that starts a line, with the line's number.
    private static func occurrences(of word: String, in text: String) -> [(line: Int, rest: Substring)] {
        var found: [(Int, Substring)] = []
        var line = 1
        var start = text.startIndex
        while start < text.endIndex {
            let rest = text[start...]
            let end = rest.firstIndex(of: "\n") ?? text.endIndex
            let content = rest.drop { $0 == " " || $0 == "\t" }
            if content.hasPrefix(word) { found.append((line, content.dropFirst(word.count))) }
            line += 1
            start = end < text.endIndex ? text.index(after: end) : end
        }
        return found
    }

    /// Splits at the first parenthesis and its partner; `inside` is nil if that is missing.
    private static func argumentList(_ text: Substring) -> (before: Substring, inside: Substring?)? {
        guard let open = text.firstIndex(of: "(") else { return nil }
        var depth = 0
        for index in text[open...].indices {
            if text[index] == "(" { depth += 1 }
            if text[index] == ")" { depth -= 1 }
            if depth == 0 { return (text[..<open], text[text.index(after: open)..<index]) }
        }
        return (text[..<open], nil)
    }

    /// Splits at the commas outside parentheses.
    private static func splitList(_ text: Substring) -> [String] {
        var parts = [""]
        var depth = 0
        for character in text {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            if character == ",", depth == 0 {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        return parts.map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
    }
}
