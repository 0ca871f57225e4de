/// What a case's difference amounts to once the expectations have spoken.
package struct Judgement: Sendable, Codable {
    package enum Verdict: String, Hashable, Sendable, Codable {
        /// No divergence, or only ones whose cause explains them.
        case pass
        /// Divergences, every one of them expected.
        case expected
        case fail
        /// Nothing could be compared.
        case invalid
    }

    package var verdict: Verdict
    /// Divergences (indices of the difference's list) that an expectation explains.
    package var expected: [Explained]
    /// Indices of those that none explains and that don't explain themselves.
    package var unexpected: [Int]
    /// The one of `unexpected` that the others most likely follow from.
    package var firstUnexpected: Int?
    /// Expectations that name exactly this case and variant, or match it by a pattern, and explain nothing of it.
    package var unseen: [Expectation]

    package struct Explained: Hashable, Sendable, Codable {
        package var divergence: Int
        package var reason: String
        package var issue: String?
    }
}
