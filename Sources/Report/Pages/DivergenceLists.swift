internal import Corpus
internal import Diff
internal import Expect

/// The overview's lists of divergences: what is open by class, what is expected by reason, what explains itself by cause.
/// Only divergences that the store has kept are in them.
struct DivergenceLists {
    struct Kind {
        let name: String
        let meaning: String
        let count: String
        let rows: [Found]
        /// Long lists are folded.
        let isOpen: Bool
    }

    /// The open divergences of one class at one place, in the variants of one case.
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
    }

    struct Variant {
        let variant: String
        let link: String
    }

    /// Divergences for one reason or cause.
    struct Group {
        let heading: String
        let place: String
        let text: String
        let count: String
        let example: Variant
    }

    let kinds: [Kind]
    let expected: [Group]
    let explained: [Group]

    private static let unfolded = 12
    /// Groups of explained divergences that are shown: the most frequent ones.
    private static let groups = 60

    init(_ results: Results) {
        kinds = DivergenceClass.allCases.compactMap { Self.kind($0, results) }
        let all = results.cases.flatMap { result in
            (result.difference?.divergences ?? []).enumerated().map { index, divergence in
                Item(result: result, index: index, divergence: divergence, standing: result.standing(of: index))
            }
        }
        expected = Self.groups(all.filter { $0.standing.reason != nil }) { item in
            (item.standing.reason ?? "", "\(item.divergence.kind.rawValue) \(Words.place(item.divergence))")
        }
        explained = Self.groups(all.filter { $0.standing == .explained }) { item in
            (item.divergence.cause.rawValue, "\(item.divergence.kind.rawValue) \(Words.place(item.divergence))")
        }
    }

    private struct Item {
        let result: CaseResult
        let index: Int
        let divergence: Divergence
        let standing: CaseResult.Standing

        var link: Variant {
            Variant(variant: result.title, link: "cases/\(CasePage.fileName(result))#d\(index + 1)")
        }
    }

    private static func groups(_ items: [Item], by key: (Item) -> (heading: String, place: String)) -> [Group] {
        let groups = Dictionary(grouping: items) { item in
            let (heading, place) = key(item)
            return [heading, place]
        }
        let rows = groups.compactMap { names, items -> (runs: Int, group: Group)? in
            guard let first = items.first else { return nil }
            let runs = Set(items.map(\.result.title)).count
            let group = Group(
                heading: names[0], place: names[1], text: first.divergence.explanation,
                count: Words.count(runs, "run"), example: first.link)
            return (runs, group)
        }
        let sorted = rows.sorted { left, right in
            (right.runs, left.group.heading, left.group.place) < (left.runs, right.group.heading, right.group.place)
        }
        return sorted.prefix(Self.groups).map(\.group)
    }

    private static func kind(_ kind: DivergenceClass, _ results: Results) -> Kind? {
        var order: [String] = []
        var groups: [String: [(result: CaseResult, index: Int, number: Int)]] = [:]
        var count = 0
        for result in results.cases {
            let open = result.open.filter { $0.divergence.kind == kind }
            guard let (index, first) = open.first else { continue }
            count += open.count
            // Variants that differ in the same place are one finding.
            let key = [result.id, Words.place(first), first.native ?? ""].joined(separator: "\n")
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append((result, index, open.count))
        }
        guard count > 0 else { return nil }
        let rows = order.compactMap { groups[$0].flatMap(found) }
        let runs = groups.values.map(\.count).reduce(0, +)
        return Kind(
            name: kind.rawValue, meaning: Words.meaning(kind),
            count: "\(Words.grouped(count)) in \(Words.count(runs, "run"))", rows: rows,
            isOpen: rows.count <= unfolded)
    }

    private static func found(_ variants: [(result: CaseResult, index: Int, number: Int)]) -> Found? {
        guard let (result, index, number) = variants.first,
            let divergence = result.difference?.divergences[index]
        else { return nil }
        let sides = LineMarks.pair(divergence.native, divergence.sandbox)
        return Found(
            name: result.id,
            variants: variants.map { result, index, _ in
                let text = result.variant == "command" ? "details" : result.variant
                return Variant(variant: text, link: "cases/\(CasePage.fileName(result))#d\(index + 1)")
            },
            place: Words.place(divergence), explanation: divergence.explanation,
            native: LineMarks.shortened(sides.native), sandbox: LineMarks.shortened(sides.sandbox),
            hasNative: divergence.native != nil, hasSandbox: divergence.sandbox != nil,
            more: number > 1 ? "and \(Words.grouped(number - 1)) more" : nil)
    }
}
