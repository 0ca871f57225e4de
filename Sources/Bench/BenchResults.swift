package import Corpus
internal import Foundation

/// All that a run has measured: what `bench.json` holds, and what tables, chart and page are made from.
package struct BenchResults: Sendable, Codable {
    /// The version of the store that this code writes and reads.
    package static let currentVersion = 1

    package var version = BenchResults.currentVersion
    /// When the run began, as ISO 8601 in UTC.
    package var date: String
    package var seconds = 0.0
    package var host: HostFacts
    /// The processor's name.
    package var model: String
    /// The load average when the run began: a busy machine's figures scatter.
    package var load: Double
    package var rounds = 0
    package var bindings: [Binding]
    /// Natively, in the sandbox, and others that were asked for.
    package var runtimes: [Runtime]
    package var rows: [Row] = []
    package var failures: [Failure] = []

    /// One operation.
    package struct Row: Sendable, Codable {
        package var name: String
        package var title: String
        package var measure: Operation.Measure
        package var target: Bound<Double>
        /// Why there are no figures at all.
        package var skipped: String?
        package var series: [Series] = []

        package init(_ operation: Operation) {
            name = operation.name
            title = operation.title
            measure = operation.measure
            target = operation.target
        }
    }

    /// The figures of one operation on one side, by round: nanoseconds, or bytes; nil where there is none.
    package struct Series: Sendable, Codable {
        package var runtime: String
        package var binding: Binding
        package var figures: [Double?] = []

        package init(runtime: String, binding: Binding, figures: [Double?] = []) {
            self.runtime = runtime
            self.binding = binding
            self.figures = figures
        }
    }

    /// A figure that could not be had.
    package struct Failure: Sendable, Codable, Hashable {
        package var operation: String
        package var runtime: String
        package var binding: Binding
        package var text: String

        package init(operation: String, runtime: String, binding: Binding, text: String) {
            self.operation = operation
            self.runtime = runtime
            self.binding = binding
            self.text = text
        }
    }

    package init(
        date: String, host: HostFacts, model: String = "", load: Double = 0, bindings: [Binding], runtimes: [Runtime]
    ) {
        self.date = date
        self.host = host
        self.model = model
        self.load = load
        self.bindings = bindings
        self.runtimes = runtimes
    }

    /// The other runtimes that took part.
    package var others: [Runtime] {
        runtimes.filter {
            $0.skipped == nil && $0.name != Runtime.nativeName && $0.name != Runtime.sandboxName
        }
    }

    /// Of the targets, how many were measured, and how many met.
    package func targets(_ binding: Binding) -> (met: Int, measured: Int) {
        let standings = rows.compactMap { $0.meetsTarget(binding) }
        return (standings.count(where: \.self), standings.count)
    }
}

extension BenchResults.Row {
    package func figures(_ runtime: String, _ binding: Binding) -> [Double?] {
        series.first { $0.runtime == runtime && $0.binding == binding }?.figures ?? []
    }

    package mutating func append(_ figure: Double?, _ runtime: String, _ binding: Binding) {
        let index = series.firstIndex { $0.runtime == runtime && $0.binding == binding }
        if let index {
            series[index].figures.append(figure)
        } else {
            series.append(.init(runtime: runtime, binding: binding, figures: [figure]))
        }
    }

    /// Nanoseconds, or bytes.
    package func spread(_ runtime: String, _ binding: Binding) -> Spread? {
        Spread(figures(runtime, binding).compactMap(\.self))
    }

    /// To native, each round by itself: what slows the machine for a while slows both.
    package func ratio(_ runtime: String = Runtime.sandboxName, _ binding: Binding) -> Spread? {
        let pairs = zip(figures(Runtime.nativeName, binding), figures(runtime, binding))
        return Spread(pairs.compactMap { native, other in native.flatMap { native in other.map { $0 / native } } })
    }

    /// What the target speaks of.
    package func judged(_ binding: Binding) -> Spread? {
        switch measure {
        case .ratio: ratio(Runtime.sandboxName, binding)
        case .milliseconds, .megabytes:
            Spread(figures(Runtime.sandboxName, binding).compactMap { $0.map { $0 / 1e6 } })
        }
    }

    /// Nil if there is no target, or no figure.
    package func meetsTarget(_ binding: Binding) -> Bool? {
        guard let target = target[binding], let found = judged(binding) else { return nil }
        return found.median <= target
    }
}

/// Reads and writes `bench.json`.
package enum BenchStore {
    package static func write(_ results: BenchResults, to path: String) throws(CorpusError) {
        try JSONFile.write(results, to: path)
    }

    package static func read(_ path: String) throws(CorpusError) -> BenchResults {
        try JSONFile.read(path, version: BenchResults.currentVersion, made: "apus bench --json \(path)")
    }
}

/// Files of JSON with a version.
enum JSONFile {
    static func write(_ value: some Encodable, to path: String) throws(CorpusError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            try (encoder.encode(value) + Data("\n".utf8)).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw CorpusError(
                .store, path, "cannot be written: \((error as NSError).localizedDescription)",
                remedy: "check the folder's permissions and the disk's free space")
        }
    }

    private struct Version: Decodable {
        let version: Int
    }

    /// `made` is the command that makes such a file.
    static func read<Value: Decodable>(_ path: String, version: Int, made: String) throws(CorpusError) -> Value {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw CorpusError(.store, path, "is not there", remedy: "make it with '\(made)'")
        }
        guard let found = try? JSONDecoder().decode(Version.self, from: bytes), found.version == version else {
            throw CorpusError(
                .store, path, "is of another version, or something else", remedy: "make it with '\(made)'")
        }
        do {
            return try JSONDecoder().decode(Value.self, from: bytes)
        } catch {
            throw CorpusError(.store, path, "is damaged: \(error)", remedy: "make it with '\(made)'")
        }
    }
}
