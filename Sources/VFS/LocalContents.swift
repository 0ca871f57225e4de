/// What reading an open file gives, as far as a process may know it without asking the kernel.
package enum LocalContents {
    /// Only the file itself knows.
    case unknown
    /// No bytes, ever.
    case nothing
    case zeros
    /// At an offset, the bytes there of a host file's first `size` ones. Those of another `series` are another host file's.
    /// All of this holds until the processor's clock has so many ticks; that the file `ends` there, too.
    case pages(series: UInt64, size: Int64, ends: Bool, until: UInt64)
}

/// What processes were told of files holds for an *epoch*, which ends before anybody can learn of a change to one of
/// those files: by a call's answer, or by what comes in from outside.
package final class LocalEpoch {
    package private(set) var number: UInt64 = 1
    /// Somebody was told something that holds for it.
    private var isUsed = false
    /// Called when one ends, before anything else happens; with the number of the next.
    package var whenEnded: ((UInt64) -> Void)?

    package init() {}

    /// The number of the epoch for which somebody is told something.
    package func use() -> UInt64 {
        isUsed = true
        return number
    }

    /// A file has changed of which somebody may have been told something.
    @inline(__always)
    package func end() { if isUsed { endUsed() } }

    private func endUsed() {
        isUsed = false
        number &+= 1
        whenEnded?(number)
    }
}
