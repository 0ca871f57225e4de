package import Diff

/// Divergences of one origin that are known, and why they are there. Where it names several classes, calls or fields,
/// any of them is meant; what it leaves out does not matter.
package struct Expectation: Hashable, Sendable, Codable {
    /// Globs over case names.
    package var patterns: [String]
    /// A glob over variants; nil: every one.
    package var variant: String?
    package var kinds: [DivergenceClass]
    package var calls: [String]
    package var fields: [String]
    /// Globs over the path that the call is about.
    package var paths: [String]
    /// A glob over the path of a file below /proc or /sys that the process has open meanwhile.
    package var reading: String?
    /// Globs over what is seen on each side.
    package var native: String?
    package var sandbox: String?
    /// Whether chance decides if it is seen at all: then it is not stale when it is not.
    package var isIntermittent: Bool
    package var reason: String
    package var issue: String?
    /// The file that it stands in, and its line there.
    package var file: String
    package var line: Int

    package init(
        patterns: [String], variant: String? = nil, kinds: [DivergenceClass], calls: [String] = [],
        fields: [String] = [], paths: [String] = [], reading: String? = nil, native: String? = nil,
        sandbox: String? = nil, isIntermittent: Bool = false, reason: String, issue: String? = nil, file: String = "",
        line: Int = 0
    ) {
        self.patterns = patterns
        self.variant = variant
        self.kinds = kinds
        self.calls = calls
        self.fields = fields
        self.paths = paths
        self.reading = reading
        self.native = native
        self.sandbox = sandbox
        self.isIntermittent = isIntermittent
        self.reason = reason
        self.issue = issue
        self.file = file
        self.line = line
    }

    /// Whether it speaks of a case's variant.
    package func covers(case name: String, variant: String) -> Bool {
        patterns.contains { Glob.matches($0, name) } && Expectation.accepts(self.variant, variant)
    }

    /// Whether it explains a divergence of a case that it covers.
    package func explains(_ divergence: Divergence) -> Bool {
        kinds.contains(divergence.kind) && (calls.isEmpty || divergence.call.map(calls.contains) ?? false)
            && (fields.isEmpty || divergence.field.map(fields.contains) ?? false)
            && (paths.isEmpty || paths.contains { Expectation.accepts($0, divergence.path) })
            && Expectation.accepts(reading, divergence.reading)
            && Expectation.accepts(native, divergence.native) && Expectation.accepts(sandbox, divergence.sandbox)
    }

    private static func accepts(_ pattern: String?, _ text: String?) -> Bool {
        guard let pattern else { return true }
        return text.map { Glob.matches(pattern, $0) } ?? false
    }
}
