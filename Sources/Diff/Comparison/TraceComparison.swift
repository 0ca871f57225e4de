internal import TraceModel

/// Compares a sandboxed run's trace with the first native one, within the envelope of all of them.
struct TraceComparison {
    let interner: Interner
    let reference: CanonicalTrace
    let envelope: Envelope
    let options: Comparison.Options

    struct Result {
        var divergences: [Divergence] = []
        /// Pairs of events that were lined up.
        var aligned = 0
    }

    func compare(_ sandbox: CanonicalTrace, ending: RunEnding) -> Result {
        var result = Result()
        let alignment = TraceAlignment(reference, sandbox, interner)
        let threaded = Set(reference.threads.map(\.label).filter { $0.contains("/") }.map { $0.prefix { $0 != "/" } })
        for pair in alignment.pairs {
            let view = ThreadView(
                native: reference.threads[pair.left], sandbox: sandbox.threads[pair.right], rows: pair.alignment.rows,
                interner: interner, contextLines: options.contextLines)
            let classifier = Classifier(
                interner: interner, isConcurrent: reference.threads.count > 1,
                isThreaded: threaded.contains(view.native.label.prefix { $0 != "/" }), unstable: envelope.unstable,
                ending: ending)
            let findings = ThreadFindings(
                native: view.native, sandbox: view.sandbox, rows: view.rows, envelope: envelope.threads[pair.left],
                interner: interner)
            add(findings.all(), view, classifier, isRaced: hasRacedStream(pair.left), &result)
            result.aligned += view.rows.count { $0.left != nil && $0.right != nil }
        }
        threads(alignment, sandbox, ending, &result)
        result.divergences = distinct(result.divergences.sorted { $0.order < $1.order })
        return result
    }

    private func add(
        _ findings: [Finding], _ view: ThreadView, _ classifier: Classifier, isRaced: Bool, _ result: inout Result
    ) {
        var hasRacedStream = isRaced
        for finding in findings {
            guard var divergence = view.divergence(finding, classifier) else { continue }
            if view.isStream(finding) {
                hasRacedStream = hasRacedStream || divergence.cause == .amplifiedRace
                // Once a pipe has been read in other pieces, the same count is another piece, and what is left to be read
                // another count. The bytes in all are compared where they end: in what the program leaves or prints.
                if hasRacedStream, divergence.kind == .payload || divergence.kind == .value,
                    Self.pieces.contains(divergence.field ?? "")
                {
                    divergence.cause = .amplifiedRace
                }
            }
            result.divergences.append(divergence)
        }
    }

    /// The fields of a call on a stream that tell which piece of it is moved.
    private static let pieces: Set = ["buf", "count", "len", "result", "vec", "buff"]

    /// Whether a native thread moves other pieces through a stream from run to run.
    private func hasRacedStream(_ thread: Int) -> Bool {
        envelope.threads[thread].masked.contains { event, paths in
            interner.shape(reference.threads[thread].events[event].shape).isStream
                && paths.contains { interner.text($0) == "result" }
        }
    }

    /// Keeps the first of those that say the same, with their number: what every one of a hundred processes lacks is one
    /// divergence. Of those that explain themselves, another value says nothing else.
    private func distinct(_ divergences: [Divergence]) -> [Divergence] {
        var firsts: [[String?]: (index: Int, count: Int)] = [:]
        var result: [Divergence] = []
        for divergence in divergences {
            var key = [divergence.kind.rawValue, divergence.cause.rawValue, divergence.call, divergence.field]
            if !divergence.cause.isExplained {
                key += [divergence.native, divergence.sandbox, divergence.path, divergence.reading]
            }
            if let first = firsts[key] {
                firsts[key] = (first.index, first.count + 1)
            } else {
                firsts[key] = (result.count, 1)
                result.append(divergence)
            }
        }
        for first in firsts.values where first.count > 1 {
            result[first.index].explanation += " (\(first.count) times in all)"
        }
        return result
    }

    /// Threads that only one side has. Where the sandboxed run was ended, those that it did not reach are no news.
    private func threads(
        _ alignment: TraceAlignment, _ sandbox: CanonicalTrace, _ ending: RunEnding, _ result: inout Result
    ) {
        if ending.isEnd {
            for index in alignment.onlyLeft where !envelope.threads[index].isOptional {
                let thread = reference.threads[index]
                result.divergences.append(lone(thread, .missingCall, "natively"))
            }
        }
        guard !envelope.hasExtraThreads else { return }
        for index in alignment.onlyRight {
            result.divergences.append(lone(sandbox.threads[index], .extraCall, "in the sandbox"))
        }
    }

    private func lone(_ thread: CanonicalThread, _ kind: DivergenceClass, _ side: String) -> Divergence {
        let position = thread.events.first.map { TracePosition(sequence: $0.sequence, index: 0) }
        let isNative = kind == .missingCall
        let lines = thread.events.prefix(options.contextLines).map { event in
            let line = interner.line(event.shape)
            return ContextRow(native: isNative ? line : nil, sandbox: isNative ? nil : line, differs: true)
        }
        return Divergence(
            kind: kind, cause: .bug, thread: thread.label, field: "thread",
            nativePosition: isNative ? position : nil, sandboxPosition: isNative ? nil : position, context: lines,
            explanation: "the thread or process \(thread.label) exists \(side) only (\(thread.events.count) events)")
    }
}

/// Two threads side by side, for showing what differs between them.
private struct ThreadView {
    let native: CanonicalThread
    let sandbox: CanonicalThread
    let rows: [ThreadAlignment.Row]
    let interner: Interner
    let contextLines: Int
    /// The row of the last call that both threads have made; -1 if there is none.
    private let lastCommonCall: Int
    /// Whether others have ended the thread on one side.
    private let isEndedByOthers: Bool
    /// The signals that both threads get, by name.
    private let commonSignals: Set<UInt32>
    /// What the sandboxed thread is told by signals more often than the native one, and more than once.
    private let repeatedSignals: Set<UInt32>

    init(
        native: CanonicalThread, sandbox: CanonicalThread, rows: [ThreadAlignment.Row], interner: Interner,
        contextLines: Int
    ) {
        self.native = native
        self.sandbox = sandbox
        self.rows = rows
        self.interner = interner
        self.contextLines = contextLines
        let signals = [native, sandbox].map { thread in
            Set(thread.events.map { interner.shape($0.shape) }.filter { $0.kind == .signal }.map(\.name))
        }
        commonSignals = signals[0].intersection(signals[1])
        let told = [native, sandbox].map { thread in
            thread.events.reduce(into: [UInt32: Int]()) { counts, event in
                let shape = interner.shape(event.shape)
                if shape.kind == .signal, let what = shape.fields.first?.value { counts[what, default: 0] += 1 }
            }
        }
        repeatedSignals = Set(told[1].filter { $0.value > max(1, told[0][$0.key] ?? 0) }.keys)
        isEndedByOthers =
            ThreadView.isKilled(native, interner) || ThreadView.isKilled(sandbox, interner)
        lastCommonCall =
            rows.lastIndex { row in
                guard let left = row.left, row.right != nil else { return false }
                return interner.shape(native.events[left].shape).kind == .call
            } ?? -1
    }

    /// Whether a thread is ended by others, be it by their signal, rather than by its own exit, exec or fatal signal.
    private static func isKilled(_ thread: CanonicalThread, _ interner: Interner) -> Bool {
        guard let last = thread.events.last, interner.shape(last.shape).kind == .exit else { return false }
        guard let before = thread.events.dropLast().last.map({ interner.shape($0.shape) }) else { return true }
        // What another process sends comes when that one gets to it; what a thread brings upon itself does not.
        if before.kind == .signal { return thread.events.dropLast().last?.signal != nil }
        guard before.kind == .unfinished else { return true }
        return before.fields.contains {
            interner.text($0.path) == "end" && interner.text($0.value) == "\(UnfinishedReason.killed)"
        }
    }

    func isStream(_ finding: Finding) -> Bool {
        let row = rows[finding.row]
        let shape = row.left.map { native.events[$0].shape } ?? row.right.map { sandbox.events[$0].shape }
        return shape.map { interner.shape($0).isStream } ?? false
    }

    func divergence(_ finding: Finding, _ classifier: Classifier) -> Divergence? {
        let row = rows[finding.row]
        let left = row.left.map { interner.shape(native.events[$0].shape) }
        let right = row.right.map { interner.shape(sandbox.events[$0].shape) }
        guard let shape = left ?? right else { return nil }
        var classifier = classifier
        classifier.commonSignals = commonSignals
        classifier.repeatedSignals = repeatedSignals
        classifier.isEndedByOthers = isEndedByOthers
        classifier.isKilled = isEndedByOthers && finding.row > lastCommonCall
        let found: Classifier.Class? =
            switch finding.what {
            case .changed(let differences):
                if let left, let right { classifier.changed(left, right, differences) } else { nil }
            case .missing: classifier.missing(shape, count: finding.count)
            case .extra: classifier.extra(shape, count: finding.count)
            case .moved(let other): classifier.moved(shape, by: other - finding.row)
            case .displaced(let distance): classifier.displaced(shape, by: distance)
            case .cut: classifier.cut(finding.count, last: lastLine)
            }
        guard let found else { return nil }
        var last = finding.row + finding.count - 1
        if case .cut = finding.what { last = finding.row }
        if case .moved(let other) = finding.what, abs(other - finding.row) <= contextLines { last = max(other, last) }
        // Where the sandbox has it, if that is another row.
        var place = finding.row
        if case .moved(let other) = finding.what { place = other }
        var divergence = Divergence(
            kind: found.kind, cause: found.cause, thread: native.label, call: interner.text(shape.name),
            field: found.field, native: found.native ?? row.left.map { interner.line(native.events[$0].shape) },
            sandbox: found.sandbox ?? rows[place].right.map { interner.line(sandbox.events[$0].shape) },
            nativePosition: position(finding.row, native, \.left),
            sandboxPosition: position(place, sandbox, \.right),
            context: context(min(finding.row, last), max(finding.row, last)), explanation: found.explanation)
        let events = [row.left.map { native.events[$0] }, rows[place].right.map { sandbox.events[$0] }]
        divergence.path = events.lazy.compactMap { $0?.path }.first.map(interner.text)
        divergence.reading = events.lazy.compactMap { $0?.reading }.first.map(interner.text)
        return divergence
    }

    private var lastLine: String? { sandbox.events.last.map { interner.line($0.shape) } }

    /// The event of a row, or the last one before it.
    private func position(
        _ row: Int, _ thread: CanonicalThread, _ side: KeyPath<ThreadAlignment.Row, Int?>
    ) -> TracePosition? {
        for index in stride(from: row, through: 0, by: -1) {
            guard let event = rows[index][keyPath: side] else { continue }
            return TracePosition(sequence: thread.events[event].sequence, index: event)
        }
        return nil
    }

    private func context(_ first: Int, _ last: Int) -> [ContextRow] {
        let from = max(0, first - contextLines)
        // A long run of rows is shown by its beginning.
        let to = min(rows.count - 1, min(last, first + contextLines) + contextLines)
        return (from...max(from, to)).map { index in
            let row = rows[index]
            let left = row.left.map { native.events[$0].shape }
            let right = row.right.map { sandbox.events[$0].shape }
            return ContextRow(
                native: left.map(interner.line), sandbox: right.map(interner.line),
                differs: index >= first && index <= last && (left != right || first == last))
        }
    }
}

extension Divergence {
    /// By its place in the native trace; what belongs to the run as a whole comes last.
    fileprivate var order: (UInt64, UInt64, String) {
        (nativePosition?.sequence ?? .max, sandboxPosition?.sequence ?? .max, thread)
    }
}
