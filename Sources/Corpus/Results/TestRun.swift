internal import Foundation
internal import Synchronization

/// A whole run of the corpus.
package final class TestRun: Sendable {
    package struct Options: Sendable {
        package var jobs = 2
        package var runner = CaseRunner.Options()
        package var variants = BuildVariant.allCases
        /// Whether a case that fails is run once more, alone, when all others are done.
        package var repeatsFailures = true
        /// Cases whose title it does not accept are left out.
        package var isWanted: @Sendable (String) -> Bool = { _ in true }

        package init() {}
    }

    private let paths: CorpusPaths
    private let launcher: SandboxLauncher
    private let options: Options
    /// The results without cases, once the run has begun.
    private let header = Mutex<Results?>(nil)
    private let finished = Finished()
    private let start = ContinuousClock.now

    package init(paths: CorpusPaths, launcher: SandboxLauncher, options: Options) {
        self.paths = paths
        self.launcher = launcher
        self.options = options
    }

    /// Runs the cases below some paths (all, if there are none). `progress` is called for each finished case, one at a
    /// time, with how many are done and how many there are, and again for each that was run a second time. Throws if the corpus, its build directory or its
    /// expectations can't be used at all.
    package func run(
        _ wanted: [String], progress: @escaping @Sendable (CaseResult, Int, Int) -> Void
    ) throws -> Results {
        let lock = try BuildLock(paths)
        defer { withExtendedLifetime(lock) {} }
        // What a run left that was killed.
        try? FileManager.default.removeItem(atPath: paths.stage)
        let found = try Discovery(root: paths.root).find(wanted)
        let all = CaseJob.all(of: found.cases, variants: BuildVariant.allCases)
        let jobs = CaseJob.all(of: found.cases, variants: options.variants).filter { options.isWanted($0.id) }
        let runner = try CaseRunner(paths: paths, launcher: launcher, options: options.runner)
        var results = Results(
            date: Date().formatted(.iso8601), host: HostFacts.current())
        results.errors = found.errors.map(\.description)
        results.support = try SyscallSupport.query(launcher)
        header.withLock { $0 = results }
        Workers(options.jobs).run(Array(jobs.enumerated())) { [finished] index, job in
            let result = runner.run(job)
            finished.add(result, at: index) { count in progress(result, count, jobs.count) }
        }
        if options.repeatsFailures { runAgain(jobs, runner, progress) }
        results.cases = finished.inOrder
        // Of a part of the corpus it can't be said that an expectation is of no use.
        if wanted.isEmpty, jobs.count == all.count { results.stale = runner.stale(after: results.cases) }
        results.seconds = elapsed
        return results
    }

    /// Runs what has failed once more, with the machine to itself: what chance decides is told from what the sandbox does.
    private func runAgain(
        _ jobs: [CaseJob], _ runner: CaseRunner, _ progress: @escaping @Sendable (CaseResult, Int, Int) -> Void
    ) {
        let first = finished.inOrder
        let failed = zip(jobs, first).enumerated().filter { $0.element.1.isWorthAnother }
        Workers(1).run(Array(failed)) { [finished] index, pair in
            let result = pair.1.joined(with: runner.run(pair.0, isRepeated: true))
            finished.add(result, at: index) { count in progress(result, count, jobs.count) }
        }
    }

    /// What there is so far, from any thread; nil before the first case has begun.
    package func soFar() -> Results? {
        guard var results = header.withLock({ $0 }) else { return nil }
        results.cases = finished.inOrder
        results.seconds = elapsed
        return results
    }

    private var elapsed: Double { Double((ContinuousClock.now - start).milliseconds) / 1000 }

    /// Results as they come, in the order of the jobs in the end.
    private final class Finished: Sendable {
        private let results = Mutex<[Int: CaseResult]>([:])

        func add(_ result: CaseResult, at index: Int, _ report: (Int) -> Void) {
            results.withLock { results in
                results[index] = result
                report(results.count)
            }
        }

        var inOrder: [CaseResult] {
            results.withLock { results in results.sorted { $0.key < $1.key }.map(\.value) }
        }
    }
}
