internal import Corpus
internal import Diff
internal import Foundation
internal import Synchronization

/// Tells how a run goes: one line that renews itself on a terminal, else a line for each case.
final class ProgressLine: Sendable {
    private let terminal: Terminal
    private let failures = Mutex<Set<String>>([])

    init(_ terminal: Terminal) { self.terminal = terminal }

    func show(_ result: CaseResult, _ done: Int, _ all: Int) {
        let failed = failures.withLock { failures in
            // One that was run again may have got out of it.
            if result.outcome.isFailure { failures.insert(result.title) } else { failures.remove(result.title) }
            return failures.count
        }
        let width = String(all).count
        let number = String(repeating: " ", count: max(0, width - String(done).count)) + String(done)
        let place = "[\(number)/\(all)]"
        guard terminal.isTerminal else {
            terminal.write("\(place) \(result.outcome.rawValue) \(result.title)\(Self.remark(result))\n")
            return
        }
        var text = ""
        if result.outcome.isFailure || result.outcome == .unstable {
            text =
                "\r\u{1B}[K" + terminal.paint(result.outcome.rawValue, result.outcome.isFailure ? .red : .yellow)
                + " \(result.title)"
                + terminal.paint(Self.remark(result), .dim) + "\n"
        }
        let line = "\(place) \(failed) failed  \(result.title)"
        terminal.write(text + "\r\u{1B}[K" + line.prefix(terminal.width - 1))
    }

    /// Clears the line that renews itself.
    func finish() {
        if terminal.isTerminal { terminal.write("\r\u{1B}[K") }
    }

    /// Why, in one line; nothing for what is as it should be.
    private static func remark(_ result: CaseResult) -> String {
        switch result.outcome {
        case .pass, .expected: return ""
        case .unstable, .fail, .invalid, .skipped, .broken: break
        }
        let reason = result.reason?.split(separator: "\n").first.map(String.init)
        guard let text = result.first?.divergence.explanation ?? reason else { return "" }
        return ": " + text.prefix(160)
    }
}
