internal import Foundation

/// One of this process's outputs: whether it is a terminal, and what may be done there.
struct Terminal: Sendable {
    enum Style: String, Sendable {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
    }

    static let standardOutput = Terminal(1)
    static let standardError = Terminal(2)

    private let descriptor: Int32
    let isTerminal: Bool
    let hasColour: Bool

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
        isTerminal = isatty(descriptor) == 1
        hasColour = isTerminal && Self.wantsColour(ProcessInfo.processInfo.environment)
    }

    /// Whether the user's environment allows colour: NO_COLOR (no-color.org), and TERM=dumb.
    static func wantsColour(_ environment: [String: String]) -> Bool {
        environment["NO_COLOR"]?.isEmpty ?? true && environment["TERM"] != "dumb"
    }

    /// Columns; 100 where that is unknown.
    var width: Int {
        guard isTerminal, let text = ProcessInfo.processInfo.environment["COLUMNS"], let columns = Int(text) else {
            return 100
        }
        return max(40, columns)
    }

    func paint(_ text: String, _ styles: Style...) -> String {
        guard hasColour, !styles.isEmpty else { return text }
        return "\u{1B}[\(styles.map(\.rawValue).joined(separator: ";"))m\(text)\u{1B}[0m"
    }

    /// Writes text as it is. A reader that is gone ends the program quietly (SIGPIPE), as for any filter.
    func write(_ text: String) {
        let handle = descriptor == 1 ? FileHandle.standardOutput : FileHandle.standardError
        try? handle.write(contentsOf: Data(text.utf8))
    }
}
