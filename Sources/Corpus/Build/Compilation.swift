internal import Foundation
internal import TraceModel

/// One program that a compiler of the host makes, unless it is there already, made from the same things: next to the
/// program lies the digest of all that it was made from.
package struct Compilation: Sendable {
    /// The compiler by its path, and its arguments.
    private let command: [String]
    private let output: String
    private let digest: String

    /// `version` is what the compiler says of itself; `headers` stands for what the sources include; `sources` are files.
    package init(_ command: [String], output: String, version: String, headers: String, sources: [String]) {
        self.command = command
        self.output = output
        var hash = ContentHash()
        for part in command + [version, headers] { hash.update(Array(part.utf8) + [0]) }
        for source in sources { hash.update(FileManager.default.contents(atPath: source) ?? Data()) }
        digest = hash.hexadecimal
    }

    package func run() -> Builder.Product {
        let manager = FileManager.default
        let stamp = output + ".sha256"
        if manager.isExecutableFile(atPath: output), manager.contents(atPath: stamp) == Data(digest.utf8) {
            return .built(output)
        }
        do {
            try? manager.removeItem(atPath: stamp)
            let folder = (output as NSString).deletingLastPathComponent
            try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let said = try HostProgram.run(command, seconds: 120)
            guard said.status.exitCode == 0 else {
                return .failed(said.timedOut ? "the compiler did not end within 120 s" : said.text)
            }
            try Data(digest.utf8).write(to: URL(fileURLWithPath: stamp))
            return .built(output)
        } catch {
            return .failed("\(error)")
        }
    }
}
