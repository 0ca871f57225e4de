/// Why an input can't be used: what is wrong, in which file and line.
package struct GeneratorError: Error, Equatable, CustomStringConvertible {
    package let file: String
    /// Counts from 1; nil if the file as a whole is meant.
    package let line: Int?
    package let reason: String

    package init(file: String, line: Int? = nil, reason: String) {
        self.file = file
        self.line = line
        self.reason = reason
    }

    package var description: String { line.map { "\(file):\($0): \(reason)" } ?? "\(file): \(reason)" }
}
