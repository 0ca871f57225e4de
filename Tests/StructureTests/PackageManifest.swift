/// What `Package.swift` declares, read from its text: the targets outside `Tests` with the names that they depend on.
struct PackageManifest {
    /// By target: the quoted names in its declaration, of targets and of products of other packages.
    let dependencies: [String: Set<String>]

    /// The names under which `Package.swift` keeps dependencies on other packages' products, and their modules.
    private static let shorthands = ["argumentParser": "ArgumentParser", "log": "Logging", "mustache": "Mustache"]

    init(text: String) {
        let start = /(?:\bfloor\(|\.target\(|\.executableTarget\(|\.systemLibrary\()\s*(?:name:\s*)?"([\w-]+)"/
        let matches = text.matches(of: start)
        var result: [String: Set<String>] = [:]
        for match in matches {
            let body = PackageManifest.untilClosed(text[match.range.upperBound...])
            // What stands elsewhere belongs to the tests.
            guard !body.contains("path: \"Tests/") else { continue }
            var names = Set(body.matches(of: /"([\w-]+)"/).map { String($0.output.1) })
            for word in body.matches(of: /\w+/) {
                if let module = PackageManifest.shorthands[String(word.output)] { names.insert(module) }
            }
            result[String(match.output.1)] = names
        }
        dependencies = result
    }

    /// The text up to the parenthesis that closes the one before it.
    private static func untilClosed(_ text: Substring) -> Substring {
        var depth = 1
        for index in text.indices {
            if text[index] == "(" { depth += 1 }
            if text[index] == ")" { depth -= 1 }
            if depth == 0 { return text[..<index] }
        }
        return text
    }
}
