/// Gives each distinct string and each distinct event shape a number, over all runs of a comparison: events are compared
/// by number, and a trace that repeats itself takes little memory.
final class Interner {
    private var strings: [String: UInt32] = [:]
    private(set) var texts: [String] = []
    private var shapeNumbers: [CanonicalShape: UInt32] = [:]
    private(set) var shapes: [CanonicalShape] = []
    /// By shape: how it reads.
    private var lines: [UInt32] = []

    func number(of text: String) -> UInt32 {
        if let known = strings[text] { return known }
        let number = UInt32(texts.count)
        strings[text] = number
        texts.append(text)
        return number
    }

    /// Numbers a shape. `line` is asked for how it reads the first time that it is seen.
    func number(of shape: CanonicalShape, line: () -> String) -> UInt32 {
        if let known = shapeNumbers[shape] { return known }
        let number = UInt32(shapes.count)
        shapeNumbers[shape] = number
        shapes.append(shape)
        lines.append(self.number(of: line()))
        return number
    }

    func text(_ number: UInt32) -> String { texts[Int(number)] }
    func shape(_ number: UInt32) -> CanonicalShape { shapes[Int(number)] }
    func line(_ shape: UInt32) -> String { texts[Int(lines[Int(shape)])] }
}
