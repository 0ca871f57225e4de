import Foundation

/// The repository as the structure tests read it.
enum Repository {
    /// The root: three folders above this file.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every Swift file below a folder of the repository, sorted by path.
    static func swiftFiles(below folder: String) throws -> [SourceFile] {
        folder == "Sources" ? try sources.get() : try readSwiftFiles(below: folder)
    }

    /// Read once: most tests look at all of them.
    private static let sources = Result { try readSwiftFiles(below: "Sources") }

    private static func readSwiftFiles(below folder: String) throws -> [SourceFile] {
        try files(below: folder).filter { $0.hasSuffix(".swift") }.map { try SourceFile(path: $0) }
    }

    /// The paths, relative to the root, of the regular files below a folder; none if it does not exist.
    static func files(below folder: String) throws -> [String] {
        try entries(below: folder).filter { !$0.isFolder }.map(\.path)
    }

    /// The folders that hold at least one file, the given one included.
    static func foldersWithFiles(below folder: String) throws -> [String] {
        let holders = try files(below: folder).map { ($0 as NSString).deletingLastPathComponent }
        return Set(holders).sorted()
    }

    static func text(of path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
    }

    private static func entries(below folder: String) throws -> [(path: String, isFolder: Bool)] {
        guard exists(folder) else { return [] }
        let names = try FileManager.default.subpathsOfDirectory(atPath: root.appendingPathComponent(folder).path)
        return names.sorted().compactMap { name in
            // What builds leave behind is no source.
            let parts = name.split(separator: "/")
            guard !parts.contains(where: { $0.hasPrefix(".") || $0 == "build" }) else { return nil }
            let path = folder + "/" + name
            let isFolder = try? root.appendingPathComponent(path).resourceValues(forKeys: [.isDirectoryKey]).isDirectory
            return (path, isFolder ?? false)
        }
    }
}

/// One Swift file, split into what the compiler sees and what people read.
struct SourceFile: CustomStringConvertible {
    /// Relative to the repository's root.
    let path: String
    /// Each line without comments and without the contents of string literals.
    let code: [String]
    /// Each line's comment, empty where there is none.
    let comments: [String]

    var description: String { path }
    /// The target's name: the folder below `Sources`.
    var target: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }

    init(path: String) throws {
        self.init(path: path, text: try Repository.text(of: path))
    }

    init(path: String, text: String) {
        self.path = path
        var splitter = CommentSplitter()
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { splitter.split(String($0)) }
        code = lines.map(\.code)
        comments = lines.map(\.comment)
    }

    /// `path:line` of each line whose code matches.
    func lines(matching expression: Regex<Substring>) -> [String] {
        code.indices.filter { code[$0].contains(expression) }.map { "\(path):\($0 + 1)" }
    }

    /// The modules that the file imports.
    var imports: [String] {
        let expression =
            /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:struct|class|enum|func|protocol|typealias|var|let)\s+)?(\w+)/
        return code.compactMap { $0.firstMatch(of: expression).map { String($0.output.1) } }
    }
}

/// Takes lines apart into code and comments. Knows line and block comments, plain and multi-line string literals; what
/// is interpolated into a literal counts as part of it.
struct CommentSplitter {
    private var blockDepth = 0
    private var isInMultiline = false

    mutating func split(_ line: String) -> (code: String, comment: String) {
        var code = ""
        var comment = ""
        var rest = Substring(line)
        while let character = rest.first {
            if blockDepth > 0 {
                if rest.hasPrefix("/*") { blockDepth += 1 }
                if rest.hasPrefix("*/") {
                    blockDepth -= 1
                    rest = rest.dropFirst(2)
                } else {
                    comment.append(character)
                    rest = rest.dropFirst()
                }
            } else if isInMultiline {
                if rest.hasPrefix("\"\"\"") {
                    isInMultiline = false
                    code += "\"\"\""
                    rest = rest.dropFirst(3)
                } else {
                    rest = rest.dropFirst()
                }
            } else if rest.hasPrefix("//") {
                comment += rest.dropFirst(2)
                rest = ""
            } else if rest.hasPrefix("/*") {
                blockDepth = 1
                rest = rest.dropFirst(2)
            } else if rest.hasPrefix("\"\"\"") {
                isInMultiline = true
                code += "\"\"\""
                rest = rest.dropFirst(3)
            } else if character == "\"" {
                code += "\"\""
                rest = CommentSplitter.afterLiteral(rest.dropFirst())
            } else {
                code.append(character)
                rest = rest.dropFirst()
            }
        }
        return (code, comment)
    }

    /// What follows a one-line string literal whose opening quote is gone.
    private static func afterLiteral(_ text: Substring) -> Substring {
        var rest = text
        var depth = 0
        while let character = rest.first {
            if character == "\\" {
                if rest.hasPrefix("\\(") { depth += 1 }
                rest = rest.dropFirst(2)
                continue
            }
            if depth > 0, character == "(" { depth += 1 }
            if depth > 0, character == ")" { depth -= 1 }
            rest = rest.dropFirst()
            if depth == 0, character == "\"" { break }
        }
        return rest
    }
}
