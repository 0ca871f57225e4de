internal import Kernel
internal import LinuxABI

/// pause(2), rt_sigsuspend(2), rt_sigtimedwait(2), restart_syscall(2).
extension GuestThread {
    func pause() throws(Errno) -> Int { throw park(on: [], interrupted: .ERESTARTNOHAND) }

    func rtSigsuspend(_ address: UInt, _ setSize: UInt) throws(Errno) -> Int {
        guard setSize == GuestThread.signalSetSize else { throw .EINVAL }
        if !restart.isAgain {
            let mask = SignalSet(rawValue: try copyIn(UInt64.self, from: address))
            signals.savedMask = signals.blocked
            setBlocked(mask)
        }
        throw park(on: [], interrupted: .ERESTARTNOHAND)
    }

    func rtSigtimedwait(
        _ set: UInt, _ info: UInt, _ timeout: UInt, _ setSize: UInt
    ) throws(Errno) -> Int {
        guard setSize == GuestThread.signalSetSize else { throw .EINVAL }
        if let mask = signals.maskBehindWait {
            signals.maskBehindWait = nil
            signals.blocked = mask
        }
        let wanted = SignalSet(rawValue: try copyIn(UInt64.self, from: set)).subtracting(.unblockable)
        if !restart.isAgain, timeout != 0 {
            let interval = try copyIn(Timestamp.self, from: UserPointer<Opaque>(timeout))
            guard interval.isValidInterval else { throw .EINVAL }
            restart.deadline = kernel.clock.now.advanced(by: interval)
        }
        if let taken = takeSignal(in: wanted) {
            if info != 0 { try copyOut(taken, to: UserPointer<Opaque>(info)) }
            return Int(taken.signal.rawValue)
        }
        if let deadline = restart.deadline, kernel.clock.now >= deadline { throw .EAGAIN }
        // While it waits, the signals count as let in: they are not ignored, and they wake.
        let mask = signals.blocked
        signals.blocked = mask.subtracting(wanted)
        let outcome = park(on: [], until: restart.deadline, interrupted: .EINTR)
        if outcome == .parked {
            signals.maskBehindWait = mask
        } else {
            signals.blocked = mask
        }
        throw outcome
    }

    func restartSyscall() throws(Errno) -> Int {
        guard let block = signals.restartBlock else { throw .EINTR }
        return try block(self)
    }
}
