/// Why a file can't be looked at: which one, why, and what would help.
package struct InspectError: Error, Equatable, CustomStringConvertible {
    package let file: String
    package let reason: String
    package let remedy: String?

    package init(file: String, reason: String, remedy: String? = nil) {
        self.file = file
        self.reason = reason
        self.remedy = remedy
    }

    package var description: String { "\(file): \(reason)" + (remedy.map { " (\($0))" } ?? "") }
}
