internal import Foundation

/// The fresh start that every run of a case gets, the same on both sides: a working directory with the case's files at
/// the same path, a standard input and a fixed environment.
package struct Stage: Sendable {
    /// `HOME` and the current directory.
    package let workingDirectory: String
    /// Holds the working directory, and what of ours must lie beside it.
    private let directory: String
    private let subject: CorpusCase

    package init(_ paths: CorpusPaths, _ subject: CorpusCase, variant: String) {
        self.subject = subject
        directory = "\(paths.stage)/\(subject.family).\(subject.name).\(variant)"
        workingDirectory = directory + "/work"
    }

    /// Where programs are looked for, if the case does not say otherwise.
    static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// `NAME=value`; the case's own entries replace the fixed ones.
    package var environment: [String] {
        var entries = [
            EnvironmentEntry("PATH", Self.path),
            EnvironmentEntry("HOME", workingDirectory), EnvironmentEntry("LANG", "C.UTF-8"),
            EnvironmentEntry("TZ", "UTC"),
        ]
        for entry in subject.environment {
            if let index = entries.firstIndex(where: { $0.name == entry.name }) {
                entries[index] = entry
            } else {
                entries.append(entry)
            }
        }
        return entries.map(\.assignment)
    }

    /// Removes what an earlier run left and lays everything out anew.
    /// - Returns: the standard input, open for reading.
    func prepare() throws(CorpusError) -> FileHandle {
        try remove()
        do {
            let manager = FileManager.default
            try manager.createDirectory(atPath: workingDirectory, withIntermediateDirectories: true)
            try manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: workingDirectory)
            for file in subject.files {
                let path = "\(workingDirectory)/\(file.path)"
                let folder = (path as NSString).deletingLastPathComponent
                try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
                try Data(file.content).write(to: URL(fileURLWithPath: path))
                try manager.setAttributes([.posixPermissions: Int(file.mode)], ofItemAtPath: path)
            }
            let input = URL(fileURLWithPath: directory + "/stdin")
            try Data(subject.standardInput).write(to: input)
            return try FileHandle(forReadingFrom: input)
        } catch {
            throw failure("cannot be laid out", error)
        }
    }

    /// Leaves nothing behind.
    package func remove() throws(CorpusError) {
        let manager = FileManager.default
        guard manager.fileExists(atPath: directory) else { return }
        if (try? manager.removeItem(atPath: directory)) != nil { return }
        // A case may have closed its own directories; those are opened from above, so that each can be entered.
        open(directory)
        do { try manager.removeItem(atPath: directory) } catch { throw failure("cannot be removed", error) }
    }

    private func open(_ directory: String) {
        let manager = FileManager.default
        try? manager.setAttributes([.posixPermissions: 0o700], ofItemAtPath: directory)
        for name in (try? manager.contentsOfDirectory(atPath: directory)) ?? [] {
            let path = "\(directory)/\(name)"
            let type = try? manager.attributesOfItem(atPath: path)[.type] as? FileAttributeType
            if type == .typeDirectory { open(path) }
        }
    }

    private func failure(_ what: String, _ error: any Error) -> CorpusError {
        CorpusError(
            .stage, directory, "\(what): \((error as NSError).localizedDescription)",
            remedy: "check that nothing is mounted or running there")
    }
}
