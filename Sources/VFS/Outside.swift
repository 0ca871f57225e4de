internal import HostSystem

/// How long what is remembered of the host's files holds: others may change them at any time, and asking the host at every
/// look would cost more than all the rest of a look.
///
/// A *moment* is a stretch of time that ends when some 3 ms have passed, and whenever something comes in from
/// outside: bytes of a stream, readiness of a descriptor, a signal, a look at what was bound in. Within a moment the host's files count as unchanged;
/// what was remembered in an earlier one is compared with the host before it is used again. So a guest never sees a file
/// older than some milliseconds, and never older than what has told it of the change.
package final class Outside {
    package var moment: UInt64 { number }
    private var number: UInt64 = 1
    private var began: UInt64 = 0
    /// In ticks of the processor's clock: 1.7 to 4 ms at 2 to 5 GHz.
    private static let length: UInt64 = 1 << 23

    /// What processes were told of files, which ends with the moment.
    package var epoch: LocalEpoch?
    /// When the moment ends if nothing happens, in ticks of the processor's clock.
    package var end: UInt64 { began &+ Outside.length }

    package init() {}

    /// Time may have passed.
    @inline(__always)
    package func look() {
        let now = Host.ticks
        guard now &- began >= Outside.length else { return }
        began = now
        number &+= 1
    }

    /// Something has come in from outside.
    package func cameIn() {
        number &+= 1
        epoch?.end()
    }
}
