internal import Foundation

/// Where things lie: everything that is made lies below `corpus/build`.
package struct CorpusPaths: Sendable {
    /// The corpus, absolute.
    package let root: String

    package init(root: String) {
        self.root = URL(fileURLWithPath: root).standardizedFileURL.path
    }

    package var build: String { root + "/build" }
    package var binaries: String { build + "/bin" }
    package var include: String { root + "/include" }
    package var kernelHeaders: String { build + "/kernel-headers" }
    /// The working directories of the runs that are going on.
    package var stage: String { build + "/stage" }
    /// The traces of the last run of each case.
    package var traces: String { build + "/traces" }
    package var lock: String { build + "/lock" }
    package var expectations: String { root + "/expectations" }

    /// A path as reports show it: from the folder that holds the corpus.
    package func shown(_ path: String) -> String {
        let above = (root as NSString).deletingLastPathComponent
        return path.hasPrefix(above + "/") ? String(path.dropFirst(above.count + 1)) : path
    }

    package func create(_ directory: String) throws(CorpusError) {
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw CorpusError(
                .build, directory, "cannot be made: \((error as NSError).localizedDescription)",
                remedy: "check the permissions of what lies above it")
        }
    }
}
