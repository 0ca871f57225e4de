package import Foundation

/// What a soak has found.
package struct SoakReport: Codable, Sendable {
    package var seed: UInt64
    package var seconds = 0.0
    package var turns: [Turn] = []

    package init(seed: UInt64) { self.seed = seed }

    package var failures: Int { turns.reduce(0) { $0 + $1.failures.count } }

    package var json: Data {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            return try encoder.encode(self)
        }
    }

    package var markdown: String {
        func worst(_ turns: [Turn]) -> Int { turns.map(\.worst).max() ?? 0 }
        let traced = turns.filter(\.isTraced)
        let numbers = Set(turns.flatMap(\.hostNumbers)).sorted().map(String.init).joined(separator: ", ")
        let hosts = turns.flatMap(\.stillnesses).filter(\.isHosts)
        let watched = traced.flatMap(\.stillnesses).filter { !$0.isHosts }
        var text = """
            # Soak

            | | |
            |---|---|
            | turns | \(turns.count) in \(Int(seconds)) s, seeds from \(seed); \(turns.count(where: \.isKilled)) killed in the midst |
            | failures | \(failures) |
            | host calls of the kernel process that were watched | \(traced.reduce(0) { $0 + $1.hostCalls }) in \
            \(traced.count) turns, numbers \(numbers) |
            | calls of the well-behaved guests | \(turns.reduce(0) { $0 + $1.pulseCalls }) |
            | their greatest lateness, watched | \(worst(traced)) ms |
            | not watched | \(worst(turns.filter { !$0.isTraced })) ms |
            | of the native twin | \(turns.map(\.twinWorst).max() ?? 0) ms |
            | over a second while watched, which slows the kernel (a failure from \(Turn.watchedPatience / 1000) s on) | \
            \(watched.count) |
            | over a second where the twin stood still, too | \(hosts.count) |

            | guest | turns | failures | worst, watched | worst, not watched | twin | seconds |
            |---|---|---|---|---|---|---|

            """
        for name in Set(turns.map(\.guest)).sorted() {
            let own = turns.filter { $0.guest == name }
            text +=
                "| \(name) | \(own.count) | \(own.reduce(0) { $0 + $1.failures.count }) | \(worst(own.filter(\.isTraced))) ms | "
                + "\(worst(own.filter { !$0.isTraced })) ms | \(own.map(\.twinWorst).max() ?? 0) ms | "
                + "\(Int(own.reduce(0) { $0 + $1.seconds })) |\n"
        }
        for turn in turns where !turn.failures.isEmpty {
            text += "\n## \(turn.guest), seed \(turn.seed)\n\n`\(turn.command)`\n\n```\n"
            text += turn.failures.joined(separator: "\n") + "\n```\n"
        }
        return text
    }
}

extension Turn {
    /// One line for people who watch.
    var line: String {
        let ways = [
            isTraced ? "watched" : nil, "patched after \(patchAfter)", isStaged ? "own root" : nil,
            memory == nil ? nil : "limited", isKilled ? "killed" : nil,
        ].compactMap { $0 }.joined(separator: ", ")
        return "\(failures.isEmpty ? "ok" : "FAILED") \(guest) seed \(seed) (\(ways)): \(Int(seconds * 10)) ds, "
            + "\(hostCalls) host calls, worst \(worst) ms, twin \(twinWorst) ms"
    }
}
