package import Corpus
internal import Diff
package import LinuxABI

/// Which calls of Linux the sandbox implements, and which of them the corpus exercises.
package struct Coverage: Sendable {
    /// Where a call stands.
    package enum Status: String, Sendable, CaseIterable {
        case full, partial, refused
        /// Linux has it, the sandbox has not.
        case none
        /// Linux itself answers ENOSYS.
        case absent = "not in Linux"
    }

    package struct Row: Sendable {
        package var number: Int
        package var name: String
        package var status: Status
        package var note: String
        /// Cases that name the call as one under test.
        package var cases = 0
        /// Calls made over all cases, in the first run of each side.
        package var native = 0
        package var sandbox = 0
        package var divergences = 0
        package var unimplemented = 0
    }

    /// By number.
    package let rows: [Row]
    /// False if the sandbox could not be asked what it implements.
    package let isKnown: Bool

    package init(_ results: Results, table: [SyscallDescription] = SyscallTable.descriptions(for: .x86_64)) {
        let support = Dictionary(results.support.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first })
        isKnown = !results.support.isEmpty
        var rows = table.map { call in
            let found = support[call.number]
            let status: Status =
                switch found?.status {
                case .full: .full
                case .partial: .partial
                case .refused: .refused
                case nil: call.isInLinux ? .none : .absent
                }
            return Row(number: call.number, name: call.name, status: status, note: found?.note ?? "")
        }
        let places = Dictionary(
            rows.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { first, _ in first })
        var named: [String: Set<String>] = [:]
        for result in results.cases {
            for name in result.calls { named[name, default: []].insert(result.id) }
            for (name, statistics) in result.difference?.calls ?? [:] {
                guard let place = places[name] else { continue }
                rows[place].native += statistics.native
                rows[place].sandbox += statistics.sandbox
                rows[place].divergences += statistics.divergences
                rows[place].unimplemented += statistics.unimplemented
            }
        }
        for (name, cases) in named {
            if let place = places[name] { rows[place].cases = cases.count }
        }
        self.rows = rows
    }

    package func count(_ status: Status) -> Int { rows.count { $0.status == status } }

    /// Of those with a status, how many a native run made.
    package func exercised(_ status: Status) -> Int { rows.count { $0.status == status && $0.native > 0 } }

    /// What programs of the corpus ask for and don't get, most wanted first.
    package var wanted: [Row] {
        rows.filter { ($0.status == .none && $0.native > 0) || $0.unimplemented > 0 }
            .sorted { ($0.native, $1.number) > ($1.native, $0.number) }
    }
}
