/// Seconds and nanoseconds since the epoch or of a clock. Linux's `timespec`, 16 bytes in guest memory.
package struct Timestamp: Hashable, Comparable, Sendable {
    package var seconds: Int64
    /// 0..<1_000_000_000 in a normal value; a guest's own may hold anything.
    package var nanoseconds: Int64

    package init(seconds: Int64 = 0, nanoseconds: Int64 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }
}
