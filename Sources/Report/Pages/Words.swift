internal import Corpus
internal import Diff
internal import Expect
internal import Foundation

/// How the reports speak of outcomes, classes and numbers.
enum Words {
    static func meaning(_ outcome: CaseResult.Outcome) -> String {
        switch outcome {
        case .pass: "as on Linux"
        case .expected: "differs as expected"
        case .unstable: "differs in one of two runs"
        case .fail: "differs"
        case .invalid: "nothing to compare with"
        case .skipped: "the host lacks something"
        case .broken: "could not be built or run"
        }
    }

    static func meaning(_ kind: DivergenceClass) -> String {
        switch kind {
        case .unimplemented: "the sandbox answered ENOSYS where Linux did not"
        case .errno: "a call failed otherwise, or failed where it did not"
        case .value: "a call gave another result"
        case .payload: "a call wrote other bytes"
        case .order: "calls came in another order"
        case .missingCall: "a call was made natively only"
        case .extraCall: "a call was made in the sandbox only"
        case .signal: "another signal, or at another place"
        case .output: "other output"
        case .endState: "other files were left"
        case .exitStatus: "another exit status"
        case .crash: "the program or the sandbox died"
        case .hang: "the program did not end"
        }
    }

    /// `1 case`, `3 cases`.
    static func count(_ number: Int, _ noun: String) -> String {
        "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")"
    }

    /// Digits in groups of three.
    static func grouped(_ number: Int) -> String {
        var digits = Array(String(number.magnitude))
        var place = digits.count - 3
        while place > 0 {
            digits.insert(",", at: place)
            place -= 3
        }
        return (number < 0 ? "-" : "") + String(digits)
    }

    static func bytes(_ count: UInt64) -> String {
        if count < 10_000 { return "\(grouped(Int(count))) B" }
        return count < 10_000_000 ? "\(grouped(Int(count / 1000))) kB" : "\(grouped(Int(count / 1_000_000))) MB"
    }

    static func seconds(_ milliseconds: Int) -> String {
        milliseconds < 1000 ? "\(milliseconds) ms" : "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
    }

    /// `2026-01-31T12:00:00Z` as `2026-01-31 12:00 UTC`.
    static func date(_ iso: String) -> String {
        iso.count >= 16 ? "\(iso.prefix(10)) \(iso.dropFirst(11).prefix(5)) UTC" : iso
    }

    static func host(_ results: Results) -> String { host(results.host) }

    static func host(_ host: HostFacts) -> String {
        "\(host.system), Linux \(host.kernel), \(host.machine), \(count(host.processors, "processor"))"
    }

    /// Where a divergence is: `read: result`, `stdout`.
    static func place(_ divergence: Divergence) -> String {
        [divergence.call, divergence.field].compactMap(\.self).joined(separator: ": ")
    }

    /// One line for a whole run.
    static func verdict(_ results: Results) -> String {
        let all = results.cases.count
        var parts = ["\(grouped(results.count(.pass))) of \(count(all, "run")) behave as on Linux"]
        let differ = results.count(.fail)
        if differ > 0 { parts.append("\(grouped(differ)) differ") }
        if results.count(.expected) > 0 { parts.append("\(grouped(results.count(.expected))) differ as expected") }
        if results.count(.unstable) > 0 {
            parts.append("\(grouped(results.count(.unstable))) differ in one of two runs")
        }
        let broken = results.count(.invalid) + results.count(.broken)
        if broken > 0 { parts.append("\(grouped(broken)) could not be compared") }
        if results.count(.skipped) > 0 { parts.append("\(grouped(results.count(.skipped))) were skipped") }
        return parts.joined(separator: ", ") + "."
    }

    /// One line about what a user of the programs would notice.
    static func visible(_ results: Results) -> String {
        let compared = results.cases.count { $0.difference != nil }
        let seen = results.cases.filter(\.hasVisibleDifference)
        guard !seen.isEmpty else {
            return "None of the \(count(compared, "compared run")) shows its user anything else: "
                + "the differences are in system calls only."
        }
        let open = seen.count(where: \.hasUnexpectedOutcome)
        return "\(grouped(seen.count)) of \(count(compared, "compared run")) "
            + "\(seen.count == 1 ? "shows its" : "show their") user something else (output, exit status, files, a crash or a hang)"
            + (open == 0 ? ", as expected." : ", \(grouped(open)) of them unexpectedly.")
    }

    /// What an expectation speaks of, in one line.
    static func subject(_ entry: Expectation) -> String {
        let parts: [String?] = [
            entry.patterns.joined(separator: " "), entry.variant,
            entry.kinds.map(\.rawValue).joined(separator: " "), entry.calls.joined(separator: " "),
            entry.fields.joined(separator: " "), entry.paths.joined(separator: " "), entry.reading, entry.native,
            entry.sandbox,
        ]
        return parts.compactMap(\.self).filter { !$0.isEmpty }.joined(separator: " · ")
    }

    /// Where an expectation stands.
    static func place(_ entry: Expectation) -> String { "\(entry.file):\(entry.line)" }

    /// Families in alphabetical order with their cases.
    static func families(_ results: Results) -> [(name: String, cases: [CaseResult])] {
        Dictionary(grouping: results.cases, by: \.family).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
