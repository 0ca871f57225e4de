internal import HostSystem
internal import LinuxABI
package import Platform
internal import VFS

/// The loop: one host thread takes requests in one order and runs each to completion.
extension Kernel {
    /// Runs guests until the first process has ended.
    /// - Returns: its wait status.
    package func run() -> Int32 {
        guard let platform, let first = firstProcess else { return 0 }
        lookForStrays()
        // Not at once: a program that ends soon would pay for the pages that come back.
        _ = timers.schedule(at: clock.now.advanced(byNanoseconds: Kernel.startTime)) { Host.forgetStart() }
        while first.hasThreads {
            var hasWorked = false
            // One request upon the other, but not for long: the rest waits.
            var served = 0
            while served < Kernel.burst, first.hasThreads, platform.serveNext(lingering: served > 0) {
                hasWorked = true
                served += 1
                if hasRunnable { break }
            }
            if hasRunnable {
                hasWorked = true
                carryOutPosted(before: nil)
                runRunnable()
            }
            platform.settleHandOver()
            if let due = timers.next, due <= clock.now {
                hasWorked = true
                withdrawTold()
                carryOutPosted(before: nil)
                timers.run(until: clock.now)
            }
            if hostEvents?() == true { hasWorked = true }
            let signals = platform.takeSignals()
            if !signals.isEmpty {
                hasWorked = true
                forward(signals)
            }
            // The death of a stub, which comes as a signal of the host, may have ended or woken somebody.
            if !hasWorked, !hasRunnable, first.hasThreads {
                carryOutPosted()
                if !hasRunnable { platform.wait(until: timers.next) }
            }
        }
        platform.shutDown()
        platform.endEverybody()
        return first.waitStatus
    }

    /// What still runs then runs for long.
    private static let startTime: Int64 = 300_000_000

    /// How many requests are served before timers, host descriptors and signals are looked at.
    private static let burst = 32

    private func lookForStrays() {
        _ = timers.schedule(at: clock.now.advanced(byNanoseconds: 1_000_000_000)) { [unowned self] in
            // The timers are the kernel's own.
            platform?.endStrays()
            lookForStrays()
        }
    }

    /// What comes in from the host is about to be handed on.
    package func somethingComesIn() { withdrawTold() }

    /// Anything may change: what stubs were told does not hold any more.
    func withdrawTold() {
        readiness.withdraw()
        statuses.withdraw()
        pipes.withdraw()
    }

    private func forward(_ signals: HostSignals) {
        withdrawTold()
        for number in 1...64 {
            let bit: UInt64 = 1 << UInt64(number - 1)
            if signals.group & bit != 0 { onHostSignal?(SignalNumber(Int32(number)), true) }
            if signals.process & bit != 0 { onHostSignal?(SignalNumber(Int32(number)), false) }
        }
    }

    /// One turn of every thread that was runnable when the turn began.
    private func runRunnable() {
        // Mostly one, for which no array need be made.
        if runnable.count == 1 { return run(again: runnable.removeLast()) }
        let turn = runnable
        runnable.removeAll(keepingCapacity: true)
        for thread in turn { run(again: thread) }
    }

    private func run(again thread: GuestThread) {
        guard thread.state == .runnable else { return }
        withdrawTold()
        thread.unpark()
        thread.state = .running
        thread.restart.isAgain = true
        dispatch(thread)
    }

    fileprivate func handle(_ event: StubEvent, of thread: GuestThread, _ stub: StubThread) {
        readiness.withdraw()
        pipes.withdraw()
        if !keepsNames(event, of: thread) { statuses.withdraw() }
        if thread.isUnmapping { thread.map?.settle(thread) }
        if stub.isMaskOut { thread.takeMask(from: stub) }
        if thread.heldStub != nil { thread.letGo() }
        switch event {
        case .syscall(let number, let arguments):
            thread.forgetRegisters()
            thread.enterCall(number, arguments)
            if stub.hasBegunCall { thread.takeBegunCall() }
            if stub.isAtHotSite { thread.patchSite(number) }
            begin(thread)
        case .fault(let fault):
            thread.forgetRegisters()
            thread.afterCommands = nil
            thread.restart.mapping = nil
            if let map = thread.map, !map.patches.isEmpty, takesAsCall(fault, of: thread, map) { return begin(thread) }
            if !thread.growStack(for: fault) { thread.postFault(fault) }
            returnToGuest(thread, result: nil)
        case .ready:
            thread.isReady = true
            if thread.whenReady == nil { stub.setAside() }
            arrived(thread)
        case .interrupted:
            thread.forgetRegisters()
            thread.afterCommands = nil
            thread.restart.mapping = nil
            returnToGuest(thread, result: nil)
        case .commandsDone(let lastResult, let failure):
            commandsDone(thread, lastResult: lastResult, failure: failure)
        case .forged:
            // Whoever writes nonsense into its own stub has ended itself.
            abort(thread, waitStatus: 9)
        }
    }

    /// The call begins that the thread has entered.
    private func begin(_ thread: GuestThread) {
        thread.afterCommands = nil
        sink?.began(thread)
        guard !thread.process.isExiting else { return end(thread) }
        dispatch(thread)
    }

    /// A `syscall` instruction that a jump has taken the place of does not exist any more: the fault is the call. And a
    /// program that steps through its own code shall not see that it jumps elsewhere.
    private func takesAsCall(_ fault: Fault, of thread: GuestThread, _ map: MemoryMap) -> Bool {
        // SIGTRAP, TRAP_TRACE
        if fault.signal == 5, fault.code == 2, map.users == 1 { map.patches.restoreAll(in: map.stub) }
        // SIGILL
        guard fault.signal == 4, map.patches.isCall(at: thread.registers.rip) else { return false }
        thread.registers.rip += 2
        thread.registers.rcx = thread.registers.rip
        thread.registers.r11 = thread.registers.flags
        thread.registersChanged = true
        let r = thread.registers
        thread.enterCall(
            Int(UInt32(truncatingIfNeeded: r.rax)), ArgumentRegisters([r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9]))
        return true
    }

    /// Ends the process of a thread that cannot be let go on, the thread itself at once.
    func abort(_ thread: GuestThread, waitStatus: Int32) {
        exitGroup(thread.process, waitStatus: waitStatus)
        end(thread)
    }

    /// Runs the handler of the call that the thread is in.
    func dispatch(_ thread: GuestThread) {
        currentThread = thread
        turn &+= 1
        let number = thread.call.number
        guard number >= 0, number < handlers.count, let handler = handlers[number] else {
            noteUnimplemented(number, of: thread)
            return finish(thread, result: -Int(Errno.ENOSYS.rawValue))
        }
        do throws(Errno) {
            let result = try handler(thread, thread.call.arguments)
            finish(thread, result: result)
        } catch {
            switch error {
            case .parked: park(thread)
            case .noReturn: break
            default: finish(thread, result: -Int(error.rawValue))
            }
        }
    }

    /// Numbers that no kernel has count as one, or a guest could fill the memory with them.
    private func noteUnimplemented(_ number: Int, of thread: GuestThread) {
        guard let onUnimplemented else { return }
        if unimplemented.insert(handlers.indices.contains(number) ? number : -1).inserted {
            onUnimplemented(thread, number)
        }
    }

    private func park(_ thread: GuestThread) {
        thread.stub?.block()
    }

    /// The handler is done: its commands go to the stub, and the result to the guest, at once or when they are done.
    func finish(_ thread: GuestThread, result: Int) {
        guard thread.state != .dead else { return }
        guard thread.hasCommands, let stub = thread.stub else {
            return complete(thread, result: result)
        }
        // With one thread nobody can see the address space between the answer and the commands; a command that fails is
        // reported in any case. Of several threads none may do so for most commands.
        if !thread.mustReport {
            guard let map = thread.map, map.users > 1 else { return complete(thread, result: result) }
            if thread.commandsStandAlone {
                map.expect(thread.commands, of: thread)
                return complete(thread, result: result)
            }
        }
        thread.mustReport = false
        thread.map?.isChanging = true
        thread.changesMap = true
        var answer = StubAnswer(value: result)
        answer.commands = thread.commands
        answer.reports = true
        thread.commands = []
        thread.restart.value = result
        do throws(Errno) {
            try stub.answer(answer)
        } catch {
            commandsDone(thread, lastResult: 0, failure: error)
        }
    }

    private func commandsDone(_ thread: GuestThread, lastResult: Int, failure: Errno?) {
        thread.endMapChange()
        if failure != nil, thread.movesState {
            thread.movesState = false
            force(SignalInfo(kernel: .segmentationViolation), to: thread)
            return returnToGuest(thread, result: nil)
        }
        let after = thread.afterCommands
        thread.afterCommands = nil
        guard let after else {
            if let failure, let mapping = thread.restart.mapping {
                return complete(thread, result: mapFailed(thread, mapping, failure))
            }
            // A result was given already, but its bytes met a bad address on their way to the guest.
            guard thread.call.isActive else {
                return returnToGuest(thread, result: failure.map { -Int($0.rawValue) })
            }
            return complete(thread, result: failure.map { -Int($0.rawValue) } ?? thread.restart.value)
        }
        switch after(thread, lastResult, failure) {
        case .result(let value): complete(thread, result: value)
        case .again:
            thread.restart.isAgain = true
            dispatch(thread)
        case .handled: break
        }
    }

    /// The stub could not map what `mmap(2)` has added. Only making pages present gives EFAULT, at the end of the file say, and
    /// that is no error of the mapping.
    /// - Returns: the call's result.
    private func mapFailed(_ thread: GuestThread, _ mapping: Range<UInt>, _ failure: Errno) -> Int {
        if failure == .EFAULT { return Int(bitPattern: mapping.lowerBound) }
        thread.map?.forget(mapping)
        return -Int((failure == .EAGAIN ? .ENOMEM : failure).rawValue)
    }

    /// The call has its result; nothing but signals stands between it and the guest.
    func complete(_ thread: GuestThread, result: Int) {
        // What is being killed does not come back from its call, not even from the kill(2) that did it.
        if !thread.process.isExiting { sink?.ended(thread, result: result) }
        thread.leaveCall()
        returnToGuest(thread, result: result)
    }

    /// Lets guest code go on, after the signals that wait for it. `result` is that of the call that the thread was in; nil
    /// if it was in none.
    func returnToGuest(_ thread: GuestThread, result: Int?) {
        guard let stub = thread.stub, thread.state != .dead else { return }
        if thread.process.isExiting { return end(thread) }
        if let result, thread.canSimplyReturn, !GuestThread.asksForRestart(result) {
            thread.leaveMask(with: stub, isTraced: sink != nil)
            if !thread.hasCommands {
                thread.state = .running
                guard hasRunnable else { return stub.answer(value: result) }
                return stub.answer(value: result, waking: true, next: runnable.count == 1 ? runnable[0].stub : nil)
            }
            if thread.commandsStandAlone {
                thread.state = .running
                return thread.answerWithCommands(result, through: stub)
            }
        }
        var answer = StubAnswer()
        if let result {
            thread.registers.rax = UInt(bitPattern: result)
            answer.value = result
        }
        if thread.hasPendingSignal || thread.signals.savedMask != nil || result.map(GuestThread.asksForRestart) == true
        {
            // A frame may stand on what these make.
            if thread.commands.contains(where: { !$0.movesState }) { return settle(thread, stub, result: result) }
            switch thread.deliverSignals(afterCall: result) {
            case .proceed: break
            case .stopped:
                // The stub must not ask again meanwhile.
                return stub.block()
            case .ended: return
            }
            thread.registersChanged = true
        }
        if thread.floatingPointStateChanged {
            answer.floatingPoint = thread.floatingPointState
            thread.floatingPointStateChanged = false
        }
        if thread.registersChanged || result == nil {
            thread.registersChanged = false
            answer.registers = thread.registers
            if let map = thread.map, !map.patches.isEmpty {
                answer.registers?.rip = map.patches.resumption(at: thread.registers.rip)
            }
            answer.value = Int(bitPattern: thread.registers.rax)
        }
        answer.commands = thread.commands
        thread.commands = []
        thread.leaveMask(with: stub, isTraced: sink != nil)
        thread.state = .running
        do throws(Errno) {
            try stub.answer(answer)
        } catch {
            abort(thread, waitStatus: 9)
        }
    }
}

extension Kernel {
    /// Has the stub carry out what waits; then the thread returns as it was about to.
    private func settle(_ thread: GuestThread, _ stub: StubThread, result: Int?) {
        var answer = StubAnswer()
        answer.commands = thread.commands
        answer.reports = true
        thread.commands = []
        thread.state = .running
        thread.afterCommands = { [unowned self] thread, _, failure in
            returnToGuest(thread, result: failure.map { -Int($0.rawValue) } ?? result)
            return .handled
        }
        do throws(Errno) {
            try stub.answer(answer)
        } catch {
            abort(thread, waitStatus: 9)
        }
    }
}

extension GuestThread: StubOwner {
    package func stubAsked(_ event: StubEvent, through stub: StubThread) {
        guard self.stub === stub else { return }
        if kernel.mayHavePosted {
            kernel.carryOutPosted(before: self)
            kernel.publishOldAnswers(before: event, of: self)
            // Another thread's end may have been this one's, too.
            guard self.stub === stub else { return kernel.publishOldAnswers(of: self) }
        }
        kernel.handle(event, of: self, stub)
        kernel.publishOldAnswers(of: self)
    }

    /// The host killed it (out of memory), or the guest found a way to end itself: every process in it is gone.
    package func stubDied(_ stub: StubThread, waitStatus: Int32) {
        guard let map else { return }
        kernel.withdrawTold()
        let status = waitStatus & 0x7f == 0 ? 9 : waitStatus & 0x7f
        for process in Array(kernel.processes.values) where process.threads.contains(where: { $0.map === map }) {
            kernel.exitGroup(process, waitStatus: status)
            // Also those that compute for the kernel's eyes: nothing of them is left that could be told to leave.
            for thread in process.threads where thread.map === map { kernel.end(thread) }
        }
    }
}

extension GuestThread {
    /// The commands that change the address space are carried out, or the thread ends among them.
    func endMapChange() {
        guard changesMap else { return }
        changesMap = false
        map?.isChanging = false
        map?.changed.wakeAll()
    }

    /// Nothing stands between the thread's new program and its first instruction.
    var canSimplyBegin: Bool { !standing.hasSavedMask && !hasPendingSignal && !floatingPointStateChanged }

    /// Nothing but the call's result and commands stands between the kernel and guest code.
    fileprivate var canSimplyReturn: Bool {
        !registersChanged && !floatingPointStateChanged && !standing.hasSavedMask
            && !hasPendingSignal
    }
}
