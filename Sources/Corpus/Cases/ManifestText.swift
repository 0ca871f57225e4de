/// The small languages inside a manifest's values.
enum ManifestText {
    struct Invalid: Error {
        let what: String
    }

    /// Words as a shell takes them: separated by blanks, with '…', "…" and backslash. No expansion.
    static func words(_ text: some StringProtocol) throws(Invalid) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var isEscaped = false
        for character in text {
            if isEscaped {
                // Between double quotes a backslash is itself, unless it stands before one of these two.
                if quote == "\"", character != "\"", character != "\\" { word?.append("\\") }
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if let open = quote {
                if character == open {
                    quote = nil
                } else if character == "\\", open == "\"" {
                    isEscaped = true
                } else {
                    word?.append(character)
                }
            } else {
                switch character {
                case " ", "\t":
                    if let whole = word { words.append(whole) }
                    word = nil
                case "'", "\"":
                    quote = character
                    word = word ?? ""
                case "\\":
                    isEscaped = true
                    word = word ?? ""
                default: word = (word ?? "") + String(character)
                }
            }
        }
        if let quote { throw Invalid(what: "the quote \(quote) is never closed") }
        if isEscaped { throw Invalid(what: "nothing follows the last backslash") }
        if let word { words.append(word) }
        return words
    }

    /// Text with the escapes \n, \t, \r, \0, \\, \" and \xHH as bytes.
    static func unescaped(_ text: some StringProtocol) throws(Invalid) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard let escape = rest.popFirst() else { throw Invalid(what: "nothing follows the last backslash") }
            switch escape {
            case UInt8(ascii: "n"): bytes.append(10)
            case UInt8(ascii: "t"): bytes.append(9)
            case UInt8(ascii: "r"): bytes.append(13)
            case UInt8(ascii: "0"): bytes.append(0)
            case UInt8(ascii: "\\"), UInt8(ascii: "\""): bytes.append(escape)
            case UInt8(ascii: "x"):
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else {
                    throw Invalid(what: "\\x is not followed by two hexadecimal digits")
                }
                bytes.append(value)
                rest = rest.dropFirst(2)
            default: throw Invalid(what: "\\\(Character(Unicode.Scalar(escape))) is not a known escape")
            }
        }
        return bytes
    }
}
