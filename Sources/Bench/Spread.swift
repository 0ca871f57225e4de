/// The middle of some figures, and how far they reach.
package struct Spread: Sendable, Hashable {
    package let median: Double
    package let lowest: Double
    package let highest: Double

    /// Nil for no figures.
    package init?(_ figures: [Double]) {
        let sorted = figures.sorted()
        guard let lowest = sorted.first, let highest = sorted.last else { return nil }
        self.lowest = lowest
        self.highest = highest
        let middle = sorted.count / 2
        median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    package init(median: Double, lowest: Double, highest: Double) {
        self.median = median
        self.lowest = lowest
        self.highest = highest
    }

    /// How far apart the figures of one run are: what the machine does to a figure that nothing else has changed.
    package var noise: Double { highest - lowest }
}
