package import LinuxABI
internal import VFS

/// Where a process is between running and stopped.
package struct JobControl: Sendable {
    /// The signal that stops the process; nil while it runs.
    package var stopSignal: SignalNumber?
    /// Every thread has stopped.
    package var isStopped = false

    package init() {}
}

/// Stopping and continuing processes: the job control of `signal(7)`.
extension GuestThread {
    /// The thread has taken a stop signal: all of the process stops.
    func beginStop(_ signal: SignalNumber) {
        if process.jobControl.stopSignal == nil || process.jobControl.isStopped {
            process.jobControl = JobControl()
            process.jobControl.stopSignal = signal
            process.unreportedContinue = false
        }
        for thread in process.threads where thread.state != .dead && thread.state != .stopped {
            thread.signals.mustStop = true
            if thread !== self { kernel.wake(thread) }
        }
    }

    /// The thread stops here; `result` is what its call gave.
    func stopHere(result: Int?) {
        signals.mustStop = false
        signals.resultBeforeStop = result
        state = .stopped
        process.finishStopIfComplete()
    }
}

extension Process {
    /// The last thread to stop tells the parent.
    func finishStopIfComplete() {
        guard let signal = jobControl.stopSignal, !jobControl.isStopped, !isExiting else { return }
        let living = threads.filter { $0.state != .dead }
        guard !living.isEmpty, living.allSatisfy({ $0.state == .stopped }) else { return }
        jobControl.isStopped = true
        unreportedStop = signal
        for thread in living { kernel.sink?.stopped(thread, by: signal) }
        kernel.tellParent(of: self, code: 5, status: signal.rawValue)
    }

    /// True if no parent outside the group but inside the session could continue what stops in it.
    package var isInOrphanedGroup: Bool {
        kernel.isOrphaned(group: group)
    }
}

extension Kernel {
    /// What SIGCONT does when it is sent: the process runs again, whatever becomes of the signal itself.
    func resume(_ process: Process) {
        let control = process.jobControl
        guard let signal = control.stopSignal else { return }
        process.jobControl = JobControl()
        for thread in process.threads {
            thread.signals.mustStop = false
            guard thread.state == .stopped else { continue }
            let result = thread.signals.resultBeforeStop
            thread.signals.resultBeforeStop = nil
            thread.state = .running
            // Not from here: this may be the middle of another thread's call.
            _ = timers.schedule(at: clock.now) { [unowned self, thread] in
                guard thread.state == .running else { return }
                returnToGuest(thread, result: result)
            }
        }
        process.unreportedContinue = true
        if control.isStopped {
            process.unreportedStop = nil
            tellParent(of: process, code: 6, status: SignalNumber.continue.rawValue)
        } else {
            tellParent(of: process, code: 5, status: signal.rawValue)
        }
    }

    /// SIGCHLD for a stop or a continue, unless the parent does not care (`SA_NOCLDSTOP`), and the wake-up for its `wait`.
    /// `code` is `CLD_STOPPED` 5 or `CLD_CONTINUED` 6, `status` the signal.
    func tellParent(of process: Process, code: Int32, status: Int32) {
        guard let parent = process.parent else { return }
        let action = parent.actions[.child]
        if action.handler != SignalAction.ignore, action.flags & SignalAction.noChildStop == 0 {
            var info = SignalInfo(.child, code: code)
            info.processID = process.id
            info.userID = (process.leader ?? process.threads.first)?.credentials.userID ?? 0
            info.status = status
            send(info, to: parent)
        }
        parent.childEvents.wakeAll()
    }

    /// The living members of a process group, by number.
    package func members(ofGroup group: ProcessID) -> [Process] {
        processes.values.filter { $0.group == group }.sorted { $0.id < $1.id }
    }

    /// True if no member has a living parent in another group of its session. `leaving`, a process that is about to end,
    /// does not count. See `setpgid(2)`.
    package func isOrphaned(group: ProcessID, withoutCounting leaving: Process? = nil) -> Bool {
        for process in processes.values where process.group == group && process !== leaving && !process.isZombie {
            if let parent = process.parent, parent.group != group, parent.session == process.session { return false }
        }
        return true
    }

    /// SIGHUP and SIGCONT for the groups that the end of a process orphans while a member is stopped: its own, and those of
    /// its children. To be called when its last thread has ended, before its children are adopted.
    package func wakeOrphanedGroups(leaving process: Process) {
        var groups: [ProcessID] = []
        if let parent = process.parent, parent.group != process.group, parent.session == process.session {
            groups.append(process.group)
        }
        for child in process.children where child.group != process.group && child.session == process.session {
            if !groups.contains(child.group) { groups.append(child.group) }
        }
        for group in groups {
            let members = members(ofGroup: group).filter { $0 !== process && !$0.isZombie }
            guard members.contains(where: { $0.jobControl.isStopped }) else { continue }
            let isHeld = members.contains { member in
                guard let parent = member.parent, parent !== process else { return false }
                return parent.group != group && parent.session == member.session
            }
            guard !isHeld else { continue }
            for member in members {
                send(SignalInfo(kernel: .hangUp), to: member)
                send(SignalInfo(kernel: .continue), to: member)
            }
        }
    }
}
