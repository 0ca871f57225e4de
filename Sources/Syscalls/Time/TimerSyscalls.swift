internal import Kernel
internal import LinuxABI

/// setitimer(2), getitimer(2), alarm(2).
extension GuestThread {
    func getitimer(_ which: Int32, _ address: UInt) throws(Errno) -> Int {
        guard (0..<3).contains(which) else { throw .EINVAL }
        try copyOut(setting(of: process.timers.interval(Int(which), of: process)), to: UserPointer<Opaque>(address))
        return 0
    }

    func setitimer(_ which: Int32, _ new: UInt, _ old: UInt) throws(Errno) -> Int {
        var wanted = TimerSetting(interval: TimeValue(), value: TimeValue())
        if new != 0 {
            wanted = try copyIn(TimerSetting<TimeValue>.self, from: UserPointer<Opaque>(new))
            guard wanted.interval.isValidInterval, wanted.value.isValidInterval else { throw .EINVAL }
        }
        guard (0..<3).contains(which) else { throw .EINVAL }
        let timer = process.timers.interval(Int(which), of: process)
        let previous = setting(of: timer)
        let length = wanted.value.nanoseconds
        timer.set(
            expiry: length == 0 ? nil : saturatingSum(timer.now, length), interval: wanted.interval.nanoseconds)
        if old != 0 { try copyOut(previous, to: UserPointer<Opaque>(old)) }
        return 0
    }

    private func setting(of timer: IntervalTimer) -> TimerSetting<TimeValue> {
        // A timer that is about to go off has a microsecond left.
        let remaining = timer.remaining == 0 ? 0 : max(1000, timer.remaining)
        return TimerSetting(
            interval: TimeValue(nanoseconds: timer.interval), value: TimeValue(nanoseconds: remaining))
    }

    private func saturatingSum(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }

    func alarm(_ seconds: UInt32) throws(Errno) -> Int {
        let timer = process.timers.interval(0, of: process)
        let remaining = timer.remaining
        let length = Int64(seconds) * 1_000_000_000
        timer.set(expiry: length == 0 ? nil : saturatingSum(timer.now, length), interval: 0)
        // To the nearest second, but never 0 for a timer that runs.
        let whole = remaining / 1_000_000_000
        let rest = remaining % 1_000_000_000
        return Int(rest >= 500_000_000 || whole == 0 && rest > 0 ? whole + 1 : whole)
    }
}

/// timer_create(2), timer_settime(2), timer_gettime(2), timer_getoverrun(2), timer_delete(2).
extension GuestThread {
    func timerCreate(_ number: Int32, _ event: UInt, _ result: UInt) throws(Errno) -> Int {
        var asked: SignalEvent?
        if event != 0 { asked = try copyIn(SignalEvent.self, from: UserPointer<Opaque>(event)) }
        let clock = try clock(number)
        guard clock.canTime else { throw .EOPNOTSUPP }
        let kind: TimerClock =
            switch clock {
            case .realTime, .atomic: .realTime
            case .processTime: .process
            case .threadTime(let id): .thread(id)
            default: .monotonic
            }
        var described = TimerEvent(signal: .alarm, value: 0)
        if let asked { described = try timerEvent(asked) }
        let timer = try process.timers.create(kind, clockNumber: number, event: described, of: process)
        if asked == nil { timer.event.value = UInt64(timer.id) }
        do throws(Errno) {
            try copyOut(integer: timer.id, to: result)
        } catch {
            try process.timers.delete(timer.id)
            throw error
        }
        return 0
    }

    private func timerEvent(_ asked: SignalEvent) throws(Errno) -> TimerEvent {
        switch asked.notification {
        case SignalEvent.none: return TimerEvent(signal: nil, value: asked.value)
        case SignalEvent.signal, SignalEvent.thread:
            guard asked.signalNumber.isValid else { throw .EINVAL }
            return TimerEvent(signal: asked.signalNumber, value: asked.value)
        case SignalEvent.threadID:
            guard let target = kernel.threads[asked.threadNumber], target.process === process,
                asked.signalNumber.isValid
            else { throw .EINVAL }
            return TimerEvent(signal: asked.signalNumber, thread: target.id, value: asked.value)
        default: throw .EINVAL
        }
    }

    private func createdTimer(_ id: Int32) throws(Errno) -> CreatedTimer {
        guard let timer = process.timers.created[id] else { throw .EINVAL }
        return timer
    }

    func timerSettime(_ id: Int32, _ flags: Int32, _ new: UInt, _ old: UInt) throws(Errno) -> Int {
        guard new != 0 else { throw .EINVAL }
        let wanted = try copyIn(TimerSetting<Timestamp>.self, from: UserPointer<Opaque>(new))
        guard wanted.interval.isValidInterval, wanted.value.isValidInterval else { throw .EINVAL }
        let created = try createdTimer(id)
        let timer = created.timer
        let previous = setting(of: created)
        let value = wanted.value.saturatingNanoseconds
        let isAbsolute = flags & 1 != 0
        created.forgetQueued()
        timer.set(
            expiry: value == 0 ? nil : isAbsolute ? value : saturatingSum(timer.now, value),
            interval: wanted.interval.saturatingNanoseconds)
        if old != 0 { try copyOut(previous, to: UserPointer<Opaque>(old)) }
        return 0
    }

    func timerGettime(_ id: Int32, _ address: UInt) throws(Errno) -> Int {
        try copyOut(setting(of: try createdTimer(id)), to: UserPointer<Opaque>(address))
        return 0
    }

    private func setting(of created: CreatedTimer) -> TimerSetting<Timestamp> {
        TimerSetting(
            interval: Timestamp(totalNanoseconds: created.timer.interval),
            value: Timestamp(totalNanoseconds: created.timer.remaining))
    }

    func timerGetoverrun(_ id: Int32) throws(Errno) -> Int { Int(try createdTimer(id).overrun) }

    func timerDelete(_ id: Int32) throws(Errno) -> Int {
        try process.timers.delete(id)
        return 0
    }
}
