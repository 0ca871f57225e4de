internal import Corpus
internal import Diff
internal import Expect

/// What `index.html` shows. Property names are the templates' variables.
struct OverviewPage {
    struct Outcome {
        let name: String
        let count: String
        let meaning: String
        /// Of all runs, in percent, for the bar.
        let share: String
        let isPresent: Bool
    }

    struct Family {
        let name: String
        let runs: String
        let counts: [Count]
    }

    struct Count {
        let outcome: String
        let text: String
        let isZero: Bool
    }

    struct Kind {
        let name: String
        let meaning: String
        let count: String
        let rows: [Found]
        /// Long lists are folded.
        let isOpen: Bool
    }

    /// The divergences of one class in the variants of one case.
    struct Found {
        let name: String
        let variants: [Variant]
        let place: String
        let explanation: String
        let native: [LineSegment]
        let sandbox: [LineSegment]
        let hasNative: Bool
        let hasSandbox: Bool
        let more: String?
        /// Why it is expected, if it is.
        let expectation: String?
    }

    struct Variant {
        let variant: String
        let link: String
    }

    struct Case {
        let title: String
        let link: String
        let outcome: String
        let remark: String
    }

    struct Skip {
        let reason: String
        let cases: String
    }

    struct Stale {
        let line: Int
        let text: String
    }

    let root = ""
    let title = "Apus: compatibility report"
    let verdict: String
    let date: String
    let host: String
    let duration: String
    let outcomes: [Outcome]
    let outcomeNames: [String]
    let families: [Family]
    let total: Family
    let kinds: [Kind]
    let hasKinds: Bool
    let calls: CallsSummary
    let cases: [Case]
    let skips: [Skip]
    let hasSkips: Bool
    let errors: [String]
    let hasErrors: Bool
    let stale: [Stale]
    let hasStale: Bool

    init(_ results: Results, _ coverage: Coverage) {
        verdict = Words.verdict(results)
        date = Words.date(results.date)
        host = Words.host(results)
        duration = Words.seconds(Int(results.seconds * 1000))
        let all = max(1, results.cases.count)
        outcomes = CaseResult.Outcome.allCases.map { outcome in
            let count = results.count(outcome)
            let share = Double(count) * 100 / Double(all)
            return Outcome(
                name: outcome.rawValue, count: Words.grouped(count), meaning: Words.meaning(outcome),
                share: String(Double(Int(share * 100)) / 100), isPresent: count > 0)
        }
        outcomeNames = CaseResult.Outcome.allCases.map(\.rawValue)
        families = Words.families(results).map { Self.family($0.name, $0.cases) }
        total = Self.family("all", results.cases)
        kinds = Self.kinds(results)
        hasKinds = !kinds.isEmpty
        calls = CallsSummary(coverage)
        cases = results.cases.map { result in
            Case(
                title: result.title, link: "cases/\(CasePage.fileName(result))", outcome: result.outcome.rawValue,
                remark: result.summary)
        }
        let skipped = Dictionary(grouping: results.cases.filter { $0.outcome == .skipped }) { $0.reason ?? "" }
        skips = skipped.sorted { $0.key < $1.key }.map { reason, cases in
            Skip(reason: reason, cases: cases.map(\.title).joined(separator: ", "))
        }
        hasSkips = !skips.isEmpty
        errors = results.errors
        hasErrors = !errors.isEmpty
        stale = results.stale.map { entry in
            let parts = [entry.pattern, entry.variant, entry.kind.rawValue, entry.call, entry.field]
            return Stale(
                line: entry.line, text: parts.compactMap(\.self).joined(separator: " · ") + ": " + entry.reason)
        }
        hasStale = !stale.isEmpty
    }

    private static func family(_ name: String, _ cases: [CaseResult]) -> Family {
        Family(
            name: name, runs: Words.grouped(cases.count),
            counts: CaseResult.Outcome.allCases.map { outcome in
                let count = cases.count { $0.outcome == outcome }
                return Count(outcome: outcome.rawValue, text: Words.grouped(count), isZero: count == 0)
            })
    }

    private static func kinds(_ results: Results) -> [Kind] {
        DivergenceClass.allCases.compactMap { kind in
            let cases = results.cases.filter { $0.difference?.counts[kind.rawValue] ?? 0 > 0 }
            guard !cases.isEmpty else { return nil }
            var order: [String] = []
            var groups: [String: [CaseResult]] = [:]
            for result in cases {
                let divergence = result.difference?.divergences.first { $0.kind == kind }
                // Variants that differ in the same place are one finding; the place is empty if none was kept.
                let key = [result.id, divergence.map(Words.place), divergence?.native].map { $0 ?? "" }
                    .joined(separator: "\n")
                if groups[key] == nil { order.append(key) }
                groups[key, default: []].append(result)
            }
            let count = cases.compactMap { $0.difference?.counts[kind.rawValue] }.reduce(0, +)
            let rows = order.compactMap { groups[$0].flatMap { found(kind, $0) } }
            return Kind(
                name: kind.rawValue, meaning: Words.meaning(kind),
                count: "\(Words.grouped(count)) in \(Words.count(cases.count, "run"))", rows: rows,
                isOpen: rows.count <= 12)
        }
    }

    private static func found(_ kind: DivergenceClass, _ variants: [CaseResult]) -> Found? {
        guard let result = variants.first, let difference = result.difference else { return nil }
        let place = difference.divergences.firstIndex { $0.kind == kind }
        let divergence = place.map { difference.divergences[$0] }
        let sides = LineMarks.pair(divergence?.native, divergence?.sandbox)
        let number = difference.counts[kind.rawValue] ?? 1
        return Found(
            name: result.id,
            variants: variants.map { result in
                let index = result.difference?.divergences.firstIndex { $0.kind == kind }
                let anchor = index.map { "#d\($0 + 1)" } ?? ""
                return Variant(variant: result.variant, link: "cases/\(CasePage.fileName(result))\(anchor)")
            },
            place: divergence.map(Words.place) ?? "", explanation: divergence?.explanation ?? "only counted",
            native: LineMarks.shortened(sides.native), sandbox: LineMarks.shortened(sides.sandbox),
            hasNative: divergence?.native != nil,
            hasSandbox: divergence?.sandbox != nil,
            more: number > 1 ? "and \(Words.grouped(number - 1)) more" : nil,
            expectation: result.judgement?.expected.first { $0.divergence == place }?.reason)
    }
}
