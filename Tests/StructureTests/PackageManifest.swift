/// What `Package.swift` declares, read from its text: the targets outside `Tests` with the names that they depend on.
struct PackageManifest {
    /// By target: the quoted names in its declaration, of targets and of products of other packages.
    let dependencies: [String: Set<String>]

    /// The names under which `Package.swift` keeps dependencies on other packages' products, and their modules.
    private static let shorthands = ["argumentParser": "ArgumentParser", "log": "Logging", "mustache": "Mustache"]

    init(text: String) {
        let start = /(?:\bfloor\(|\.target\(|\.executableTarget\(|\.systemLibrary\()\s*(?:name:\s*)?"([\w-]+)"/
        let end = /\n(?:let|func)\b/
        let matches = text.matches(of: start)
        var result: [String: Set<String>] = [:]
        for (index, match) in matches.enumerated() {
            let limit = index + 1 < matches.count ? matches[index + 1].range.lowerBound : text.endIndex
            var body = text[match.range.upperBound..<limit]
            if let stop = body.firstMatch(of: end) { body = body[..<stop.range.lowerBound] }
            var names = Set(body.matches(of: /"([\w-]+)"/).map { String($0.output.1) })
            for word in body.matches(of: /\w+/) {
                if let module = PackageManifest.shorthands[String(word.output)] { names.insert(module) }
            }
            result[String(match.output.1)] = names
        }
        dependencies = result
    }
}
