package import Diff

/// One divergence that is known, and why it is there.
package struct Expectation: Hashable, Sendable, Codable {
    /// A glob over case names.
    package var pattern: String
    /// A glob over variants; nil: every one.
    package var variant: String?
    package var kind: DivergenceClass
    package var call: String?
    package var field: String?
    package var reason: String
    package var issue: String?
    /// Its line in the expectations file.
    package var line: Int

    package init(
        pattern: String, variant: String? = nil, kind: DivergenceClass, call: String? = nil, field: String? = nil,
        reason: String, issue: String? = nil, line: Int = 0
    ) {
        self.pattern = pattern
        self.variant = variant
        self.kind = kind
        self.call = call
        self.field = field
        self.reason = reason
        self.issue = issue
        self.line = line
    }

    /// Whether it speaks of a case's variant.
    package func covers(case name: String, variant: String) -> Bool {
        Glob.matches(pattern, name) && (self.variant.map { Glob.matches($0, variant) } ?? true)
    }

    /// Whether it explains a divergence of a case that it covers.
    package func explains(_ divergence: Divergence) -> Bool {
        kind == divergence.kind && (call == nil || call == divergence.call)
            && (field == nil || field == divergence.field)
    }
}
