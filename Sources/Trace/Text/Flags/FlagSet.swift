/// The names of a parameter's bits, or of its possible values.
package struct FlagSet: Sendable {
    struct Entry: Sendable {
        let name: String
        let value: UInt64
        /// The bits that have to equal `value`.
        let mask: UInt64
    }

    /// True if the value is one of the entries; false if it is made of them.
    let isEnumeration: Bool
    let entries: [Entry]

    /// The value in names, joined by `|`; what has no name in hexadecimal.
    package func text(_ value: UInt64) -> String {
        if isEnumeration {
            return entries.first { $0.value == value }?.name ?? FlagSet.hexadecimal(value)
        }
        var names: [String] = []
        var left = value
        for entry in entries where value & entry.mask == entry.value && entry.mask != 0 {
            // A group of bits that a wider entry has already named is not named again.
            guard entry.value == 0 || left & entry.value != 0 else { continue }
            guard entry.value != 0 || entry.mask != .max || value == 0 else { continue }
            names.append(entry.name)
            left &= ~entry.value
        }
        if left != 0 { names.append(FlagSet.hexadecimal(left)) }
        return names.isEmpty ? "0" : names.joined(separator: "|")
    }

    static func hexadecimal(_ value: UInt64) -> String { value == 0 ? "0" : "0x" + String(value, radix: 16) }

    /// Reads `NAME KIND ENTRY=VALUE[/MASK]…`. A mask of `~0` stands for all bits.
    init(kind: Substring, entries: [Substring]) {
        isEnumeration = kind == "enum"
        self.entries = entries.compactMap { entry in
            let halves = entry.split(separator: "=", maxSplits: 1)
            guard halves.count == 2 else { return nil }
            let numbers = halves[1].split(separator: "/")
            guard let first = numbers.first, let value = FlagSet.number(first) else { return nil }
            let mask = numbers.count > 1 ? FlagSet.number(numbers[1]) ?? .max : value
            return Entry(name: String(halves[0]), value: value, mask: mask)
        }
    }

    private static func number(_ text: Substring) -> UInt64? {
        if text == "~0" { return .max }
        let isNegative = text.hasPrefix("-")
        let digits = isNegative ? text.dropFirst() : text
        let value = digits.hasPrefix("0x") ? UInt64(digits.dropFirst(2), radix: 16) : UInt64(digits)
        return value.map { isNegative ? UInt64(bitPattern: -Int64($0)) : $0 }
    }
}

/// All flag sets that the table names, and some that only structures use.
package enum FlagLists {
    private static let all: [String: FlagSet] = {
        var sets: [String: FlagSet] = [:]
        for line in (firstHalf + "\n" + secondHalf).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 2 else { continue }
            sets[String(words[0])] = FlagSet(kind: words[1], entries: Array(words[2...]))
        }
        return sets
    }()

    package static func set(_ name: String) -> FlagSet? { all[name] }

    /// A value of a set in names; in hexadecimal if there is no such set.
    package static func text(_ name: String, _ value: UInt64) -> String {
        all[name]?.text(value) ?? FlagSet.hexadecimal(value)
    }
}
