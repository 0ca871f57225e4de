internal import Foundation

/// Reads and writes `results.json`.
package enum ResultStore {
    package static func write(_ results: Results, to path: String) throws(CorpusError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            try encoder.encode(results).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw CorpusError(
                .store, path, "cannot be written: \((error as NSError).localizedDescription)",
                remedy: "check the folder's permissions and the disk's free space")
        }
    }

    package static func read(_ path: String) throws(CorpusError) -> Results {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw CorpusError(.store, path, "there are no results", remedy: "run 'apus test' first")
        }
        struct Version: Decodable {
            let version: Int
        }
        let decoder = JSONDecoder()
        guard let found = try? decoder.decode(Version.self, from: bytes) else {
            throw CorpusError(.store, path, "these are no results of apus", remedy: "run 'apus test' again")
        }
        guard found.version == Results.currentVersion else {
            throw CorpusError(
                .store, path, "results of version \(found.version); this program reads \(Results.currentVersion)",
                remedy: "use the other apus, or run 'apus test' again")
        }
        do {
            return try decoder.decode(Results.self, from: bytes)
        } catch {
            throw CorpusError(.store, path, "is damaged: \(error)", remedy: "run 'apus test' again")
        }
    }
}
