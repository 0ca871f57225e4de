/// Output as lines that can be compared and shown.
enum OutputText {
    /// Lines without their newlines. Bytes that are not printable text appear as `\xNN`; a last line without a newline
    /// says so, since that is a difference, too.
    static func lines(_ bytes: [UInt8]) -> [String] {
        guard !bytes.isEmpty else { return [] }
        var lines = bytes.split(separator: 10, omittingEmptySubsequences: false).map { visible(Array($0)) }
        if lines.last?.isEmpty == true { lines.removeLast() } else { lines[lines.count - 1] += "\\ no newline" }
        return lines
    }

    /// Which lines all native runs agree on, where they have the same number of lines; nil where they have not.
    static func stableLines(_ runs: [[String]]) -> [Bool]? {
        guard let first = runs.first, runs.allSatisfy({ $0.count == first.count }) else { return nil }
        return first.indices.map { index in runs.allSatisfy { $0[index] == first[index] } }
    }

    /// The first line of `mine` that the native runs do not allow; nil if there is none.
    ///
    /// If the native runs hold the same lines in different orders, only the lines themselves are compared; if even their
    /// numbers differ, output is not comparable, and nothing is found.
    static func firstDifference(_ runs: [[String]], _ stable: [Bool]?, _ mine: [String]) -> Int? {
        guard let first = runs.first else { return nil }
        let isOrdered = runs.allSatisfy { $0 == first }
        if !isOrdered, runs.allSatisfy({ $0.sorted() == first.sorted() }) {
            if mine.sorted() == first.sorted() { return nil }
            let known = Set(first)
            return mine.firstIndex { !known.contains($0) } ?? min(mine.count, first.count)
        }
        guard let stable else { return nil }
        for index in 0..<min(first.count, mine.count) where stable[index] && first[index] != mine[index] {
            return index
        }
        return first.count == mine.count ? nil : min(first.count, mine.count)
    }

    /// Three lines before and after, side by side.
    static func context(_ native: [String], _ sandbox: [String], around row: Int) -> [ContextRow] {
        let last = min(max(native.count, sandbox.count), row + 4)
        return (max(0, row - 3)..<max(last, max(0, row - 3))).map { index in
            let left = index < native.count ? native[index] : nil
            let right = index < sandbox.count ? sandbox[index] : nil
            return ContextRow(native: left, sandbox: right, differs: left != right)
        }
    }

    private static func visible(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        let isText = bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 9 }
        if isText, text.utf8.elementsEqual(bytes) { return text }
        return bytes.map { byte in
            byte >= 0x20 && byte < 0x7f ? String(UnicodeScalar(byte)) : "\\x" + hex(byte)
        }.joined()
    }

    private static func hex(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
