internal import Kernel
internal import LinuxABI

/// nanosleep(2), clock_nanosleep(2).
extension GuestThread {
    private static let absoluteTime: Int32 = 1

    func nanosleep(_ request: UInt, _ remainder: UInt) throws(Errno) -> Int {
        if restart.isAgain { return try sleepOn(remainder) }
        let time = try copyIn(Timestamp.self, from: UserPointer<Opaque>(request))
        guard time.isValidInterval else { throw .EINVAL }
        restart.deadline = kernel.clock.now.advanced(by: time)
        return try sleepOn(remainder)
    }

    func clockNanosleep(_ number: Int32, _ flags: Int32, _ request: UInt, _ remainder: UInt) throws(Errno) -> Int {
        let clock = try clock(number)
        // The thread's own clock stands still while it sleeps.
        guard clock.canSleep, number != 3 else { throw .EOPNOTSUPP }
        let isAbsolute = flags & GuestThread.absoluteTime != 0
        if !restart.isAgain {
            let time = try copyIn(Timestamp.self, from: UserPointer<Opaque>(request))
            guard time.isValidInterval else { throw .EINVAL }
            if case .processTime = clock { return try sleepOnCPUTime(clock, until: time, isAbsolute: isAbsolute) }
            if !isAbsolute {
                restart.deadline = kernel.clock.now.advanced(by: time)
            } else if clock.isRealTime {
                restart.deadline = kernel.monotonic(atRealTime: time)
            } else {
                restart.deadline = MonotonicTime(nanoseconds: time.saturatingNanoseconds)
            }
        } else if case .processTime = clock {
            return try sleepOnCPUTime(clock, until: nil, isAbsolute: isAbsolute)
        }
        guard isAbsolute else { return try sleepOn(remainder) }
        guard let deadline = restart.deadline, kernel.clock.now < deadline else { return 0 }
        throw park(on: [], until: deadline, interrupted: .ERESTARTNOHAND)
    }

    /// Sleeps until `restart.deadline`; what is left of an interrupted sleep goes to the timespec at `remainder`.
    private func sleepOn(_ remainder: UInt) throws(Errno) -> Int {
        guard let deadline = restart.deadline, kernel.clock.now < deadline else { return 0 }
        let outcome = park(on: [], until: deadline, interrupted: .ERESTART_RESTARTBLOCK)
        guard outcome == .ERESTART_RESTARTBLOCK else { throw outcome }
        if remainder != 0 {
            try copyOut(kernel.clock.now.interval(to: deadline), to: UserPointer<Opaque>(remainder))
        }
        signals.restartBlock = { (thread) throws(Errno) in
            thread.restart.deadline = deadline
            return try thread.sleepOn(remainder)
        }
        throw outcome
    }

    /// Sleeps until the process has used so much CPU time; others have to use it, so the kernel looks now and then.
    private func sleepOnCPUTime(_ clock: ClockNumber, until time: Timestamp?, isAbsolute: Bool) throws(Errno) -> Int {
        let used = now(of: clock).saturatingNanoseconds
        if let time {
            let (sum, overflow) = time.saturatingNanoseconds.addingReportingOverflow(isAbsolute ? 0 : used)
            restart.value = overflow ? Int.max : Int(sum)
        }
        guard used < Int64(restart.value) else { return 0 }
        let look = kernel.clock.now.advanced(byNanoseconds: max(4_000_000, (Int64(restart.value) - used) / 64))
        throw park(on: [], until: look, interrupted: isAbsolute ? .ERESTARTNOHAND : .EINTR)
    }
}
