package import LinuxABI

/// Numbers of `getrlimit(2)`'s resources.
package enum ResourceNumber {
    package static let cpu = 0
    package static let fileSize = 1
    package static let data = 2
    package static let addressSpace = 9
    package static let stack = 3
    package static let processes = 6
    package static let openFiles = 7
    package static let lockedMemory = 8
    package static let pendingSignals = 11
    package static let nice = 13
    package static let realTimePriority = 14
    package static let count = 16
}

extension Process {
    /// Keeps watch over `RLIMIT_CPU`: SIGXCPU at the soft limit and each second after it, SIGKILL at the hard one. To be
    /// called when the limit changes.
    package func watchCPULimit() {
        cpuLimitTimer?.cancel()
        cpuLimitTimer = nil
        let limit = limits.values[ResourceNumber.cpu]
        guard limit.soft != .max || limit.hard != .max else { return }
        let timer = IntervalTimer(.process, of: self) { [weak self] _ in self?.checkCPULimit() }
        cpuLimitTimer = timer
        // Linux takes a limit of no seconds for one of a second.
        timer.set(expiry: Process.nanoseconds(max(1, min(limit.soft, limit.hard))), interval: 0)
    }

    private func checkCPULimit() {
        let limit = limits.values[ResourceNumber.cpu]
        let used = UInt64(max(0, cpuTime.total)) / 1_000_000_000
        if used >= limit.hard {
            kernel.send(SignalInfo(kernel: .kill), to: self)
            return
        }
        if used >= limit.soft { kernel.send(SignalInfo(kernel: SignalNumber(24)), to: self) }
        cpuLimitTimer?.set(expiry: Process.nanoseconds(min(used + 1, max(1, limit.hard))), interval: 0)
    }

    private static func nanoseconds(_ seconds: UInt64) -> Int64 {
        let (product, overflow) = Int64(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product
    }
}

extension Kernel {
    /// Throws EAGAIN when the user of the thread has as many threads as `RLIMIT_NPROC` allows. Root and those who may set
    /// limits are not bound.
    package func checkProcessLimit(_ thread: GuestThread) throws(Errno) {
        let own = thread.credentials
        let limit = thread.process.limits.values[ResourceNumber.processes].soft
        guard own.userID != 0, limit != .max, !own.has(capability: CapabilityNumber.resource),
            !own.has(capability: CapabilityNumber.systemAdministration)
        else { return }
        let count = threads.values.reduce(0) { $0 + ($1.credentials.userID == own.userID ? 1 : 0) }
        guard UInt64(count) < limit else { throw .EAGAIN }
    }
}
