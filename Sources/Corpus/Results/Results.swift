package import Expect
internal import Foundation

/// All that a run of the corpus has found: what `results.json` holds, and what every report is made from.
package struct Results: Sendable, Codable {
    /// The version of the store that this code writes and reads.
    package static let currentVersion = 3

    package var version = Results.currentVersion
    /// When the run began, as ISO 8601 in UTC.
    package var date: String
    package var seconds: Double
    package var host: HostFacts
    package var cases: [CaseResult]
    /// Manifests that could not be read, as sentences.
    package var errors: [String]
    /// Expectations that explained nothing although their cases ran.
    package var stale: [Expectation]
    /// What the sandbox implements; empty if it could not be asked.
    package var support: [SyscallSupport]

    package init(date: String, host: HostFacts) {
        self.date = date
        self.host = host
        seconds = 0
        cases = []
        errors = []
        stale = []
        support = []
    }

    package func count(_ outcome: CaseResult.Outcome) -> Int { cases.count { $0.outcome == outcome } }

    /// Whether everything was as it should be.
    package var isSuccess: Bool { isSuccess(by: .trace) }

    /// What must not differ unexpectedly for a run to count as passed. The reports show every divergence in any case.
    package enum Gate: String, Sendable, CaseIterable {
        /// Nothing at all, down to each system call.
        case trace
        /// What a user of the program would see: outputs, exit status, files left behind, crashes and hangs.
        case outcome
    }

    package func isSuccess(by gate: Gate) -> Bool {
        errors.isEmpty && failures(by: gate).isEmpty
    }

    /// The cases for which a run fails.
    package func failures(by gate: Gate) -> [CaseResult] {
        cases.filter { gate == .trace ? $0.outcome.isFailure : $0.hasUnexpectedOutcome }
    }
}

/// The machine that the native runs are true of.
package struct HostFacts: Sendable, Hashable, Codable {
    package var kernel: String
    package var machine: String
    package var system: String
    package var processors: Int

    package init(kernel: String, machine: String, system: String, processors: Int) {
        self.kernel = kernel
        self.machine = machine
        self.system = system
        self.processors = processors
    }

    package static func current() -> HostFacts {
        func text(_ path: String) -> String {
            let bytes = FileManager.default.contents(atPath: path) ?? Data()
            return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let pretty = text("/etc/os-release").split(separator: "\n").first { $0.hasPrefix("PRETTY_NAME=") }
        return HostFacts(
            kernel: text("/proc/sys/kernel/osrelease"), machine: "x86_64",
            system: pretty?.dropFirst(12).trimmingCharacters(in: ["\""]) ?? "Linux",
            processors: ProcessInfo.processInfo.activeProcessorCount)
    }
}
