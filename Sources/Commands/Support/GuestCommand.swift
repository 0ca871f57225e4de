internal import ArgumentParser

/// The words after `--`: a command of the guest. The `--` may be left out before a command that is no option.
enum GuestCommand {
    /// Throws `ValidationError` if there is none, and the request for help that the parser leaves among the words.
    static func parse(_ words: [String]) throws -> [String] {
        var words = words[...]
        if let first = words.first, ["-h", "--help"].contains(first) { throw CleanExit.helpRequest() }
        if words.first == "--" {
            words = words.dropFirst()
        } else if let first = words.first, first.hasPrefix("-") {
            throw ValidationError("Unknown option '\(first)'. Write -- before a command that starts with a dash.")
        }
        guard let program = words.first else { throw ValidationError("No command is given. Write it after --.") }
        guard !program.isEmpty else { throw ValidationError("The command's name is empty.") }
        return Array(words)
    }
}
