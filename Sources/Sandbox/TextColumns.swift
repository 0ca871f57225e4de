/// How `/proc` sets its columns.
extension BinaryInteger {
    /// Lower-case hexadecimal with at least `width` digits.
    func hex(_ width: Int = 1) -> String { String(self, radix: 16).padded(to: width, with: "0") }

    /// Octal with at least `width` digits.
    func octal(_ width: Int = 1) -> String { String(self, radix: 8).padded(to: width, with: "0") }

    /// Decimal, to the right of `width` columns.
    func right(_ width: Int) -> String { String(self).padded(to: width, with: " ") }
}

extension String {
    /// With enough of the character before it to fill `width` columns.
    func padded(to width: Int, with character: Character) -> String {
        let missing = width - utf8.count
        return missing > 0 ? String(repeating: character, count: missing) + self : self
    }

    /// With enough spaces behind it to fill `width` columns.
    func left(_ width: Int) -> String {
        let missing = width - utf8.count
        return missing > 0 ? self + String(repeating: " ", count: missing) : self
    }
}

extension [UInt8] {
    /// With the characters that would break a line or column as `\ooo`. Linux's `seq_escape`.
    func escaped(_ characters: String) -> [UInt8] {
        let special = Set(characters.utf8)
        guard contains(where: special.contains) else { return self }
        return flatMap { byte -> [UInt8] in
            special.contains(byte) ? [0x5c] + Array<UInt8>(byte.octal(3).utf8) : [byte]
        }
    }
}
