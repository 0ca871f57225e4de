/// Which processors both sides may use.
package enum Binding: String, Sendable, Hashable, Codable, CaseIterable {
    case all, one

    /// `2 CPUs`, `1 CPU`.
    package func title(processors: Int) -> String {
        let count = self == .one ? 1 : processors
        return "\(count) CPU\(count == 1 ? "" : "s")"
    }
}

/// Something for each binding, or for one of them.
package struct Bound<Value: Sendable & Codable & Hashable>: Sendable, Codable, Hashable {
    private var all: Value?
    private var one: Value?

    package init(all: Value? = nil, one: Value? = nil) {
        self.all = all
        self.one = one
    }

    package subscript(binding: Binding) -> Value? {
        get { binding == .all ? all : one }
        set { if binding == .all { all = newValue } else { one = newValue } }
    }
}
