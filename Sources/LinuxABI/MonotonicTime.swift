/// A point on the kernel's monotonic clock (`CLOCK_MONOTONIC`), in nanoseconds.
package struct MonotonicTime: Hashable, Comparable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static let never = MonotonicTime(nanoseconds: .max)

    package static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.nanoseconds < right.nanoseconds }

    /// This time plus an interval; the sum saturates at `never`.
    package func advanced(by interval: Timestamp) -> MonotonicTime {
        let (scaled, tooMany) = interval.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (length, tooLong) = scaled.addingReportingOverflow(interval.nanoseconds)
        let (sum, overflow) = nanoseconds.addingReportingOverflow(length)
        return tooMany || tooLong || overflow ? .never : MonotonicTime(nanoseconds: sum)
    }

    /// From this time to a later one; zero if that is past.
    package func interval(to later: MonotonicTime) -> Timestamp {
        let length = max(0, later.nanoseconds.subtractingReportingOverflow(nanoseconds).partialValue)
        return Timestamp(seconds: length / 1_000_000_000, nanoseconds: length % 1_000_000_000)
    }
}
