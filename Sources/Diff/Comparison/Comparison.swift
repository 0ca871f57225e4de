package import LinuxABI

/// Compares the runs of one case.
package struct Comparison: Sendable {
    package struct Options: Sendable {
        /// The most divergences that are kept in full.
        package var maximumDivergences = 200
        /// Lines shown before and after a divergence.
        package var contextLines = 6

        package init() {}
    }

    package var options: Options
    let table: SyscallTable

    package init(table: SyscallTable = .x86_64, options: Options = Options()) {
        self.table = table
        self.options = options
    }

    /// Says how the sandboxed runs differ from what the native runs agree on.
    /// - Throws: `TraceError` if a trace can't be read.
    package func compare(native: [RunRecord], sandbox: [RunRecord]) throws -> CaseDifference {
        guard !native.isEmpty, !sandbox.isEmpty, native.contains(where: { $0.ending.isEnd }) else {
            return CaseDifference(verdict: .invalid)
        }
        var found: [Divergence] = []
        for run in sandbox {
            var outcomes = Outcomes()
            outcomes.compare(native: native, sandbox: run)
            merge(outcomes.divergences, into: &found)
        }
        return finish(found)
    }

    /// Adds what another sandboxed run shows. The same divergence at the same place is counted, not repeated.
    private func merge(_ new: [Divergence], into found: inout [Divergence]) {
        for divergence in new {
            if let index = found.firstIndex(where: { $0.isSame(as: divergence) }) {
                found[index].seenIn += 1
            } else {
                found.append(divergence)
            }
        }
    }

    private func finish(_ found: [Divergence]) -> CaseDifference {
        var counts: [String: Int] = [:]
        for divergence in found { counts[divergence.kind.rawValue, default: 0] += 1 }
        let verdict: DifferenceVerdict =
            if found.contains(where: { $0.kind == .crash }) {
                .crash
            } else if found.contains(where: { $0.kind == .hang }) {
                .hang
            } else if found.isEmpty {
                .same
            } else {
                found.allSatisfy(\.cause.isExplained) ? .explained : .different
            }
        return CaseDifference(
            verdict: verdict, divergences: Array(found.prefix(options.maximumDivergences)),
            firstCausal: found.firstIndex { !$0.cause.isExplained }, counts: counts)
    }
}

extension Divergence {
    /// Whether two runs show the same thing.
    func isSame(as other: Divergence) -> Bool {
        kind == other.kind && thread == other.thread && call == other.call && field == other.field
            && native == other.native && nativePosition == other.nativePosition
    }
}

extension RunEnding {
    /// Whether the first process came to its end.
    var isEnd: Bool {
        if case .ended = self { true } else { false }
    }
}
