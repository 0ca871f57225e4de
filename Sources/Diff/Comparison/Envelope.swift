/// What the native runs of a case don't agree on, seen from the first of them: what may differ in the sandbox, too.
struct Envelope {
    /// What may differ in one thread.
    struct Thread {
        /// By event: the paths of its fields that differ.
        var masked: [Int: Set<UInt32>] = [:]
        /// Events that another native run does not have.
        var optional: Set<Int> = []
        /// Names of events that one native run has and another has not: how often they come is not stable.
        var unstable: Set<UInt32> = []
        /// Another native run lacks the thread itself.
        var isOptional = false
    }

    /// A field of a call, wherever it is made.
    struct Place: Hashable {
        var call: UInt32
        var path: UInt32
    }

    private(set) var threads: [Thread]
    /// Fields that differ somewhere.
    private(set) var unstable: Set<Place> = []
    /// Whether other native runs have threads that the first one lacks.
    private(set) var hasExtraThreads = false

    /// An envelope around one run: nothing may differ.
    init(_ reference: CanonicalTrace) { threads = Array(repeating: Thread(), count: reference.threads.count) }

    var maskedFields: Int {
        threads.reduce(0) { $0 + $1.masked.values.reduce(0) { $0 + $1.count } }
    }

    /// Widens it by another native run.
    mutating func widen(_ reference: CanonicalTrace, by other: CanonicalTrace, _ interner: Interner) {
        let alignment = TraceAlignment(reference, other, interner)
        for thread in alignment.onlyLeft { threads[thread].isOptional = true }
        if !alignment.onlyRight.isEmpty { hasExtraThreads = true }
        for pair in alignment.pairs {
            let (left, right) = (reference.threads[pair.left].events, other.threads[pair.right].events)
            for row in pair.alignment.rows {
                switch (row.left, row.right) {
                case (let i?, let j?):
                    guard left[i].shape != right[j].shape else { continue }
                    let shape = interner.shape(left[i].shape)
                    let paths = FieldDifference.between(shape, interner.shape(right[j].shape)).map(\.path)
                    threads[pair.left].masked[i, default: []].formUnion(paths)
                    unstable.formUnion(paths.map { Place(call: shape.name, path: $0) })
                case (let i?, nil):
                    threads[pair.left].optional.insert(i)
                    threads[pair.left].unstable.insert(interner.shape(left[i].shape).name)
                case (nil, let j?): threads[pair.left].unstable.insert(interner.shape(right[j].shape).name)
                case (nil, nil): break
                }
            }
        }
    }
}

/// A field that two shapes don't agree on; one may lack it.
struct FieldDifference {
    var path: UInt32
    var left: CanonicalField?
    var right: CanonicalField?

    /// What one side has filled came out, even if the other side shows only where it was to go.
    var side: CanonicalField.Side {
        if left?.side == .output || right?.side == .output { return .output }
        return left?.side ?? right?.side ?? .output
    }
    var isBytes: Bool { left?.isBytes ?? right?.isBytes ?? false }

    /// In the order of the left shape, then what only the right one has.
    static func between(_ left: CanonicalShape, _ right: CanonicalShape) -> [FieldDifference] {
        var differences: [FieldDifference] = []
        if left.fields.count == right.fields.count, zip(left.fields, right.fields).allSatisfy({ $0.path == $1.path }) {
            for (a, b) in zip(left.fields, right.fields) where a.value != b.value {
                differences.append(FieldDifference(path: a.path, left: a, right: b))
            }
            return differences
        }
        let theirs = Dictionary(right.fields.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        let mine = Set(left.fields.map(\.path))
        for field in left.fields where theirs[field.path]?.value != field.value {
            differences.append(FieldDifference(path: field.path, left: field, right: theirs[field.path]))
        }
        for field in right.fields where !mine.contains(field.path) {
            differences.append(FieldDifference(path: field.path, left: nil, right: field))
        }
        return differences
    }
}
