internal import Synchronization

/// What is being done, in one line: it renews itself on a terminal; elsewhere a line is written for what begins, not for each
/// part of it.
final class StatusLine: Sendable {
    private let terminal: Terminal
    private let last = Mutex("")

    init(_ terminal: Terminal) { self.terminal = terminal }

    /// `text` is what has begun, and after a colon which part of it.
    func show(_ text: String) {
        if terminal.isTerminal { return terminal.write("\r\u{1B}[K" + text.prefix(terminal.width - 1)) }
        let begun = String(text.prefix { $0 != ":" })
        let isNew = last.withLock { last in
            defer { last = begun }
            return last != begun
        }
        if isNew { terminal.write(begun + "\n") }
    }

    /// Clears the line that renews itself.
    func finish() {
        if terminal.isTerminal { terminal.write("\r\u{1B}[K") }
    }
}
