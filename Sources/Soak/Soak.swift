internal import Foundation

/// Turn after turn until the time is over: which guest, how patched, traced or not, in which root and with which limit
/// follows from the turn's place and its seed.
package struct Soak {
    package struct Options: Sendable {
        package var seconds = 1800.0
        /// At most so many turns; nil for no limit.
        package var turns: Int?
        package var seed: UInt64 = 1
        package var only: [String] = []
        /// Each guest with less of everything.
        package var isShort = false
        package var sources = "Tests/SandboxTests/Guests"
        package var kernel = ""
        /// What every turn is to have, in place of what its place says.
        package var isTraced: Bool?
        package var patchAfter: Int?
        package var isStaged: Bool?
        package var isLimited: Bool?

        package init() {}
    }

    package let options: Options
    /// Called before and after each turn.
    private let tell: (String) -> Void

    package init(_ options: Options, tell: @escaping (String) -> Void) {
        self.options = options
        self.tell = tell
    }

    package func run() throws -> SoakReport {
        let workshop = try Workshop(sources: options.sources, kernel: options.kernel, only: options.only)
        defer { workshop.remove() }
        let canaries = try Canaries(workshop)
        defer { canaries.end() }
        let twin = try Companion(workshop.program("pulse"))
        defer { twin.end() }
        guard twin.answer(within: 10) == "r" else { throw SoakError("the native twin did not start") }
        twin.say("\n")
        var report = SoakReport(seed: options.seed)
        let begun = Date()
        while Date().timeIntervalSince(begun) < options.seconds, report.turns.count < options.turns ?? .max {
            var turn = plan(report.turns.count, workshop.names)
            try turn.run(workshop, canaries, twin: twin)
            tell(turn.line)
            for failure in turn.failures { tell("  FAILED: \(failure)\n  again: \(turn.command)") }
            report.turns.append(turn)
            report.seconds = Date().timeIntervalSince(begun)
        }
        return report
    }

    func plan(_ index: Int, _ names: [String]) -> Turn {
        let cycle = index / names.count
        let place = index % names.count
        let isLimited = options.isLimited ?? ((place + cycle) % 5 == 2 && names[place] != "crowds")
        return Turn(
            guest: names[place], seed: options.seed &+ UInt64(index), isShort: options.isShort,
            patchAfter: options.patchAfter ?? [1, 24, 1, 0][(place + cycle) % 4],
            isTraced: options.isTraced ?? ((place + cycle) % 2 == 0),
            isStaged: options.isStaged ?? ((place + cycle) % 3 == 1),
            memory: isLimited ? 256 << 20 : nil,
            // Each guest has its turn at being killed.
            isKilled: options.turns != 1 && cycle % 4 == 3)
    }
}
