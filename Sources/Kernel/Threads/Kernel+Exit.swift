internal import LinuxABI
internal import Platform
internal import VFS

/// How threads and processes end. See `exit(2)`, `exit_group(2)`, `wait(2)`.
extension Kernel {
    /// Ends the calling thread; the last one of a process ends the process with `status` (0...255) as its exit code.
    package func exit(_ thread: GuestThread, status: Int32) {
        if thread.process.threads.count == 1, !thread.process.isExiting {
            thread.process.waitStatus = (status & 0xff) << 8
            thread.process.isExiting = true
        }
        end(thread)
    }

    /// Ends every thread of the process. The first reason counts; `waitStatus` is as `wait(2)` reports it: an exit code
    /// times 256, or a signal, with 0x80 for a core.
    package func exitGroup(_ process: Process, waitStatus: Int32) {
        if !process.isExiting {
            process.isExiting = true
            process.waitStatus = waitStatus
        }
        for thread in process.threads {
            switch thread.state {
            case .parked, .runnable, .stopped: end(thread)
            case .running where ownsItsMemory(process) && !mayTakeSharedLocks(thread): end(thread)
            // In guest code, in an address space that goes on, or where it could take a lock of others' after its list of
            // them was looked at: it ends when its stub asks.
            case .running:
                thread.stub?.interrupt()
                insist(on: thread, tries: 100)
            case .dead: break
            }
        }
    }

    /// True if the thread has a robust list, and its process memory that others may share.
    private func mayTakeSharedLocks(_ thread: GuestThread) -> Bool {
        guard thread.robustList != 0, let map = thread.map else { return false }
        return map.areas.areas.contains { $0.isShared && $0.protection.contains(.write) }
    }

    /// Interrupts a thread that has to end until it does. A guest can make its stub deaf: then all that lives in the address
    /// space goes with it.
    private func insist(on thread: GuestThread, tries: Int) {
        _ = timers.schedule(at: clock.now.advanced(byNanoseconds: 50_000_000)) { [weak self, weak thread] in
            guard let self, let thread, thread.state == .running, let stub = thread.stub else { return }
            guard tries > 0 else { return thread.stubDied(stub, waitStatus: SignalNumber.kill.rawValue) }
            stub.interrupt()
            insist(on: thread, tries: tries - 1)
        }
    }

    /// True if no thread of another process lives in the process's memory.
    private func ownsItsMemory(_ process: Process) -> Bool {
        guard let map = process.threads.first?.map else { return true }
        return map.users == process.threads.lazy.filter { $0.map === map }.count
    }

    /// Takes a thread out of everything. Its host thread leaves, or its host process dies with the last one.
    /// `hostThreadEnds` is false when the whole address space is about to go, so that nobody need tell the host thread,
    /// which may be computing.
    func end(_ thread: GuestThread, hostThreadEnds: Bool = true) {
        guard thread.state != .dead else { return }
        let process = thread.process
        // The last look at how long the process has run, while its host process is there to be asked.
        if process.threads.count == 1 {
            process.lastCPUTime = process.cpuTime
            process.noteLastPeak()
        }
        thread.unpark()
        disownChild(of: thread)
        if thread.state != .running || thread.call.isActive { thread.letGo() }
        thread.endMapChange()
        if thread.isUnmapping { thread.map?.settle(thread) }
        thread.afterCommands = nil
        thread.whenReady = nil
        runnable.removeAll { $0 === thread }
        thread.state = .dead
        thread.releaseFutexesAtExit()
        thread.files.removeUser()
        thread.countLocalTransfers()
        let stub = thread.stub
        let map = thread.map
        thread.stub = nil
        process.threads.removeAll { $0 === thread }
        process.lastName = thread.name
        process.lastUserID = thread.credentials.userID
        threads[thread.id] = nil
        if !process.threads.isEmpty, !process.isExiting {
            thread.leaveSignals()
            passChildrenOn(of: thread)
        }
        if let map { leave(map, stub: hostThreadEnds ? stub : nil) }
        sink?.exited(thread, status: process.waitStatus)
        if process.threads.isEmpty { endProcess(process) }
    }

    /// The children that the thread made go to another thread of its process. `PR_SET_PDEATHSIG` means the death of the
    /// thread, not of the process: see `PR_SET_PDEATHSIG(2const)`.
    private func passChildrenOn(of thread: GuestThread) {
        for child in thread.process.children where child.parentThread == thread.id {
            child.parentThread = thread.process.threads.first?.id
            tellOfDeath(child, of: thread.process)
        }
    }

    private func tellOfDeath(_ child: Process, of parent: Process) {
        guard child.parentDeathSignal != 0 else { return }
        var info = SignalInfo(SignalNumber(child.parentDeathSignal), code: SignalInfo.user)
        info.processID = parent.id
        send(info, to: child)
    }

    /// A thread leaves an address space; with the last one the stub process goes.
    func leave(_ map: MemoryMap, stub: StubThread?) {
        map.users -= 1
        if map.users <= 0 {
            map.removeAll()
            map.localFiles?.release()
            pipes.forget(map)
            dropCards(of: map)
            dropMappings(of: map)
            letEndQuietly(map, [])
            dropWrites(of: map)
            map.stub.kill()
        } else if let stub {
            stub.owner = nil
            map.stub.end(stub)
        }
        guard map.users > 0 else { return }
        if isTakingEnds { answersAreOld(of: map) } else { publishAnswers(of: map) }
    }

    private func endProcess(_ process: Process) {
        process.isExiting = true
        process.isZombie = true
        process.releaseTimers()
        pruneSegments()
        if process.undoesSemaphores { for set in semaphoreSets.objects { set.undo(of: process) } }
        if process.session == process.id { leaveTerminal(process.session, isExit: true) }
        wakeOrphanedGroups(leaving: process)
        for child in process.children {
            child.parent = reaper(for: process)
            // Who adopts a child hears of its end as of any other's.
            child.exitSignal = .child
            publishAnswers(of: child)
            tellOfDeath(child, of: process)
            if let parent = child.parent {
                parent.children.append(child)
                if child.isZombie { notify(parent, ofEndOf: child) }
            } else if child.isZombie {
                forget(child)
            }
        }
        process.children = []
        process.endEvents.wakeAll()
        guard let parent = process.parent else { return forget(process) }
        notify(parent, ofEndOf: process)
    }

    /// What a parent hears of the end of a child. Linux's `do_notify_parent`.
    private func notify(_ parent: Process, ofEndOf process: Process) {
        let action = parent.actions[.child]
        let signal = process.exitSignal
        let isIgnored = signal == .child && action.handler == SignalAction.ignore
        // Not even one that is blocked waits to be let in.
        if signal.isValid, !isIgnored {
            var info = SignalInfo(
                signal, code: process.waitStatus & 0x7f == 0 ? 1 : process.waitStatus & 0x80 != 0 ? 3 : 2)
            info.processID = process.id
            info.userID = process.lastUserID
            info.status = process.waitStatus & 0x7f == 0 ? process.waitStatus >> 8 & 0xff : process.waitStatus & 0x7f
            info.userTime = process.lastCPUTime.user / Kernel.clockTick
            info.systemTime = process.lastCPUTime.system / Kernel.clockTick
            send(info, to: parent)
        }
        if isIgnored || signal == .child && action.flags & SignalAction.noChildWait != 0 {
            // Nobody waits for it, so that its time does not count as a child's.
            parent.children.removeAll { $0 === process }
            forget(process)
        }
        parent.childEvents.wakeAll()
    }

    /// Nanoseconds of a clock tick (`USER_HZ`).
    private static let clockTick: Int64 = 10_000_000

    /// Who adopts the orphans of a process: the nearest subreaper above it; nil is the sandbox itself, which reaps at once.
    private func reaper(for process: Process) -> Process? {
        var candidate = process.parent
        while let ancestor = candidate {
            if ancestor.isSubreaper, !ancestor.isExiting { return ancestor }
            candidate = ancestor.parent
        }
        return nil
    }

    /// The parent has waited for the process: its number is free.
    package func reap(_ process: Process) {
        process.parent?.addTime(of: process)
        process.parent?.children.removeAll { $0 === process }
        forget(process)
    }

    private func forget(_ process: Process) {
        processes[process.id] = nil
    }
}
