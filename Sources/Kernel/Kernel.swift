package import LinuxABI

/// A sandbox's whole kernel state. It belongs to one host thread; nothing in it is locked.
package final class Kernel {
    package let clock: any KernelClock
    package let timers = TimerHeap()
    package internal(set) var processes: [ProcessID: Process] = [:]
    package internal(set) var threads: [ProcessID: GuestThread] = [:]
    /// Threads whose wait has fired, in that order.
    var runnable: [GuestThread] = []

    package init(clock: any KernelClock) { self.clock = clock }

    /// Lets a parked thread try its call again at the loop's next turn.
    package func makeRunnable(_ thread: GuestThread) {
        guard thread.state == .parked else { return }
        thread.state = .runnable
        runnable.append(thread)
    }
}

/// The time, as the kernel sees it: the host's clocks, or a virtual one in tests and deterministic runs.
package protocol KernelClock: AnyObject {
    /// `CLOCK_MONOTONIC`.
    var now: MonotonicTime { get }
    /// `CLOCK_REALTIME`.
    var realTime: Timestamp { get }
}

/// A clock that stands still until told otherwise, for tests.
package final class ManualClock: KernelClock {
    package var now: MonotonicTime
    package var realTime: Timestamp

    package init(now: MonotonicTime = MonotonicTime(nanoseconds: 0), realTime: Timestamp = Timestamp()) {
        self.now = now
        self.realTime = realTime
    }
}
