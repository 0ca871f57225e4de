internal import Foundation

/// What the pulse in the sandbox and its twin on the host have told, and for how long they have been silent.
struct Pulse {
    enum Stage: Equatable {
        /// The sandbox starts.
        case starting
        /// The pulse stands, and waits.
        case ready
        case beating
        /// The guest has ended with this status, and everything with it; the pulse waits.
        case ended(Int)
        case over
    }

    /// A stillness of more than a second.
    struct Stillness: Codable, Sendable {
        var milliseconds: Int
        /// How late the twin was in the same time.
        var twinMilliseconds: Int
        /// Each thread's state, where it was still going on when the soak looked.
        var threads: [String] = []
        /// The twin stood still, too: it was the host.
        var isHosts: Bool { twinMilliseconds * 2 >= milliseconds }
    }

    static let limit = 1.0

    var stage = Stage.starting
    var stillnesses: [Stillness] = []
    private(set) var worst = 0
    private(set) var twinWorst = 0
    private(set) var calls = 0
    private var reader = LineReader()
    private var lastBeat = Date()
    /// The twin's lateness, with when it was told.
    private var twin: [(at: Date, milliseconds: Int)] = []
    private var lastTwin = Date()
    private var dumped: [String] = []

    /// Takes what has come.
    mutating func listen(_ descriptor: Int32, twin companion: Companion) {
        let now = Date()
        for line in companion.heard() {
            guard let late = Pulse.number(line, after: "b ") else { continue }
            twin.append((now, late / 1000))
            twinWorst = max(twinWorst, late / 1000)
            lastTwin = now
        }
        twin.removeAll { now.timeIntervalSince($0.at) > 30 }
        for line in reader.take(from: descriptor) {
            if line == "r", stage == .starting {
                stage = .ready
            } else if let status = Pulse.number(line, after: "e "), stage == .beating {
                stage = .ended(status)
            } else if let done = Pulse.number(line, after: "d ") {
                calls = done
                stage = .over
            } else if let late = Pulse.number(line, after: "b "), stage == .beating {
                beat(late / 1000, now)
            }
        }
    }

    mutating func begin() {
        stage = .beating
        lastBeat = Date()
    }

    private mutating func beat(_ late: Int, _ now: Date) {
        worst = max(worst, late)
        if Double(late) / 1000 > Pulse.limit {
            let from = now.addingTimeInterval(-Double(late) / 1000 - 1)
            let twins = twin.filter { $0.at >= from }.map(\.milliseconds).max() ?? 0
            stillnesses.append(Stillness(milliseconds: late, twinMilliseconds: twins, threads: dumped))
        }
        dumped = []
        lastBeat = now
    }

    /// True once for each stillness that goes on for more than the limit: now is the time to look at the threads.
    mutating func isStill() -> Bool {
        stage == .beating && dumped.isEmpty && Date().timeIntervalSince(lastBeat) > Pulse.limit + 0.2
    }

    mutating func dump(_ threads: [String]) { dumped = threads.isEmpty ? ["nobody"] : threads }

    private static func number(_ line: String, after prefix: String) -> Int? {
        guard line.hasPrefix(prefix), line.count < 60 else { return nil }
        return line.dropFirst(prefix.count).split(separator: " ").first.flatMap { Int($0) }
    }
}
