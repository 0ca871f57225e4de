/// Bytes as a C string literal.
package enum Quoting {
    /// Quoted, cut after `limit` bytes. `isWhole` false appends the dots that say that there is more.
    package static func quoted(_ bytes: some Collection<UInt8>, limit: Int = .max, isWhole: Bool = true) -> String {
        var text = "\""
        var count = 0
        for byte in bytes {
            guard count < limit else { break }
            count += 1
            switch byte {
            case 0x22: text += "\\\""
            case 0x5c: text += "\\\\"
            case 0x0a: text += "\\n"
            case 0x0d: text += "\\r"
            case 0x09: text += "\\t"
            case 0x0b: text += "\\v"
            case 0x0c: text += "\\f"
            case 0x20..<0x7f: text.unicodeScalars.append(UnicodeScalar(byte))
            default:
                let octal = String(byte, radix: 8)
                text += "\\" + String(repeating: "0", count: 3 - octal.count) + octal
            }
        }
        return text + "\"" + (isWhole && count == bytes.count ? "" : "...")
    }
}
