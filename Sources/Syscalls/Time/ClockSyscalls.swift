internal import Kernel
internal import LinuxABI

/// clock_gettime(2), clock_getres(2), gettimeofday(2), time(2), times(2), and the calls that would set a clock.
extension GuestThread {
    func clockGettime(_ number: Int32, _ address: UInt) throws(Errno) -> Int {
        let clock = try clock(number)
        try copyOut(now(of: clock), to: UserPointer<Opaque>(address))
        return 0
    }

    func clockGetres(_ number: Int32, _ address: UInt) throws(Errno) -> Int {
        let clock = try clock(number)
        if address != 0 {
            try copyOut(Timestamp(totalNanoseconds: resolution(of: clock)), to: UserPointer<Opaque>(address))
        }
        return 0
    }

    /// The clocks are the host's: nobody in a sandbox has CAP_SYS_TIME for them.
    func clockSettime(_ number: Int32, _ address: UInt) throws(Errno) -> Int {
        switch try clock(number) {
        case .realTime, .processTime, .threadTime: break
        default: throw .EINVAL
        }
        // The process's own CPU clocks have no setter; by their negative numbers they are asked, and refuse.
        guard number <= 0 else { throw .EINVAL }
        let time = try copyIn(Timestamp.self, from: UserPointer<Opaque>(address))
        guard number != 0 || time.isValidInterval else { throw .EINVAL }
        throw .EPERM
    }

    func gettimeofday(_ time: UInt, _ zone: UInt) throws(Errno) -> Int {
        if time != 0 { try copyOut(TimeValue(kernel.clock.realTime), to: UserPointer<Opaque>(time)) }
        // Minutes west of Greenwich and daylight saving: Linux keeps neither.
        if zone != 0 { try copyOut(integer: UInt64(0), to: zone) }
        return 0
    }

    func settimeofday(_ time: UInt, _ zone: UInt) throws(Errno) -> Int {
        if time != 0 {
            let value = try copyIn(TimeValue.self, from: UserPointer<Opaque>(time))
            guard value.microseconds >= 0, value.microseconds <= 1_000_000 else { throw .EINVAL }
        }
        if zone != 0 { _ = try copyIn(UInt64.self, from: zone) }
        throw .EPERM
    }

    func time(_ address: UInt) throws(Errno) -> Int {
        let seconds = kernel.clock.realTime.seconds
        if address != 0 { try copyOut(integer: seconds, to: address) }
        return Int(seconds)
    }

    /// In nanoseconds: a tick as user space counts them (`sysconf(_SC_CLK_TCK)` is 100).
    private static let userTick: Int64 = 10_000_000

    func times(_ address: UInt) throws(Errno) -> Int {
        if address != 0 {
            let own = process.cpuTime
            let tick = GuestThread.userTick
            try copyOut(
                ProcessTimes(
                    user: own.user / tick, system: own.system / tick, childrenUser: process.childrenUserTime / tick,
                    childrenSystem: process.childrenSystemTime / tick),
                to: UserPointer<Opaque>(address))
        }
        return Int(kernel.clock.now.nanoseconds / GuestThread.userTick)
    }

    func adjtimex(_ address: UInt) throws(Errno) -> Int {
        let asked = try copyIn(ClockState.self, from: UserPointer<Opaque>(address))
        // ADJ_OFFSET_SS_READ only reads.
        guard asked.modes == 0 || asked.modes == 0xa001 else { throw .EPERM }
        var state = ClockState(time: TimeValue(kernel.clock.realTime))
        state.modes = asked.modes
        try copyOut(state, to: UserPointer<Opaque>(address))
        return GuestThread.clockIsUnsynchronized
    }

    /// `TIME_ERROR`.
    private static let clockIsUnsynchronized = 5

    func clockAdjtime(_ number: Int32, _ address: UInt) throws(Errno) -> Int {
        guard try clock(number) == .realTime else { throw .EOPNOTSUPP }
        return try adjtimex(address)
    }
}
