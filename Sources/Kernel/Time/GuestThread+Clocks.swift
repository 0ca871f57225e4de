package import LinuxABI

/// A clock as `clock_gettime(2)` numbers it.
package enum ClockNumber: Sendable, Equatable {
    case realTime, monotonic, raw, coarseRealTime, coarseMonotonic, boot, atomic
    case processTime(ProcessID)
    case threadTime(ProcessID)

    /// True if `clock_nanosleep(2)` takes it.
    package var canSleep: Bool {
        switch self {
        case .realTime, .monotonic, .boot, .atomic, .processTime: true
        default: false
        }
    }

    /// True if `timer_create(2)` takes it.
    package var canTime: Bool {
        switch self {
        case .raw, .coarseRealTime, .coarseMonotonic: false
        default: true
        }
    }

    /// True for clocks that count from the epoch.
    package var isRealTime: Bool { self == .realTime || self == .coarseRealTime || self == .atomic }
}

extension GuestThread {
    /// The clock with this number, those of other processes and threads too (`clock_getcpuclockid(3)`). Throws EINVAL where
    /// there is none; the alarm clocks need hardware that wakes a machine, and a sandbox has none.
    package func clock(_ number: Int32) throws(Errno) -> ClockNumber {
        switch number {
        case 0: return .realTime
        case 1: return .monotonic
        case 2: return .processTime(process.id)
        case 3: return .threadTime(id)
        case 4: return .raw
        case 5: return .coarseRealTime
        case 6: return .coarseMonotonic
        case 7: return .boot
        case 11: return .atomic
        case ..<0:
            // Bits 0 and 1 say what is counted (3: a device), bit 2 whether of one thread; the rest is the inverted number.
            guard number & 3 != 3 else { throw .EINVAL }
            let target = ProcessID(~(number >> 3))
            if number & 4 != 0 {
                let thread = target.rawValue == 0 ? self : kernel.threads[target]
                guard let thread, thread.process === process else { throw .EINVAL }
                return .threadTime(thread.id)
            }
            let owner = target.rawValue == 0 ? process : kernel.processes[target]
            guard let owner else { throw .EINVAL }
            return .processTime(owner.id)
        default: throw .EINVAL
        }
    }

    package func now(of clock: ClockNumber) -> Timestamp {
        switch clock {
        case .processTime(let id):
            return Timestamp(totalNanoseconds: kernel.processes[id]?.cpuTime.total ?? 0)
        case .threadTime(let id):
            return Timestamp(totalNanoseconds: kernel.threads[id]?.cpuTime.total ?? 0)
        default: return kernel.clock.time(of: clock)
        }
    }

    /// In nanoseconds.
    package func resolution(of clock: ClockNumber) -> Int64 {
        clock == .coarseRealTime || clock == .coarseMonotonic ? kernel.clock.coarseResolution : 1
    }
}

extension Kernel {
    /// When the monotonic clock will show what the real-time clock shows at `time`.
    package func monotonic(atRealTime time: Timestamp) -> MonotonicTime {
        let real = clock.realTime
        let now = clock.now
        if time <= real { return now }
        let (seconds, overflow) = time.seconds.subtractingReportingOverflow(real.seconds)
        guard !overflow else { return .never }
        // Up to a second less than nothing, which only ever shortens.
        return now.advanced(
            by: Timestamp(seconds: seconds, nanoseconds: time.nanoseconds - real.nanoseconds))
    }
}
