internal import Bench
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
        let place: String
        let text: String
    }

    let root = ""
    let title = "Apus: compatibility report"
    let verdict: String
    let visible: String
    let date: String
    let host: String
    let duration: String
    let outcomes: [Outcome]
    let outcomeNames: [String]
    let families: [Family]
    let total: Family
    let kinds: [DivergenceLists.Kind]
    let hasKinds: Bool
    let expected: [DivergenceLists.Group]
    let hasExpected: Bool
    let explained: [DivergenceLists.Group]
    let hasExplained: Bool
    let calls: CallsSummary
    let cases: [Case]
    let skips: [Skip]
    let hasSkips: Bool
    let errors: [String]
    let hasErrors: Bool
    let stale: [Stale]
    let hasStale: Bool
    /// What the benchmark says, if it has been run.
    let speed: String
    let hasSpeed: Bool

    init(_ results: Results, _ coverage: Coverage, _ bench: BenchResults? = nil) {
        verdict = Words.verdict(results)
        visible = Words.visible(results)
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
        let lists = DivergenceLists(results)
        kinds = lists.kinds
        hasKinds = !kinds.isEmpty
        expected = lists.expected
        hasExpected = !expected.isEmpty
        explained = lists.explained
        hasExplained = !explained.isEmpty
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
            Stale(place: Words.place(entry), text: "\(Words.subject(entry)): \(entry.reason)")
        }
        hasStale = !stale.isEmpty
        speed = bench.map(BenchPage.verdict) ?? ""
        hasSpeed = bench != nil
    }

    private static func family(_ name: String, _ cases: [CaseResult]) -> Family {
        Family(
            name: name, runs: Words.grouped(cases.count),
            counts: CaseResult.Outcome.allCases.map { outcome in
                let count = cases.count { $0.outcome == outcome }
                return Count(outcome: outcome.rawValue, text: Words.grouped(count), isZero: count == 0)
            })
    }
}
