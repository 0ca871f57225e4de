internal import Corpus

/// The table of system calls in a few numbers.
struct CallsSummary {
    struct Status {
        let name: String
        let count: String
        let exercised: String
    }

    let isKnown: Bool
    let statuses: [Status]
    let wanted: [CallsPage.Row]
    let hasWanted: Bool

    init(_ coverage: Coverage) {
        isKnown = coverage.isKnown
        statuses = Coverage.Status.allCases.map { status in
            Status(
                name: status.rawValue, count: Words.grouped(coverage.count(status)),
                exercised: Words.grouped(coverage.exercised(status)))
        }
        wanted = coverage.wanted.map(CallsPage.Row.init)
        hasWanted = !wanted.isEmpty
    }
}

/// What `syscalls.html` shows: each call of Linux, its support, and how the corpus uses it.
struct CallsPage {
    struct Row {
        let number: Int
        let name: String
        let status: String
        /// The status as a style's name.
        let style: String
        let note: String
        let cases: String
        let native: String
        let sandbox: String
        let divergences: String
        let isQuiet: Bool

        init(_ row: Coverage.Row) {
            number = row.number
            name = row.name
            status = row.status.rawValue
            style = row.status == .absent ? "absent" : row.status.rawValue
            note = row.note
            cases = row.cases == 0 ? "" : Words.grouped(row.cases)
            native = row.native == 0 ? "" : Words.grouped(row.native)
            sandbox = row.sandbox == 0 ? "" : Words.grouped(row.sandbox)
            divergences = row.divergences == 0 ? "" : Words.grouped(row.divergences)
            isQuiet = row.native == 0 && row.sandbox == 0 && row.cases == 0
        }
    }

    let root = ""
    let title = "System calls: coverage"
    let date: String
    let host: String
    let calls: CallsSummary
    let rows: [Row]

    init(_ results: Results, _ coverage: Coverage) {
        date = Words.date(results.date)
        host = Words.host(results)
        calls = CallsSummary(coverage)
        rows = coverage.rows.map(Row.init)
    }
}
