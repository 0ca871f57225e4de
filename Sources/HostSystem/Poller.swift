internal import CHost
package import LinuxABI

/// Readiness of host descriptors, reported by a thread of its own so that the kernel's thread never waits for one.
extension Host {
    /// Starts the thread; each batch of reports adds one to the word at `bell` and wakes a futex waiter on it.
    package static func startPoller(bell: UInt) throws(Errno) {
        // The platform keeps the word mapped for the life of the process.
        let word = unsafe UnsafeMutablePointer<UInt32>(bitPattern: bell)
        try check(unsafe apus_poller_start(word))
    }

    /// Asks for one report. Throws EPERM for a regular file, which is always ready.
    package static func poll(_ descriptor: Int32, for events: PollEvents, token: UInt64) throws(Errno) {
        try check(apus_poller_arm(descriptor, events.rawValue, token))
    }

    package static func stopPolling(_ descriptor: Int32) { apus_poller_disarm(descriptor) }

    /// The next report, if there is one.
    package static func takeReadiness() -> (token: UInt64, events: PollEvents)? {
        var token: UInt64 = 0
        let events = unsafe apus_poller_take(&token)
        return events == 0 ? nil : (token, PollEvents(rawValue: events))
    }

    private static func check(_ result: Int32) throws(Errno) {
        if result < 0 { throw Errno(rawValue: -result) }
    }
}
