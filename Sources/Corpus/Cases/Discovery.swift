internal import Foundation

/// Finds the cases below a corpus directory.
package struct Discovery {
    /// The directory `corpus`.
    package let root: String
    /// Its folders that hold no cases.
    private static let reserved: Set = ["build", "expectations", "include"]
    private static let programs = "programs"

    package init(root: String) { self.root = root }

    /// What was found: the cases by identity, and the files whose manifests are wrong.
    package struct Found: Sendable {
        package var cases: [CorpusCase] = []
        package var errors: [CorpusError] = []
    }

    /// All cases of the corpus, or those of the files and folders given.
    ///
    /// A path counts from the caller's directory or, where that is nothing, from the corpus: `files`, `files/pread`,
    /// `corpus/files/pread.c` all do.
    package func find(_ paths: [String] = []) throws(CorpusError) -> Found {
        var found = Found()
        guard isDirectory(root) else {
            throw CorpusError(
                .discovery, root, "there is no corpus", remedy: "run from the repository, or give --corpus DIR")
        }
        let every = files()
        guard !paths.isEmpty else {
            for file in every { add(file, to: &found) }
            return found
        }
        var wanted: Set<String> = []
        for path in paths {
            let matches = every.filter { selects(path, $0) }
            guard !matches.isEmpty else {
                throw CorpusError(
                    .discovery, path, "no case of the corpus is there",
                    remedy: "give a family, FAMILY/NAME, or a file below \(root)")
            }
            wanted.formUnion(matches)
        }
        for file in every where wanted.contains(file) { add(file, to: &found) }
        return found
    }

    /// Whether a path that the user gave stands for a file of the corpus (relative to the root).
    private func selects(_ path: String, _ file: String) -> Bool {
        let base = URL(fileURLWithPath: root).standardizedFileURL.path
        let absolute = URL(fileURLWithPath: path).standardizedFileURL.path
        var relative = path
        if absolute == base { return true }
        if absolute.hasPrefix(base + "/") { relative = String(absolute.dropFirst(base.count + 1)) }
        while relative.hasSuffix("/") { relative.removeLast() }
        let stem = String(file[..<(file.lastIndex(of: ".") ?? file.endIndex)])
        return file == relative || stem == relative || file.hasPrefix(relative + "/")
    }

    /// `family/name.c` and `programs/name.yaml`, sorted.
    private func files() -> [String] {
        var files: [String] = []
        for family in contents(of: root) where !Self.reserved.contains(family) && isDirectory("\(root)/\(family)") {
            let wanted = family == Self.programs ? [".yaml", ".yml"] : [".c"]
            for name in contents(of: "\(root)/\(family)") where wanted.contains(where: name.hasSuffix) {
                files.append("\(family)/\(name)")
            }
        }
        return files
    }

    private func add(_ file: String, to found: inout Found) {
        let parts = file.split(separator: "/").map(String.init)
        let path = "\(root)/\(file)"
        guard parts.count == 2, let bytes = FileManager.default.contents(atPath: path) else {
            found.errors.append(CorpusError(.discovery, path, "cannot be read", remedy: "check its permissions"))
            return
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let name = String(parts[1][..<(parts[1].lastIndex(of: ".") ?? parts[1].endIndex)])
        do throws(CorpusError) {
            found.cases.append(
                parts[0] == Self.programs
                    ? try ProgramFile.parse(text, file: path, family: parts[0], name: name)
                    : try ManifestParser.parse(text, file: path, family: parts[0], name: name))
        } catch {
            found.errors.append(error)
        }
    }

    private func contents(of directory: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).filter { !$0.hasPrefix(".") }.sorted()
    }

    private func isDirectory(_ path: String) -> Bool {
        (try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType) == .typeDirectory
    }
}
