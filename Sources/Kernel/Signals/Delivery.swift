internal import GuestMemory
internal import LinuxABI
internal import Platform

/// What delivering signals has left to do.
package enum Delivery {
    /// Guest code goes on with `thread.registers`.
    case proceed
    /// The thread has stopped; SIGCONT lets it go on.
    case stopped
    /// The process has ended.
    case ended
}

extension GuestThread {
    /// True for results that ask for a restart (Linux's internal errnos 512...516).
    static func asksForRestart(_ result: Int) -> Bool { result <= -512 && result >= -516 }

    /// A fault of guest code becomes a signal for the thread that cannot be ignored or blocked. See `sigaction(2)`.
    func postFault(_ fault: Fault) {
        var info = SignalInfo(SignalNumber(fault.signal), code: fault.code)
        info.address = fault.address
        // Which kind of SIGSEGV it is follows from what the guest may see, not from how the stub mapped it. A general
        // protection fault (no page fault: trap 14) stays SI_KERNEL without an address.
        // So does what the host says of the vsyscall page, where the trap's number is a left-over.
        if fault.signal == 11, fault.trap == 14, fault.code != SignalInfo.kernel, let map {
            info.code = map.segmentationCode(at: fault.address)
        }
        stub?.withdrawHandlers()
        signals.fault.error = fault.error
        signals.fault.trap = fault.trap
        if fault.trap == 14, fault.code != SignalInfo.kernel { signals.fault.address = fault.address }
        kernel.force(info, to: self)
    }

    /// Takes the next signal that is in `wanted` out of what is pending for the thread, then for its process. Every way of
    /// taking a signal goes through here: timers count their overruns by it.
    package func takeSignal(in wanted: SignalSet) -> SignalInfo? {
        while true {
            let own =
                signals.pending.takeFault(except: SignalSet(rawValue: ~wanted.rawValue))
                ?? signals.pending.take(in: wanted)
            guard var taken = own ?? process.pendingSignals.take(in: wanted) else { return nil }
            // A timer that was set anew or deleted takes its pending signal back, as Linux does since 6.13. What a process
            // has sent in a timer's name has its own payload.
            if taken.code == SignalInfo.timer, taken.payload == nil, !process.timers.signalTaken(&taken) { continue }
            if own == nil, taken.signal == .alarm { process.timers.alarmTaken() }
            return taken
        }
    }

    /// Delivers what is pending, between the kernel and guest code: default actions happen, handlers get their frames, an
    /// interrupted call gets ready to be restarted. Called with `registers` filled in, rax holding the result. `result` is that of the call that the thread comes from, negated errnos and Linux's
    /// internal ones included; nil if it comes from none.
    package func deliverSignals(afterCall result: Int?) -> Delivery {
        var result = result
        if signals.restoredRegisters {
            // What `rt_sigreturn` loads into rax is no result, whatever it looks like.
            signals.restoredRegisters = false
            result = nil
        }
        if let mask = signals.savedMask, let result, result != -Int(Errno.EINTR.rawValue),
            !GuestThread.asksForRestart(result)
        {
            // The call ended by itself: what its mask let in for a while is shut out again before anything is delivered.
            signals.savedMask = nil
            setBlocked(mask)
        }
        var frames = 0
        while true {
            if process.isExiting { return endHere() }
            if signals.mustStop {
                stopHere(result: result)
                return .stopped
            }
            guard let info = takeSignal(in: SignalSet(rawValue: ~signals.blocked.rawValue)) else {
                guard !hasReachableCode else { break }
                postUnreachableCode()
                continue
            }
            kernel.sink?.delivered(info, to: self)
            switch disposition(of: info.signal) {
            case .nothing: continue
            case .stop: beginStop(info.signal)
            case .end: return die(by: info.signal)
            case .handler(let action):
                if let asked = result { prepareRestart(after: asked, handledBy: action) }
                result = nil
                frames += 1
                do throws(Errno) {
                    guard frames <= GuestThread.maximumFrames else { throw .EFAULT }
                    try enterHandler(for: info, action)
                    leaveHandler(of: info, action)
                } catch {
                    // There is no memory any more: the host has killed the stub, and will say so.
                    if error == .ESRCH { return die(by: .kill) }
                    // Where it was the handler of SIGSEGV itself, the default is all that is left.
                    if info.signal == .segmentationViolation { process.actions[info.signal] = SignalAction() }
                    kernel.force(SignalInfo(kernel: .segmentationViolation), to: self)
                }
            }
        }
        if frames == 0 {
            if let result { prepareRestart(after: result, handledBy: nil) }
            if let mask = signals.savedMask {
                signals.savedMask = nil
                setBlocked(mask)
            }
        }
        return .proceed
    }

    /// How many handlers may be entered at once, each inside the one before.
    private static let maximumFrames = 128

    private enum Disposition {
        case nothing, stop, end
        case handler(SignalAction)
    }

    private func disposition(of signal: SignalNumber) -> Disposition {
        let action = process.actions[signal]
        let set = SignalSet(signal)
        if action.handler == SignalAction.ignore, !SignalSet.unblockable.contains(set) { return .nothing }
        if action.handler != SignalAction.defaultHandler, !SignalSet.unblockable.contains(set) {
            if action.flags & SignalAction.resetHandler != 0 {
                process.actions[signal].handler = SignalAction.defaultHandler
            }
            return .handler(action)
        }
        if SignalSet.ignoredByDefault.contains(set) { return .nothing }
        if SignalSet.stop.contains(set) {
            return signal != .stop && process.isInOrphanedGroup ? .nothing : .stop
        }
        return .end
    }

    /// Linux's `ERESTART…` rules: see `signal(7)`, "Interruption of system calls". `action` is that of the handler that
    /// interrupts the call; nil when none runs.
    private func prepareRestart(after result: Int, handledBy action: SignalAction?) {
        guard GuestThread.asksForRestart(result) else { return }
        let asked = Errno(rawValue: Int32(-result))
        let again: Int
        switch (asked, action) {
        case (.ERESTARTNOINTR, _), (.ERESTARTSYS, nil), (.ERESTARTNOHAND, nil):
            again = call.number
        case (.ERESTARTSYS, let action?) where action.flags & SignalAction.restart != 0:
            again = call.number
        case (.ERESTART_RESTARTBLOCK, nil):
            again = GuestThread.restartSyscallNumber
        default:
            registers.rax = UInt(bitPattern: -Int(Errno.EINTR.rawValue))
            return
        }
        registers.rax = UInt(bitPattern: again)
        registers.rip &-= 2
    }

    /// `restart_syscall(2)` on x86-64.
    private static let restartSyscallNumber = 219

    private func die(by signal: SignalNumber) -> Delivery {
        // Linux sets the flag when a core was written, which a limit below a page prevents.
        let dumps =
            SignalSet.core.contains(SignalSet(signal)) && process.limits.values[4].soft >= 4096 && process.dumpable
        kernel.exitGroup(process, waitStatus: signal.rawValue | (dumps ? 0x80 : 0))
        return endHere()
    }

    /// The thread is in the kernel: nothing else would notice that it has to end.
    private func endHere() -> Delivery {
        kernel.end(self)
        return .ended
    }

    /// False if the processor could not go to `rip` at all.
    var hasReachableCode: Bool { registers.rip < GuestThread.addressLimit }

    /// Where user addresses end on x86-64 with four page-table levels.
    private static let addressLimit: UInt = 0x7fff_ffff_f000

    /// What the processor does at an address that no user code can have.
    func postUnreachableCode() {
        let isCanonical = registers.rip >> 47 == 0 || registers.rip >> 47 == 0x1ffff
        var info = SignalInfo(.segmentationViolation, code: isCanonical ? 1 : SignalInfo.kernel)
        if isCanonical {
            info.address = registers.rip
            signals.fault.address = registers.rip
        }
        stub?.withdrawHandlers()
        signals.fault.trap = isCanonical ? 14 : 13
        signals.fault.error = isCanonical ? 0x14 : 0
        kernel.force(info, to: self)
    }
}
