/// One call that the kernel process may make of the host once it is sealed.
package struct AllowedCall: Sendable {
    /// What must hold of one argument: its low 32 bits, as far as `mask` lets them through, are one of `values`. The
    /// arguments that are looked at are `int`s to the host, or have no flag above bit 31.
    package struct Condition: Sendable {
        package let argument: Int
        package let mask: UInt32
        package let values: [UInt32]
        /// For people: what it means.
        package let meaning: String
    }

    package let number: UInt32
    package let name: String
    package let conditions: [Condition]
    /// Why a guest's service, or the kernel's own life, needs it.
    package let reason: String

    init(_ number: UInt32, _ name: String, _ conditions: Condition..., for reason: String) {
        self.number = number
        self.name = name
        self.conditions = conditions
        self.reason = reason
    }

    /// True if the filter lets the call through with these arguments.
    package func admits(_ arguments: [UInt64]) -> Bool {
        conditions.allSatisfy { condition in
            let value = arguments.indices.contains(condition.argument) ? arguments[condition.argument] : 0
            return condition.values.contains(UInt32(truncatingIfNeeded: value) & condition.mask)
        }
    }

    /// Its row in `docs/host-calls.md`.
    package var row: String {
        let limits = conditions.map(\.meaning).joined(separator: "; ")
        return "| `\(name)` (\(number)) | \(limits.isEmpty ? "any" : limits) | \(reason) |"
    }
}

extension AllowedCall.Condition {
    static func argument(_ argument: Int, is values: UInt32..., meaning: String) -> Self {
        Self(argument: argument, mask: .max, values: values, meaning: meaning)
    }

    /// None of these bits may be set.
    static func argument(_ argument: Int, without bits: UInt32, meaning: String) -> Self {
        Self(argument: argument, mask: bits, values: [0], meaning: meaning)
    }

    static func argument(_ argument: Int, masked mask: UInt32, is values: UInt32..., meaning: String) -> Self {
        Self(argument: argument, mask: mask, values: values, meaning: meaning)
    }
}
