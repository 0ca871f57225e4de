package import LinuxABI

/// Compares the runs of one case.
package struct Comparison: Sendable {
    package struct Options: Sendable {
        /// The most divergences that are kept in full.
        package var maximumDivergences = 200
        /// Lines shown before and after a divergence.
        package var contextLines = 6
        /// Whether a divergence is known from elsewhere: of several native runs the one that leaves the fewest unknown ones
        /// is compared with.
        package var isKnown: @Sendable (Divergence) -> Bool = { _ in false }

        package init() {}
    }

    package var options: Options
    let table: SyscallTable

    package init(table: SyscallTable = .x86_64, options: Options = Options()) {
        self.table = table
        self.options = options
    }

    /// Says how the sandboxed runs differ from what the native runs agree on.
    ///
    /// Memory holds the canonical form of all runs, in which repeated events share their description; trace files are read
    /// as streams.
    /// - Throws: `TraceError` if a trace can't be read.
    package func compare(native: [RunRecord], sandbox: [RunRecord]) throws -> CaseDifference {
        guard !native.isEmpty, !sandbox.isEmpty, native.contains(where: { $0.ending.isEnd }) else {
            return CaseDifference(verdict: .invalid)
        }
        // One that ended by itself is the better reference.
        let native = native.filter(\.ending.isEnd) + native.filter { !$0.ending.isEnd }
        let interner = Interner()
        let natives = try native.map { try canonical($0, interner) }
        let sandboxes = try sandbox.map { try canonical($0, interner) }
        var best: (difference: CaseDifference, open: Int)?
        for place in natives.indices {
            let reference = natives[place]
            let others = natives.indices.filter { $0 != place }.map { natives[$0] }
            let found = compare(reference, others, sandboxes, native, sandbox, interner)
            if found.open < best?.open ?? .max { best = found }
            // Every native run is one that Linux allows: where the sandbox does as one of them, it does right. Long ones
            // are compared with the first only, which takes long enough.
            if found.open == 0 || reference.eventCount > Self.longTrace { break }
        }
        return best?.difference ?? CaseDifference(verdict: .invalid)
    }

    /// Events of a trace that is compared with one reference only.
    private static let longTrace = 100_000

    /// Compares with one native run, and says how many divergences nothing explains.
    private func compare(
        _ reference: CanonicalTrace, _ others: [CanonicalTrace], _ sandboxes: [CanonicalTrace], _ native: [RunRecord],
        _ sandbox: [RunRecord], _ interner: Interner
    ) -> (difference: CaseDifference, open: Int) {
        var envelope = Envelope(reference)
        for run in others { envelope.widen(reference, by: run, interner) }
        let traces = TraceComparison(interner: interner, reference: reference, envelope: envelope, options: options)
        var found: [Divergence] = []
        var statistics = ComparisonStatistics()
        var calls = counts(reference, interner, \.native)
        for (index, (trace, run)) in zip(sandboxes, sandbox).enumerated() {
            let result = compare(traces, trace, run)
            var outcomes = Outcomes()
            outcomes.compare(native: native, sandbox: run)
            merge(result.divergences + outcomes.divergences, into: &found)
            guard index == 0 else { continue }
            statistics = self.statistics(reference, trace, envelope, result.aligned)
            for (name, count) in counts(trace, interner, \.sandbox) {
                calls[name, default: CallStatistics()].sandbox = count.sandbox
            }
        }
        let open = found.count { !$0.cause.isExplained && !options.isKnown($0) }
        return (finish(found, calls, statistics), open)
    }

    private func canonical(_ run: RunRecord, _ interner: Interner) throws -> CanonicalTrace {
        try Canonicalizer.canonical(run.events, interner, table: table, aliases: run.aliases)
    }

    /// Compares the traces if both sides have one.
    private func compare(_ traces: TraceComparison, _ trace: CanonicalTrace, _ run: RunRecord) -> TraceComparison.Result
    {
        if traces.reference.eventCount == 0 { return TraceComparison.Result() }
        guard trace.eventCount > 0 else {
            let kind: DivergenceClass = run.ending.isEnd ? .missingCall : .crash
            let lost = Divergence(
                kind: kind, cause: .bug, field: "trace",
                explanation: "the sandbox wrote no trace; natively there are \(traces.reference.eventCount) events")
            return TraceComparison.Result(divergences: [lost])
        }
        return traces.compare(trace, ending: run.ending)
    }

    /// Adds what another sandboxed run shows. The same divergence at the same place is counted, not repeated.
    private func merge(_ new: [Divergence], into found: inout [Divergence]) {
        let places = Dictionary(
            found.indices.map { (found[$0].identity, $0) }, uniquingKeysWith: { first, _ in first })
        let known = found.count
        var counted: Set<Int> = []
        for divergence in new {
            if let index = places[divergence.identity], index < known, counted.insert(index).inserted {
                found[index].seenIn += 1
            } else {
                found.append(divergence)
            }
        }
    }

    private func counts(
        _ trace: CanonicalTrace, _ interner: Interner, _ side: WritableKeyPath<CallStatistics, Int>
    ) -> [String: CallStatistics] {
        var calls: [String: CallStatistics] = [:]
        for (name, count) in trace.calls {
            calls[interner.text(name), default: CallStatistics()][keyPath: side] = count
        }
        return calls
    }

    private func statistics(
        _ native: CanonicalTrace, _ sandbox: CanonicalTrace, _ envelope: Envelope, _ aligned: Int
    ) -> ComparisonStatistics {
        var statistics = ComparisonStatistics()
        statistics.nativeEvents = native.eventCount
        statistics.sandboxEvents = sandbox.eventCount
        statistics.nativeThreads = native.threads.count
        statistics.sandboxThreads = sandbox.threads.count
        statistics.aligned = aligned
        statistics.maskedFields = envelope.maskedFields
        return statistics
    }

    private func finish(
        _ found: [Divergence], _ calls: [String: CallStatistics], _ statistics: ComparisonStatistics
    ) -> CaseDifference {
        var counts: [String: Int] = [:]
        var calls = calls
        for divergence in found {
            counts[divergence.kind.rawValue, default: 0] += 1
            guard let call = divergence.call, calls[call] != nil else { continue }
            calls[call]?.divergences += 1
            if divergence.kind == .unimplemented { calls[call]?.unimplemented += 1 }
        }
        let first = Causality.first(found)
        // The first causal one is always among those that are kept.
        var kept = Array(found.prefix(options.maximumDivergences))
        var place = first
        if let first, first >= kept.count, !kept.isEmpty {
            kept[kept.count - 1] = found[first]
            place = kept.count - 1
        }
        return CaseDifference(
            verdict: verdict(found), divergences: kept, firstCausal: place, counts: counts, calls: calls,
            statistics: statistics)
    }

    private func verdict(_ found: [Divergence]) -> DifferenceVerdict {
        // A thread that dies or stops on the way is one thing; the whole run's end is what the verdict is about.
        let ends = found.filter { $0.thread.isEmpty }
        if ends.contains(where: { $0.kind == .crash }) { return .crash }
        if ends.contains(where: { $0.kind == .hang }) { return .hang }
        if found.isEmpty { return .same }
        return found.allSatisfy(\.cause.isExplained) ? .explained : .different
    }
}

extension Divergence {
    /// What two runs must share to show the same thing.
    fileprivate var identity: [String?] {
        [
            kind.rawValue, thread, call, field, native, sandbox,
            nativePosition.map { "\($0.index)" },
        ]
    }
}

extension RunEnding {
    /// Whether the first process came to its end.
    var isEnd: Bool {
        if case .ended = self { true } else { false }
    }
}
