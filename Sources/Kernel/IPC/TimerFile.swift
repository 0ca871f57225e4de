package import LinuxABI
package import VFS

/// A timer whose expiries are counted and read. See `timerfd_create(2)`.
package final class TimerFile: FileOperations, DescribedFile {
    private let isRealTime: Bool
    private unowned let kernel: Kernel
    private let node: any Inode
    private let queue = WaitQueue()
    /// When it goes off next, in nanoseconds of its clock; nil while it is stopped.
    private var expiry: Int64?
    private var interval: Int64 = 0
    /// It was set to a time of its clock.
    private var isAbsolute = false
    private var deadline: Deadline?

    /// By `CLOCK_REALTIME`, or by the monotonic clock.
    package init(isRealTime: Bool, kernel: Kernel, node: any Inode) {
        self.isRealTime = isRealTime
        self.kernel = kernel
        self.node = node
    }

    package var description: String {
        func pair(_ nanoseconds: Int64) -> String { "(\(nanoseconds / 1_000_000_000), \(nanoseconds % 1_000_000_000))" }
        return "clockid: \(isRealTime ? 0 : 1)\nticks: \(ticks)\nsettime flags: 0\(isAbsolute ? 1 : 0)\n"
            + "it_value: \(pair(setting.value))\nit_interval: \(pair(interval))\n"
    }

    package var inode: any Inode { node }
    package var waitQueue: WaitQueue? { queue }

    private var now: Int64 {
        isRealTime ? kernel.clock.realTime.saturatingNanoseconds : kernel.clock.now.nanoseconds
    }

    /// Expiries that nobody has read.
    private var ticks: UInt64 {
        guard let expiry else { return 0 }
        let late = now.subtractingReportingOverflow(expiry).partialValue
        guard late >= 0 else { return 0 }
        return interval == 0 ? 1 : 1 + UInt64(late / interval)
    }

    /// Stops the timer with 0, or starts it: at a time of the clock, or a span from now.
    package func set(value: Int64, interval: Int64, isAbsolute: Bool) {
        if let deadline { kernel.timers.cancel(deadline) }
        deadline = nil
        self.interval = interval
        self.isAbsolute = isAbsolute
        if value == 0 {
            expiry = nil
        } else {
            let (sum, overflow) = now.addingReportingOverflow(value)
            expiry = isAbsolute ? value : overflow ? .max : sum
        }
        arm()
    }

    /// The time until the next expiry, and the interval, both in nanoseconds.
    package var setting: (value: Int64, interval: Int64) {
        guard let expiry else { return (0, interval) }
        let left = expiry.subtractingReportingOverflow(now).partialValue
        if left > 0 { return (left, interval) }
        // Gone off: the next time counts, or there is none.
        return (interval == 0 ? 0 : interval - -left % interval, interval)
    }

    private func arm() {
        guard let expiry, expiry != .max else { return }
        let left = max(0, expiry.subtractingReportingOverflow(now).partialValue)
        deadline = kernel.timers.schedule(at: kernel.clock.now.advanced(byNanoseconds: left)) { [weak self] in
            self?.isDue()
        }
    }

    private func isDue() {
        deadline = nil
        guard ticks > 0 else { return arm() }
        queue.wakeAll(.readable)
    }

    /// The host's clock of the day may be set.
    package var isReadyByKernel: Bool { !isRealTime }

    package func poll(_ file: OpenFile) -> PollEvents { ticks > 0 ? .in : [] }

    package func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        guard output.freeCapacity >= 8 else { throw .EINVAL }
        let count = ticks
        guard count > 0, let last = expiry else { throw .EAGAIN }
        if interval == 0 {
            expiry = nil
        } else {
            let (step, tooFar) = interval.multipliedReportingOverflow(by: Int64(clamping: count))
            let (next, overflow) = last.addingReportingOverflow(step)
            expiry = tooFar || overflow ? .max : next
            if let deadline { kernel.timers.cancel(deadline) }
            arm()
        }
        for shift in 0..<8 { output.append(UInt8(truncatingIfNeeded: count >> UInt64(8 * shift))) }
    }

    package func release(_ file: OpenFile) {
        if let deadline { kernel.timers.cancel(deadline) }
        deadline = nil
    }
}
