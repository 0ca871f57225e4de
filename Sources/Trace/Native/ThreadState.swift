internal import Foundation

/// What a thread was doing when a run's time was up.
package struct ThreadState: Hashable, Sendable, Codable {
    package var process: Int32
    package var thread: Int32
    /// Its name (`comm`).
    package var name: String
    /// The letter of /proc/PID/stat: R, S, D, T, t, Z.
    package var state: String
    /// The kernel function that it sleeps in, where the host tells.
    package var waitingIn: String
    /// The name of the call that it is in; nil in user code.
    package var call: String?

    package init(process: Int32, thread: Int32, name: String, state: String, waitingIn: String, call: String?) {
        self.process = process
        self.thread = thread
        self.name = name
        self.state = state
        self.waitingIn = waitingIn
        self.call = call
    }

    /// Looks at a live thread through /proc.
    static func of(thread: Int32, process: Int32, call: String?) -> ThreadState {
        func text(_ file: String) -> String {
            let path = "/proc/\(process)/task/\(thread)/\(file)"
            guard let bytes = FileManager.default.contents(atPath: path) else { return "" }
            return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let stat = text("stat")
        // The name is in parentheses and may hold any character: the state follows the last one.
        let state = stat.lastIndex(of: ")").map { stat[stat.index(after: $0)...].drop { $0 == " " }.prefix(1) } ?? "?"
        return ThreadState(
            process: process, thread: thread, name: text("comm"), state: String(state), waitingIn: text("wchan"),
            call: call)
    }
}
