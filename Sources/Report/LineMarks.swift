/// Part of a line; `isChanged` if the other side has something else there.
package struct LineSegment: Sendable, Hashable {
    package var text: String
    package var isChanged: Bool
}

/// Marks what differs between two lines, and makes visible there what can't be seen.
package enum LineMarks {
    /// The segments of both lines. Lines that are equal come out as they are; where they differ, blanks become `·`, tabs
    /// `→`, and control characters their pictures: only there, where they matter.
    package static func compare(_ left: String, _ right: String) -> (left: [LineSegment], right: [LineSegment]) {
        guard left != right else { return (whole(left), whole(right)) }
        let (a, b) = (words(left), words(right))
        var (changedLeft, changedRight) = (Set<Int>(), Set<Int>())
        for change in aligned(b).difference(from: aligned(a)) {
            switch change {
            case .remove(let offset, _, _): changedLeft.insert(offset)
            case .insert(let offset, _, _): changedRight.insert(offset)
            }
        }
        return (segments(a, changedLeft), segments(b, changedRight))
    }

    /// Both sides of a row, either of which may be missing; nothing is marked if they are said not to differ.
    package static func pair(
        _ native: String?, _ sandbox: String?, differs: Bool = true
    ) -> (native: [LineSegment], sandbox: [LineSegment]) {
        guard differs, let native, let sandbox else {
            let sides = [native, sandbox].map { line in line.map { [LineSegment(text: $0, isChanged: differs)] } ?? [] }
            return (sides[0], sides[1])
        }
        let marks = compare(native, sandbox)
        return (marks.left, marks.right)
    }

    /// Long segments with their middle left out, for where there is little room.
    package static func shortened(_ segments: [LineSegment], limit: Int = 120) -> [LineSegment] {
        segments.map { segment in
            guard segment.text.count > limit else { return segment }
            let half = limit / 2
            return LineSegment(
                text: "\(segment.text.prefix(half)) … \(segment.text.suffix(half))", isChanged: segment.isChanged)
        }
    }

    private static func whole(_ line: String) -> [LineSegment] {
        line.isEmpty ? [] : [LineSegment(text: line, isChanged: false)]
    }

    /// Words, numbers and runs of blanks as such, so that 12 and 13 differ and not 2 and 3; everything else character by
    /// character.
    private static func words(_ line: String) -> [String] {
        enum Kind { case word, blank, other }
        var words: [String] = []
        var before = Kind.other
        for character in line {
            let isWord = character.isLetter || character.isNumber || character == "_"
            let kind: Kind = isWord ? .word : character == " " ? .blank : .other
            if kind == before, kind != .other, let last = words.indices.last {
                words[last].append(character)
            } else {
                words.append(String(character))
            }
            before = kind
        }
        return words
    }

    /// The blanks before an equals sign only put results below each other: however many there are, they are the same.
    private static func aligned(_ words: [String]) -> [String] {
        words.enumerated().map { index, word in
            let isPadding = word.hasPrefix(" ") && index + 1 < words.count && words[index + 1] == "="
            return isPadding ? " " : word
        }
    }

    /// Neighbours joined, with what is visible or not marked in them.
    private static func segments(_ words: [String], _ changed: Set<Int>) -> [LineSegment] {
        var segments: [LineSegment] = []
        for (index, word) in words.enumerated() {
            let isChanged = changed.contains(index)
            if let last = segments.last, last.isChanged == isChanged {
                segments[segments.count - 1].text += word
            } else {
                segments.append(LineSegment(text: word, isChanged: isChanged))
            }
        }
        return segments.map { segment in
            guard segment.isChanged else { return segment }
            return LineSegment(text: visible(Array(segment.text)[...]), isChanged: true)
        }
    }

    /// Blanks inside words' company can be seen; at the edges, or alone, they can't.
    private static func visible(_ characters: ArraySlice<Character>) -> String {
        let isBlank = { (character: Character) in character == " " }
        let leading = characters.prefix(while: isBlank).count
        let trailing = characters.reversed().prefix(while: isBlank).count
        var text = ""
        for (index, character) in characters.enumerated() {
            let isEdge = index < leading || index >= characters.count - trailing
            switch character {
            case " " where isEdge: text.append("·")
            case "\t": text.append("→")
            default: text.append(picture(of: character))
            }
        }
        return text
    }

    private static func picture(of character: Character) -> Character {
        guard let scalar = character.unicodeScalars.first, character.unicodeScalars.count == 1 else { return character }
        let code: UInt32 =
            switch scalar.value {
            case 0..<0x20: 0x2400 + scalar.value
            case 0x7f: 0x2421
            default: scalar.value
            }
        return Unicode.Scalar(code).map(Character.init) ?? character
    }
}
