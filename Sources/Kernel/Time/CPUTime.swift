internal import HostSystem
internal import LinuxABI
internal import Platform

/// How long code has run, in nanoseconds.
package struct CPUTime: Sendable, Equatable {
    package var user: Int64 = 0
    package var system: Int64 = 0

    package init(user: Int64 = 0, system: Int64 = 0) {
        self.user = user
        self.system = system
    }

    package var total: Int64 { user.addingReportingOverflow(system).partialValue }

    package static func + (left: CPUTime, right: CPUTime) -> CPUTime {
        CPUTime(user: left.user &+ right.user, system: left.system &+ right.system)
    }
}

/// Who knows how long guests have run. Tests have their own; without one the host's clocks tell.
package protocol CPUTimeSource: AnyObject {
    func time(of thread: GuestThread) -> CPUTime
    func time(of process: Process) -> CPUTime
}

/// CPU time as the host counts it for the process that a guest's code runs in.
///
/// The host tells how long the whole process has run, in user mode and out of it, to anyone who may ask; it tells of single
/// threads only inside their process. So a thread of several shows the time of all, and all of it counts as user time:
/// what the guest's calls cost is spent in the kernel's own process. Of a process that runs meanwhile the host tells another
/// process what it knew at its last tick: the clock moves in steps of 4 ms where the host has 250 ticks a second.
package final class HostCPUTimeSource: CPUTimeSource {
    package init() {}

    package func time(of thread: GuestThread) -> CPUTime { time(of: thread.process) }

    package func time(of process: Process) -> CPUTime {
        guard let stub = process.threads.first(where: { $0.stub != nil })?.stub else { return process.lastCPUTime }
        let host = stub.process.hostProcess
        guard host > 0 else { return process.lastCPUTime }
        // CPUCLOCK_SCHED of that process: see the kernel's posix-timers.h.
        let clock = Host.clock(Int32(truncatingIfNeeded: ~Int64(host) << 3 | 2))
        process.lastCPUTime = CPUTime(user: max(process.lastCPUTime.user, clock.saturatingNanoseconds))
        return process.lastCPUTime
    }
}

extension Process {
    /// Of all its threads, ended ones too.
    package var cpuTime: CPUTime { kernel.cpuTimes.time(of: self) }
}

extension GuestThread {
    package var cpuTime: CPUTime { kernel.cpuTimes.time(of: self) }
}
