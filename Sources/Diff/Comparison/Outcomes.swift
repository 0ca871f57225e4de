internal import Foundation
internal import Trace
internal import TraceModel

/// Compares what is left when a run is over: how it ended, what it wrote, which files it left.
struct Outcomes {
    private(set) var divergences: [Divergence] = []

    /// - Precondition: `native` is not empty.
    mutating func compare(native: [RunRecord], sandbox: RunRecord) {
        compareEndings(native: native, sandbox: sandbox)
        compareOutput(
            "stdout", native: native.map { $0.output(\.standardOutput) }, sandbox: sandbox.output(\.standardOutput))
        compareOutput(
            "stderr", native: native.map { $0.output(\.standardError) }, sandbox: sandbox.output(\.standardError))
        compareFiles(native: native.map(\.files), sandbox: sandbox.files)
    }

    private mutating func compareEndings(native: [RunRecord], sandbox: RunRecord) {
        guard let first = native.first?.ending, !native.contains(where: { $0.ending == sandbox.ending }) else { return }
        var found = Divergence(
            kind: .exitStatus, cause: .bug, field: "exit status", native: first.description,
            sandbox: sandbox.ending.description, explanation: "")
        switch sandbox.ending {
        case .timedOut(_, let threads):
            // Two hangs are no difference; they differ in what the threads were doing.
            if case .timedOut = first { return }
            found.kind = .hang
            let doing = threads.map { "\($0.thread) \($0.name) in \($0.call ?? "user code")" }.joined(separator: ", ")
            found.explanation =
                "the program ends natively, but was still running in the sandbox when its time was up"
                + (doing.isEmpty ? "" : " (\(doing))")
        case .sandboxFailed(let reason):
            found.kind = .crash
            found.explanation = "the sandbox itself failed: \(reason)"
        case .ended(let status):
            if let signal = status.signal, native.allSatisfy({ $0.ending.isExit }) {
                found.kind = .crash
                found.explanation =
                    "signal \(signal) killed the program in the sandbox; natively it \(first.description)"
            } else {
                found.explanation = "natively it \(first.description), in the sandbox it \(sandbox.ending.description)"
            }
        }
        divergences.append(found)
    }

    private mutating func compareOutput(_ name: String, native: [[UInt8]], sandbox: [UInt8]) {
        guard let first = native.first, !native.contains(sandbox) else { return }
        let mine = OutputText.lines(sandbox)
        let theirs = native.map(OutputText.lines)
        let stable = OutputText.stableLines(theirs)
        guard let row = OutputText.firstDifference(theirs, stable, mine) else { return }
        let expected = theirs.first ?? []
        divergences.append(
            Divergence(
                kind: .output, cause: .bug, field: name, native: row < expected.count ? expected[row] : nil,
                sandbox: row < mine.count ? mine[row] : nil,
                context: OutputText.context(expected, mine, around: row),
                explanation:
                    "\(name) differs at line \(row + 1) (\(first.count) bytes natively, \(sandbox.count) in the sandbox)"
            ))
    }

    private mutating func compareFiles(native: [[EndStateFile]], sandbox: [EndStateFile]) {
        let theirs = native.map { Dictionary($0.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first }) }
        let mine = Dictionary(sandbox.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        let paths = Set(theirs.flatMap(\.keys)).union(mine.keys).sorted()
        // Where the native runs themselves leave names that the others do not (`mktemp`), the sandbox may leave its own.
        let unsteady = Set(
            paths.filter { path in theirs.contains { $0[path] != nil } && theirs.contains { $0[path] == nil } }
                .map { ($0 as NSString).deletingLastPathComponent })
        for path in paths {
            let versions = theirs.map { $0[path] }
            guard let first = versions.first, !versions.contains(mine[path]) else { continue }
            if versions.allSatisfy({ $0 == nil }), isBelow(path, anyOf: unsteady) { continue }
            let agree = versions.allSatisfy { $0 == first }
            // Natively the content differs from run to run: then only its being there can be compared.
            if !agree, mine[path] != nil, !versions.contains(nil) { continue }
            divergences.append(
                Divergence(
                    kind: .endState, cause: .bug, field: path, native: describe(first), sandbox: describe(mine[path]),
                    explanation: explain(path, native: first, sandbox: mine[path])))
        }
    }

    private func isBelow(_ path: String, anyOf directories: Set<String>) -> Bool {
        var parent = path as NSString
        while parent.length > 0 {
            parent = parent.deletingLastPathComponent as NSString
            if directories.contains(parent as String) { return true }
        }
        return false
    }

    private func describe(_ file: EndStateFile?) -> String? {
        file.map { file in
            let size = file.kind == .regular ? " \(file.size) bytes" : ""
            return "\(file.kind.rawValue) mode \(String(file.mode, radix: 8))\(size) \(file.content)"
        }
    }

    private func explain(_ path: String, native: EndStateFile?, sandbox: EndStateFile?) -> String {
        guard let native else { return "'\(path)' is left behind in the sandbox only" }
        guard let sandbox else { return "'\(path)' is left behind natively only" }
        let what =
            native.kind != sandbox.kind ? "kind" : native.content != sandbox.content ? "content" : "mode or size"
        return "'\(path)' differs in its \(what)"
    }
}

extension RunRecord {
    /// An output with the run's own texts replaced.
    fileprivate func output(_ stream: KeyPath<RunRecord, [UInt8]>) -> [UInt8] {
        let aliases = aliases.map { (text: Array($0.key.utf8), symbol: Array($0.value.utf8)) }
        return aliases.isEmpty ? self[keyPath: stream] : Symbolizer.replace(aliases, in: self[keyPath: stream])
    }
}

extension RunEnding {
    /// Whether the program ended by itself.
    var isExit: Bool {
        guard case .ended(let status) = self else { return false }
        return status.exitCode != nil
    }
}
