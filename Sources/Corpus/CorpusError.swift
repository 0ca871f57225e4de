/// Why something about the corpus could not be done.
package struct CorpusError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// A case's manifest or program file says something that can't be.
        case manifest
        case discovery
        case build
        case stage
        /// Another process works in the same build directory.
        case busy
        /// The sandbox can't be started.
        case sandbox
        /// The store of results can't be read or written.
        case store
    }

    package let code: Code
    /// The file that it is about.
    package let file: String
    /// Counted from 1.
    package let line: Int?
    package let what: String
    package let remedy: String

    package init(_ code: Code, _ file: String, line: Int? = nil, _ what: String, remedy: String) {
        self.code = code
        self.file = file
        self.line = line
        self.what = what
        self.remedy = remedy
    }

    package var description: String {
        "\(file)\(line.map { ":\($0)" } ?? ""): \(what); \(remedy)"
    }
}
