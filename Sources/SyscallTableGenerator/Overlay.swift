/// What no source says, written by hand in `data/overlay.txt`; see there for the format.
package struct Overlay: Sendable {
    /// What a line says of one parameter; nil means that it leaves the matter to the sources and the defaults.
    package struct Hint: Equatable, Sendable {
        package var role: String?
        package var direction: String?
        package var extent: ExtentHint?
        package var flagSet: String?
        package var swiftType: String?
        /// Where it says so.
        package var line = 0
    }

    /// An extent with the parameter still by name.
    package struct ExtentHint: Equatable, Sendable {
        package let kind: String
        package let argument: String?
    }

    package struct Call: Equatable, Sendable {
        package var hints: [(name: String, hint: Hint)] = []
        package var result: String?
        package let line: Int

        package static func == (left: Call, right: Call) -> Bool {
            left.line == right.line && left.result == right.result && left.hints.map(\.name) == right.hints.map(\.name)
                && left.hints.map(\.hint) == right.hints.map(\.hint)
        }
    }

    package struct Signature: Equatable, Sendable {
        package let parameters: [ParameterFact]
        package let line: Int
    }

    package let file: String
    /// By the call's name, or `name@architecture`.
    package private(set) var calls: [String: Call] = [:]
    /// By `name` or `name@architecture`: parameters that settle what the sources leave open.
    package private(set) var signatures: [String: Signature] = [:]
    /// By C type.
    package private(set) var types: [String: Hint] = [:]
    /// By a parameter's name.
    package private(set) var names: [String: Hint] = [:]
    /// Bytes, by structure and architecture.
    package private(set) var sizes: [String: [Architecture: Int]] = [:]
    /// The Swift type with the layout of a C structure.
    package private(set) var layouts: [String: String] = [:]

    package init(parsing text: String, file: String) throws(GeneratorError) {
        self.file = file
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = raw.prefix { $0 != "#" }
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            if words.isEmpty { continue }
            do throws(Fault) {
                try parse(words, line: index + 1)
            } catch {
                throw GeneratorError(file: file, line: index + 1, reason: error.reason)
            }
        }
    }

    struct Fault: Error { let reason: String }

    private mutating func parse(_ words: [String], line: Int) throws(Fault) {
        let rest = Array(words.dropFirst())
        switch words[0] {
        case "call": try parseCall(rest, line: line)
        case "signature": try parseSignature(rest, line: line)
        case "type":
            let (key, value) = try definition(rest)
            guard types[key] == nil else { throw Fault(reason: "a second line for the type \(key)") }
            types[key] = try Overlay.hint(value, line: line)
        case "name":
            let (key, value) = try definition(rest)
            for name in key.split(separator: " ").map(String.init) {
                guard names[name] == nil else { throw Fault(reason: "a second line for the name \(name)") }
                names[name] = try Overlay.hint(value, line: line)
            }
        case "size":
            let (key, value) = try definition(rest)
            guard sizes[key] == nil else { throw Fault(reason: "a second size of \(key)") }
            sizes[key] = try Overlay.size(value)
        case "layout":
            let (key, value) = try definition(rest)
            guard layouts[key] == nil else { throw Fault(reason: "a second layout of \(key)") }
            layouts[key] = value
        default:
            throw Fault(reason: "unknown word `\(words[0])`: expected call, signature, type, name, size or layout")
        }
    }

    private mutating func parseCall(_ words: [String], line: Int) throws(Fault) {
        guard let name = words.first else { throw Fault(reason: "which call?") }
        try checkKey(name)
        guard calls[name] == nil else { throw Fault(reason: "a second line for the call \(name)") }
        var call = Call(line: line)
        var rest = words.dropFirst()
        if let arrow = rest.firstIndex(of: "->") {
            guard arrow + 2 == rest.endIndex else { throw Fault(reason: "expected one result after `->`") }
            guard Vocabulary.results[rest[arrow + 1]] != nil else {
                throw Fault(reason: "unknown result `\(rest[arrow + 1])`")
            }
            call.result = rest[arrow + 1]
            rest = rest[..<arrow]
        }
        for word in rest {
            guard let colon = word.firstIndex(of: ":") else {
                throw Fault(reason: "expected `parameter:attributes`: \(word)")
            }
            let parameter = String(word[..<colon])
            guard !call.hints.contains(where: { $0.name == parameter }) else {
                throw Fault(reason: "the parameter \(parameter) twice")
            }
            call.hints.append((parameter, try Overlay.hint(String(word[word.index(after: colon)...]), line: line)))
        }
        calls[name] = call
    }

    /// `signature clone@x86_64 = unsigned long clone_flags, …`
    private mutating func parseSignature(_ words: [String], line: Int) throws(Fault) {
        let (key, value) = try definition(words)
        try checkKey(key)
        guard signatures[key] == nil else { throw Fault(reason: "a second signature of \(key)") }
        let parameters = value.split(separator: ",").compactMap { CDeclarations.declaration(String($0)) }
        guard parameters.allSatisfy({ $0.name != nil }) else { throw Fault(reason: "a parameter has no name") }
        signatures[key] = Signature(parameters: parameters, line: line)
    }

    private func checkKey(_ key: String) throws(Fault) {
        let parts = key.split(separator: "@")
        guard parts.count == 1 || (parts.count == 2 && Architecture(rawValue: String(parts[1])) != nil) else {
            throw Fault(reason: "`\(key)` is no call or call@architecture")
        }
    }

    private func definition(_ words: [String]) throws(Fault) -> (key: String, value: String) {
        guard let equals = words.firstIndex(of: "="), equals > 0, equals + 1 < words.count else {
            throw Fault(reason: "expected `name = value`")
        }
        return (words[..<equals].joined(separator: " "), words[(equals + 1)...].joined(separator: " "))
    }

    private static func size(_ text: String) throws(Fault) -> [Architecture: Int] {
        var sizes: [Architecture: Int] = [:]
        for word in text.split(separator: " ") {
            let parts = word.split(separator: ":").map(String.init)
            if parts.count == 1, let size = Int(parts[0]), size > 0 {
                for architecture in Architecture.allCases where sizes[architecture] == nil {
                    sizes[architecture] = size
                }
            } else if parts.count == 2, let architecture = Architecture(rawValue: parts[0]), let size = Int(parts[1]),
                size > 0
            {
                sizes[architecture] = size
            } else {
                throw Fault(reason: "expected bytes or architecture:bytes: \(word)")
            }
        }
        return sizes
    }

    /// `buffer,out,result(count)`
    static func hint(_ text: String, line: Int) throws(Fault) -> Hint {
        var hint = Hint(line: line)
        for attribute in split(text) {
            let (word, argument) = try call(attribute)
            switch (word, argument) {
            case ("set", let name?):
                hint.flagSet = name
                if hint.role == nil { hint.role = "flags" }
            case ("swift", let type?): hint.swiftType = type
            case ("in", nil), ("out", nil), ("both", nil): hint.direction = word
            case (_, nil) where Vocabulary.roles[word] != nil: hint.role = word
            case (_, let argument?) where Vocabulary.extentsWithArgument.contains(word):
                hint.extent = ExtentHint(kind: word, argument: argument)
            case (_, nil) where Vocabulary.extents.contains(word): hint.extent = ExtentHint(kind: word, argument: nil)
            default: throw Fault(reason: "unknown attribute `\(attribute)`")
            }
        }
        return hint
    }

    private static func split(_ text: String) -> [String] {
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
        return parts
    }

    private static func call(_ attribute: String) throws(Fault) -> (word: String, argument: String?) {
        guard let open = attribute.firstIndex(of: "(") else { return (attribute, nil) }
        guard attribute.hasSuffix(")") else { throw Fault(reason: "`\(attribute)` has no closing parenthesis") }
        return (String(attribute[..<open]), String(attribute[attribute.index(after: open)...].dropLast()))
    }
}
