package import Foundation

/// What the generator writes for a table: `syscalls.json` and the Swift of LinuxABI.
package struct GeneratedFiles {
    /// Each file's place and text.
    package let files: [(location: URL, text: String)]
    private let swiftFolder: URL

    /// - Parameters:
    ///   - table: what to write.
    ///   - json: where the data file goes.
    ///   - swift: the folder of the generated Swift; it holds nothing else.
    package init(for table: Table, json: URL, swift: URL) {
        swiftFolder = swift
        files =
            [(json, JSONEmitter.text(for: table))]
            + SwiftEmitter.files(for: table).map { (swift.appendingPathComponent($0.path), $0.text) }
    }

    /// Writes every file, and removes Swift that is no longer generated.
    package func write() throws {
        try FileManager.default.createDirectory(at: swiftFolder, withIntermediateDirectories: true)
        for file in files { try Data(file.text.utf8).write(to: file.location) }
        for name in strangers() { try FileManager.default.removeItem(at: swiftFolder.appendingPathComponent(name)) }
    }

    /// What differs between the files as they are and as they would be written, a sentence each; empty if nothing does.
    package func drift() -> [String] {
        let changed = files.compactMap { file -> String? in
            guard let bytes = FileManager.default.contents(atPath: file.location.path) else {
                return "\(file.location.path) is missing"
            }
            if Array(bytes) == Array(file.text.utf8) { return nil }
            let old = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            let new = file.text.split(separator: "\n", omittingEmptySubsequences: false)
            let line = zip(old, new).prefix { $0 == $1 }.count + 1
            return "\(file.location.path):\(line) is not what the data give"
        }
        return changed + strangers().map { "\(swiftFolder.appendingPathComponent($0).path) is not generated any more" }
    }

    private func strangers() -> [String] {
        let expected = Set(files.map(\.location.lastPathComponent))
        let present = (try? FileManager.default.contentsOfDirectory(atPath: swiftFolder.path)) ?? []
        return present.filter { $0.hasSuffix(".swift") && !expected.contains($0) }.sorted()
    }
}
