import LinuxABI
import Testing

@testable import Diff

@Suite("alignment")
struct AlignmentTests {
    /// The length of a longest common subsequence, by the textbook.
    static func common(_ left: [UInt32], _ right: [UInt32]) -> Int {
        var row = [Int](repeating: 0, count: right.count + 1)
        for a in left {
            var diagonal = 0
            for (index, b) in right.enumerated() {
                let above = row[index + 1]
                row[index + 1] = a == b ? diagonal + 1 : max(above, row[index])
                diagonal = above
            }
        }
        return row[right.count]
    }

    static func check(_ left: [UInt32], _ right: [UInt32], _ pairs: [Alignment.Pair]) -> Bool {
        zip(pairs, pairs.dropFirst()).allSatisfy { $0.left < $1.left && $0.right < $1.right }
            && pairs.allSatisfy { left[$0.left] == right[$0.right] }
    }

    static func random(_ count: Int, _ alphabet: UInt32, _ generator: inout SeededGenerator) -> [UInt32] {
        (0..<count).map { _ in UInt32.random(in: 0..<alphabet, using: &generator) }
    }

    @Test("within the bound, as much is paired as can be")
    func optimal() {
        var generator = SeededGenerator(1)
        for _ in 0..<500 {
            let alphabet = UInt32.random(in: 1...8, using: &generator)
            let left = Self.random(.random(in: 0...40, using: &generator), alphabet, &generator)
            let right = Self.random(.random(in: 0...40, using: &generator), alphabet, &generator)
            let pairs = Alignment.align(left, right)
            #expect(Self.check(left, right, pairs))
            #expect(pairs.count == Self.common(left, right))
        }
    }

    @Test("beyond the bound, what is paired is still equal and in order", arguments: [2, 10, 50])
    func bounded(bound: Int) {
        var generator = SeededGenerator(2)
        for _ in 0..<200 {
            let alphabet = UInt32.random(in: 1...200, using: &generator)
            let left = Self.random(.random(in: 0...300, using: &generator), alphabet, &generator)
            let right = Self.random(.random(in: 0...300, using: &generator), alphabet, &generator)
            #expect(Self.check(left, right, Alignment.align(left, right, bound: bound)))
        }
    }

    @Test("a few edits in a long trace are found exactly")
    func edits() {
        var generator = SeededGenerator(3)
        let left = Self.random(20_000, 500, &generator)
        var right = left
        for _ in 0..<20 { right.remove(at: .random(in: 0..<right.count, using: &generator)) }
        for _ in 0..<20 { right.insert(1000, at: .random(in: 0..<right.count, using: &generator)) }
        let pairs = Alignment.align(left, right)
        #expect(Self.check(left, right, pairs))
        #expect(pairs.count >= left.count - 20)
    }

    @Test("long traces that have nothing in common don't take forever")
    func nothing() {
        let left = [UInt32](repeating: 1, count: 30_000)
        let right = [UInt32](repeating: 2, count: 30_000)
        #expect(Alignment.align(left, right).isEmpty)
        #expect(Alignment.align(left, Array(left.prefix(10_000))).count == 10_000)
        #expect(Alignment.align([], left).isEmpty)
    }

    @Test("an event that only moved is paired by name, the most alike ones with each other")
    func names() {
        let native = TraceBuilder.trace { trace in
            trace.open("/a")
            trace.open("/b")
            trace.open("/c")
        }
        let sandbox = TraceBuilder.trace { trace in
            trace.open("/a")
            trace.open("/c", 4)
        }
        let interner = Interner()
        guard
            let left = try? Canonicalizer.canonical(native.events, interner, table: .x86_64, aliases: [:]).threads
                .first,
            let right = try? Canonicalizer.canonical(sandbox.events, interner, table: .x86_64, aliases: [:]).threads
                .first
        else {
            Issue.record("no thread")
            return
        }
        let rows = ThreadAlignment(left.events, right.events, interner).rows
        #expect(rows == [.init(left: 0, right: 0), .init(left: 1, right: nil), .init(left: 2, right: 1)])
    }
}
