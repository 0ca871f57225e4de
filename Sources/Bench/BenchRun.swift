package import Corpus
internal import Foundation
internal import Synchronization

/// Measures operations on all sides, round by round: in each round every operation is made natively, in the sandbox and by
/// what else takes part, one right after the other, so that what slows the machine for a while slows all of them.
package final class BenchRun: Sendable {
    package struct Options: Sendable {
        package var operations = Operation.all
        package var rounds = 5
        package var bindings: [Binding] = [.all]
        /// Names of other runtimes.
        package var others: [String] = []
        /// What one measurement may take, in seconds: beyond it, it is ended and counts as failed.
        package var limit = 60
        /// The sandbox's platform; nil for its own choice.
        package var platform: String?
        /// Milliseconds for each measurement of a call.
        package var milliseconds = 200
        /// Seconds after which nothing is measured for the second time or more; nil for no such thing.
        package var budget: Double?

        package init() {}
    }

    private struct Place: Hashable {
        let operation: String
        let runtime: String
        let binding: Binding
    }

    private let options: Options
    private let rig: Rig
    private let runtimes: [Runtime]
    private let results: Mutex<BenchResults>
    private let progress: @Sendable (String) -> Void
    private let clock = ContinuousClock()
    private let begun: ContinuousClock.Instant

    /// Lays everything out. `program` is the built bench program, `apus` the command that starts the sandbox. Messages for
    /// the user go to `complain`, what is done next to `progress`.
    package init(
        program: String, apus: String, options: Options, complain: @escaping @Sendable (String) -> Void,
        progress: @escaping @Sendable (String) -> Void
    ) throws(CorpusError) {
        let clock = ContinuousClock()
        begun = clock.now
        self.options = options
        self.progress = progress
        let place = NSTemporaryDirectory() as NSString
        var fixtures = Fixtures(folder: place.appendingPathComponent("apus-bench-\(UUID().uuidString.prefix(8))"))
        // The port is taken for a moment only, and may be gone again: then the server's measurement fails, and says so.
        let port = try? HostProgram.output(of: [program, "port"])
        fixtures.port = port.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) } ?? 0
        try fixtures.prepare()
        let copy = fixtures.path("bench")
        do {
            try FileManager.default.copyItem(atPath: program, toPath: copy)
        } catch {
            fixtures.remove()
            throw CorpusError(.stage, copy, "cannot be copied: \(error)", remedy: "check the disk's free space")
        }
        rig = Rig(
            program: copy, fixtures: fixtures, seconds: options.limit, milliseconds: options.milliseconds,
            complain: complain)
        let rig = rig
        runtimes =
            [.native, .sandbox(apus: apus, platform: options.platform)]
            + options.others.compactMap(Runtime.other).map { Self.tried($0, rig) }
        results = Mutex(
            BenchResults(
                date: Date.now.formatted(.iso8601), host: .current(), model: Self.model, load: Self.load,
                bindings: options.bindings, runtimes: runtimes))
    }

    deinit { cleanUp() }

    /// Removes what was laid out: for those who leave without the end of this object.
    package func cleanUp() { rig.fixtures.remove() }

    /// What has been measured so far.
    package var soFar: BenchResults { results.withLock { $0 } }

    /// All rounds.
    package func run() -> BenchResults {
        progress("looking at what there is")
        var rows = options.operations.map(BenchResults.Row.init)
        for (index, operation) in options.operations.enumerated() { rows[index].skipped = obstacle(to: operation) }
        results.withLock { [rows] in $0.rows = rows }
        warmUp()
        for round in 0..<options.rounds {
            let isWhole = measure(round, "round \(round + 1) of \(options.rounds)", only: nil)
            results.withLock { results in
                if isWhole { results.rounds = round + 1 }
                results.seconds = (clock.now - begun) / .seconds(1)
            }
            if !isWhole { break }
        }
        return soFar
    }

    /// Further rounds of some operations.
    package func more(_ rounds: Int, of names: Set<String>) -> BenchResults {
        for round in 0..<rounds { _ = measure(round, "once more", only: names) }
        return results.withLock { results in
            results.seconds = (clock.now - begun) / .seconds(1)
            return results
        }
    }

    /// Programs are read from the disk once before they are measured; one that natively fails is not measured at all.
    private func warmUp() {
        for (index, operation) in options.operations.enumerated() where soFar.rows[index].skipped == nil {
            switch operation.work {
            case .call, .idle: continue
            case .life, .server: break
            }
            progress("warming up: \(operation.name)")
            do throws(MeasuringFailure) {
                _ = try rig.figure(operation, .native, .all)
            } catch {
                results.withLock { results in
                    results.rows[index].skipped = "does not run natively"
                    results.failures.append(
                        .init(
                            operation: operation.name, runtime: Runtime.nativeName, binding: .all, text: error.text))
                }
            }
        }
    }

    /// One round.
    /// - Returns: false if there was no time for all of it.
    private func measure(_ round: Int, _ title: String, only names: Set<String>?) -> Bool {
        for (index, operation) in options.operations.enumerated() {
            guard names?.contains(operation.name) ?? true, soFar.rows[index].skipped == nil else { continue }
            let elapsed = (clock.now - begun) / .seconds(1)
            if names == nil, round > 0, let budget = options.budget, elapsed > budget { return false }
            progress("\(title): \(operation.name)")
            for binding in options.bindings {
                for runtime in sides(of: operation, round) { measure(operation, index, runtime, binding) }
            }
        }
        return true
    }

    /// In turn each goes first: who does, finds the processor in another state than who follows.
    private func sides(of operation: Operation, _ round: Int) -> [Runtime] {
        var sides = runtimes.filter { $0.skipped == nil }
        if case .idle = operation.work { sides.removeAll { $0 == .native } }
        let first = round % sides.count
        return Array(sides[first...] + sides[..<first])
    }

    private func measure(_ operation: Operation, _ index: Int, _ runtime: Runtime, _ binding: Binding) {
        let place = Place(operation: operation.name, runtime: runtime.name, binding: binding)
        // What failed once, and perhaps took a minute for that, is not tried in the other rounds.
        let failed = soFar.failures.contains {
            Place(operation: $0.operation, runtime: $0.runtime, binding: $0.binding) == place
        }
        var figure: Double?
        if !failed {
            do throws(MeasuringFailure) {
                figure = try rig.figure(operation, runtime, binding)
            } catch {
                let failure = BenchResults.Failure(
                    operation: operation.name, runtime: runtime.name, binding: binding, text: error.text)
                results.withLock { $0.failures.append(failure) }
            }
        }
        results.withLock { [figure] in $0.rows[index].append(figure, runtime.name, binding) }
    }

    /// Why an operation can't be measured; nil if it can.
    private func obstacle(to operation: Operation) -> String? {
        for need in operation.needs where HostProgram.find(need.program, in: Fixtures.searchPath) == nil {
            return "needs \(need.program) (apt-get install \(need.package))"
        }
        guard case .server = operation.work else { return nil }
        guard rig.fixtures.port > 0 else { return "this host has no AF_INET" }
        do throws(MeasuringFailure) {
            _ = try rig.output(runtimes[1].command([rig.program, "port"]), .all)
            return nil
        } catch {
            return "the sandbox offers no AF_INET"
        }
    }

    /// A runtime, with the reason if it can't take part.
    static func tried(_ runtime: Runtime, _ rig: Rig) -> Runtime {
        var runtime = runtime
        if !runtime.isInstalled {
            runtime.skipped = "is not installed"
        } else {
            do throws(MeasuringFailure) {
                _ = try rig.output(runtime.command(["/bin/true"]), .all)
            } catch {
                runtime.skipped = "does not run here: \(error.text)"
            }
        }
        return runtime
    }

    private static var model: String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces) ?? ""
    }

    private static var load: Double {
        let text = (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8)) ?? ""
        return text.split(separator: " ").first.flatMap { Double($0) } ?? 0
    }
}
