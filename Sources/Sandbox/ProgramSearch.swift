/// Where `execvp(3)` looks for a program.
enum ProgramSearch {
    /// The paths to try, in order. A name with a slash is a path already.
    static func candidates(for name: [UInt8], environment: [[UInt8]]) -> [[UInt8]] {
        guard !name.isEmpty, !name.contains(0x2f) else { return [name] }
        let key = Array("PATH=".utf8)
        let path = environment.first { $0.starts(with: key) }?.dropFirst(key.count) ?? Array("/bin:/usr/bin".utf8)[...]
        return path.split(separator: 0x3a, omittingEmptySubsequences: false).map { directory in
            directory.isEmpty ? name : Array(directory) + [0x2f] + name
        }
    }
}
