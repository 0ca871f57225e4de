internal import Diff
internal import Expect

/// Keeps the store small without losing what matters: of the divergences that nothing explains more are kept than of
/// those that are explained or expected. `counts` still counts them all.
enum Pruning {
    private static let open = 50
    private static let explained = 25

    /// The difference with fewer divergences, and the judgement about those that are left.
    static func keep(_ difference: CaseDifference, _ judgement: Judgement) -> (CaseDifference, Judgement) {
        let isOpen = Set(judgement.unexpected)
        var room = (open: Self.open, explained: Self.explained)
        var kept: [Int] = []
        for index in difference.divergences.indices {
            if isOpen.contains(index) || index == difference.firstCausal {
                guard room.open > 0 else { continue }
                room.open -= 1
            } else {
                guard room.explained > 0 else { continue }
                room.explained -= 1
            }
            kept.append(index)
        }
        let places = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($0.element, $0.offset) })
        var difference = difference
        var judgement = judgement
        difference.divergences = kept.map { difference.divergences[$0] }
        difference.firstCausal = difference.firstCausal.flatMap { places[$0] }
        judgement.unexpected = judgement.unexpected.compactMap { places[$0] }
        judgement.expected = judgement.expected.compactMap { expected in
            guard let place = places[expected.divergence] else { return nil }
            var expected = expected
            expected.divergence = place
            return expected
        }
        return (difference, judgement)
    }
}
