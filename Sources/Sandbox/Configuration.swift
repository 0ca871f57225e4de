/// What `apus-kernel` was asked to do. The `apus` command checks and completes what people write; this parser only refuses
/// what it does not know.
package struct Configuration {
    package struct Bind: Equatable {
        package var source: String
        package var target: String
        package var isReadOnly: Bool
    }

    /// The directory of the host that is the guest's root.
    package var root = "/"
    /// Empty where the caller's own is one that has been removed.
    package var workingDirectory = "/"
    /// Nothing in the root may be changed, not even in memory.
    package var isReadOnly = false
    package var binds: [Bind] = []
    /// Bytes; nil for no limit.
    package var memory: UInt64?
    /// Where the trace goes.
    package var trace: String?
    package var isVerbose = false
    /// After how many traps a call site becomes a jump; 0 for never. Making it one costs about as much as so many traps.
    package var patchAfter: UInt32 = 24
    package var platform = PlatformChoice.automatic
    package var command: [String] = []
    /// `K=V`, exactly what the guest gets.
    package var environment: [String] = []

    package struct Invalid: Error {
        package let message: String
    }

    package init() {}

    /// Parses the words after the program's name.
    package init(arguments: [String]) throws(Invalid) {
        var rest = arguments[...]
        func value(of option: String) throws(Invalid) -> String {
            guard let value = rest.popFirst() else { throw Invalid(message: "\(option) needs a value") }
            return value
        }
        while let word = rest.popFirst() {
            switch word {
            case "--root": root = try value(of: word)
            case "--cwd": workingDirectory = try value(of: word)
            case "--env":
                let text = try value(of: word)
                guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                    throw Invalid(message: "--env \(text): give NAME=VALUE")
                }
                environment.append(text)
            case "--readonly": isReadOnly = true
            case "--verbose": isVerbose = true
            case "--trace": trace = try value(of: word)
            case "--bind": binds.append(try Configuration.bind(try value(of: word)))
            case "--platform":
                let text = try value(of: word)
                guard let choice = PlatformChoice(rawValue: text) else {
                    throw Invalid(message: "--platform \(text): give trap, ptrace or auto")
                }
                platform = choice
            case "--patch-after":
                let text = try value(of: word)
                guard let traps = UInt32(text) else {
                    throw Invalid(message: "--patch-after \(text): not a number of traps")
                }
                patchAfter = traps
            case "--memory":
                let text = try value(of: word)
                guard let bytes = UInt64(text), bytes > 0 else {
                    throw Invalid(message: "--memory \(text): not a number of bytes")
                }
                memory = bytes
            case "--":
                command = Array(rest)
                rest = []
            default: throw Invalid(message: "\(word): not an option; see apus run --help")
            }
        }
        guard !command.isEmpty else { throw Invalid(message: "no command after --") }
        guard workingDirectory.isEmpty || workingDirectory.hasPrefix("/") else {
            throw Invalid(message: "--cwd \(workingDirectory): not absolute")
        }
    }

    /// `SRC:DST` or `SRC:DST:ro`.
    private static func bind(_ text: String) throws(Invalid) -> Bind {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let isReadOnly = parts.count == 3 && parts[2] == "ro"
        guard parts.count == 2 || isReadOnly, parts[0].hasPrefix("/"), parts[1].hasPrefix("/") else {
            throw Invalid(message: "--bind \(text): give SRC:DST or SRC:DST:ro, both absolute")
        }
        return Bind(source: parts[0], target: parts[1], isReadOnly: isReadOnly)
    }
}
