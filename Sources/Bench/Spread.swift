/// The middle of some figures, and how far they reach.
package struct Spread: Sendable, Hashable {
    package let median: Double
    package let lowest: Double
    package let highest: Double
    /// What the machine does to a figure that nothing else has changed: three times the median distance from the median, so that
    /// one round in which the machine did something else does not count.
    package let noise: Double

    /// Nil for no figures.
    package init?(_ figures: [Double]) {
        let sorted = figures.sorted()
        guard let lowest = sorted.first, let highest = sorted.last else { return nil }
        self.lowest = lowest
        self.highest = highest
        let median = Self.median(ofSorted: sorted)
        self.median = median
        noise = 3 * Self.median(ofSorted: figures.map { abs($0 - median) }.sorted())
    }

    private static func median(ofSorted figures: [Double]) -> Double {
        let middle = figures.count / 2
        return figures.count % 2 == 1 ? figures[middle] : (figures[middle - 1] + figures[middle]) / 2
    }
}
