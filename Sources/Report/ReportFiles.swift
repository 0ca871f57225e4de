package import Bench
package import Corpus
internal import Foundation

/// Writes all reports of a run into a directory.
package struct ReportFiles {
    private let directory: String

    package init(directory: String) { self.directory = directory }

    /// Replaces what an earlier run wrote there; other files are left alone.
    package func write(_ results: Results) throws(CorpusError) {
        let cases = directory + "/cases"
        try? FileManager.default.removeItem(atPath: cases)
        do {
            try FileManager.default.createDirectory(atPath: cases, withIntermediateDirectories: true)
        } catch {
            throw failure(cases, error)
        }
        let coverage = Coverage(results)
        // What `apus bench` has left there stays, and is led to.
        let bench = try? BenchStore.read(directory + "/bench.json")
        let pages = try Pages([.overview, .calls] + (bench == nil ? [] : [.bench]))
        try put(StyleSheet.text, "style.css")
        try put(pages.overview(OverviewPage(results, coverage, bench)), "index.html")
        try put(pages.calls(CallsPage(results, coverage)), "syscalls.html")
        for result in results.cases {
            try put(pages.item(CasePage(result, results)), "cases/\(CasePage.fileName(result))")
        }
        try put(MarkdownReport(results, coverage).text, "report.md")
        try put(JUnitReport(results).text, "junit.xml")
        try ResultStore.write(results, to: directory + "/results.json")
        if let bench { try put(pages.bench(BenchPage(bench)), "bench.html") }
    }

    /// Writes what a run of the benchmark has measured: page, table, chart and store. The pages of the corpus that are
    /// there are written again, to lead to it.
    package func write(_ bench: BenchResults) throws(CorpusError) {
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw failure(directory, error)
        }
        try put(StyleSheet.text, "style.css")
        try put(RatioChart(bench).text, "bench.svg")
        try put(BenchMarkdown(bench).text, "bench.md")
        try BenchStore.write(bench, to: directory + "/bench.json")
        let results = directory + "/results.json"
        guard FileManager.default.fileExists(atPath: results) else {
            return try put(Pages([.bench]).bench(BenchPage(bench)), "bench.html")
        }
        try write(ResultStore.read(results))
    }

    private func put(_ text: String, _ name: String) throws(CorpusError) {
        let path = "\(directory)/\(name)"
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        } catch {
            throw failure(path, error)
        }
    }

    private func failure(_ path: String, _ error: any Error) -> CorpusError {
        CorpusError(
            .store, path, "cannot be written: \((error as NSError).localizedDescription)",
            remedy: "check the folder's permissions and the disk's free space")
    }
}
