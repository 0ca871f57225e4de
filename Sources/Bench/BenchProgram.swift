package import Corpus
internal import Foundation

/// The program that measures, made from the C sources in the project's `bench` folder.
package struct BenchProgram {
    /// The folder, absolute.
    private let folder: String

    package init(folder: String) { self.folder = URL(fileURLWithPath: folder).standardizedFileURL.path }

    /// Builds it, unless that is done.
    /// - Returns: its path.
    package func build() throws(CorpusError) -> String {
        let manager = FileManager.default
        let names = ((try? manager.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        let sources = names.filter { $0.hasSuffix(".c") }.map { "\(folder)/\($0)" }
        guard !sources.isEmpty else {
            throw CorpusError(
                .build, folder, "the bench program's sources are not there",
                remedy: "run it in the project's folder, or name its bench folder with --sources")
        }
        guard let compiler = HostProgram.find("gcc") else {
            throw CorpusError(.build, "gcc", "is not installed", remedy: "apt-get install gcc libc6-dev")
        }
        let output = folder + "/build/bench"
        let command =
            [compiler, "-O2", "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", output] + sources
        let version = (try? HostProgram.output(of: [compiler, "--version"])) ?? ""
        let headers = names.filter { $0.hasSuffix(".h") }.map { "\(folder)/\($0)" }
        let product = Compilation(
            command, output: output, version: version, headers: "", sources: sources + headers
        ).run()
        switch product {
        case .built(let path): return path
        case .missing(let text), .failed(let text):
            throw CorpusError(.build, folder, "cannot be compiled: \(text)", remedy: "mend the sources")
        }
    }
}
