internal import HostSystem

/// `apus run -- COMMAND`, which has no options: nothing is left to parse, and the toolkit's libraries and parsers take longer
/// to begin than the sandbox's first process.
struct PlainRun {
    let kernel: String
    /// `argv` of the kernel.
    let arguments: [String]

    /// Nil for whatever is not as plain as that: then it is for the toolkit to say what it means. `folder` holds `apus-kernel`.
    init?(_ words: [String], folder: String) {
        guard words.count > 3, words[1] == "run", words[2] == "--", !words[3].isEmpty,
            let environment = Self.environment, let directory = try? Host.linkTarget("/proc/self/cwd"),
            // One that is gone has no path, and one that only looks so is rare.
            directory.hasPrefix("/"), !directory.hasSuffix(" (deleted)")
        else { return nil }
        var kernel = folder + "/apus-kernel"
        let name = "APUS_KERNEL="
        if let named = environment.first(where: { $0.hasPrefix(name) })?.dropFirst(name.utf8.count), !named.isEmpty {
            let parts = named.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            let steps = parts.dropFirst().map { String($0) }
            guard let root = parts.first, root.isEmpty, steps.allSatisfy({ !["", ".", ".."].contains($0) }) else {
                return nil
            }
            kernel = String(named)
        }
        self.kernel = kernel
        var arguments = [kernel, "--root", "/"]
        for entry in environment { arguments += ["--env", entry] }
        self.arguments = arguments + ["--cwd", directory, "--"] + words[3...]
    }

    /// The caller's variables in order; nil where something about them is unusual.
    private static var environment: [String]? {
        guard let bytes = try? Host.contents(of: "/proc/self/environ", limit: 1 << 22),
            bytes.allSatisfy({ $0 < 0x80 })
        else { return nil }
        let entries = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }.sorted()
        var last = ""[...]
        for entry in entries {
            guard let end = entry.utf8.firstIndex(of: UInt8(ascii: "=")), end > entry.startIndex else { return nil }
            // In order, those of one name follow one another.
            guard entry[...end] != last else { return nil }
            last = entry[...end]
        }
        return entries
    }
}
