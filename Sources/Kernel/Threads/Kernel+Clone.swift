internal import GuestMemory
package import LinuxABI
internal import Platform
internal import VFS

/// `CLONE_*` of `clone(2)`.
package struct CloneFlags: OptionSet, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let memory = CloneFlags(rawValue: 0x100)
    package static let fileSystem = CloneFlags(rawValue: 0x200)
    package static let files = CloneFlags(rawValue: 0x400)
    package static let signalHandlers = CloneFlags(rawValue: 0x800)
    package static let pidFile = CloneFlags(rawValue: 0x1000)
    package static let vfork = CloneFlags(rawValue: 0x4000)
    package static let parent = CloneFlags(rawValue: 0x8000)
    package static let thread = CloneFlags(rawValue: 0x10000)
    package static let settls = CloneFlags(rawValue: 0x80000)
    package static let parentSetThreadID = CloneFlags(rawValue: 0x100000)
    package static let childClearThreadID = CloneFlags(rawValue: 0x200000)
    package static let childSetThreadID = CloneFlags(rawValue: 0x1000000)
    /// Means nothing any more, and is refused where a new flag is.
    package static let detached = CloneFlags(rawValue: 0x400000)
    package static let io = CloneFlags(rawValue: 0x8000_0000)
    package static let clearSignalHandlers = CloneFlags(rawValue: 0x1_0000_0000)
    /// Every namespace flag: mount, cgroup, uts, ipc, user, pid, net, time.
    package static let namespaces = CloneFlags(rawValue: 0x7e02_0080)
}

/// What `clone(2)` and its relatives ask for.
package struct CloneRequest {
    package var flags: CloneFlags = []
    package var exitSignal = SignalNumber(0)
    /// Top of the child's stack; 0 keeps the parent's.
    package var stack: UInt = 0
    package var parentThreadID: UInt = 0
    package var childThreadID: UInt = 0
    package var pidFile: UInt = 0
    package var tls: UInt = 0

    package init() {}
}

/// How threads and processes begin.
extension Kernel {
    /// Starts a copy of the calling thread; the handler returns what this returns, and the call ends with the child's number
    /// when the host has made it.
    package func clone(_ parent: GuestThread, _ request: CloneRequest) throws(Errno) -> Int {
        guard let map = parent.map, let stub = parent.stub, let platform else { throw .ENOSYS }
        if map.isChanging { throw parent.park(on: [map.changed], interrupted: .ERESTARTNOINTR) }
        let flags = request.flags
        let id = try newID()
        let process: Process
        if flags.contains(.thread) {
            process = parent.process
        } else {
            process = newProcess(id, like: parent, request)
        }
        // Where nobody traces it, a stub gives its state to the child itself.
        let floatingPoint = platform.isTracing ? stub.readFloatingPoint() ?? platform.initialFloatingPoint : nil
        let sharesMemory = flags.contains(.memory)
        let childStub: StubThread
        let childMap: MemoryMap
        if sharesMemory {
            // What waits for the parent could stop a child, which must go on as soon as it is let go.
            childStub = try map.stub.newThread(
                floatingPoint: floatingPoint, mayHaveRested: floatingPoint != nil || !parent.hasPendingSignal)
            childMap = map
        } else {
            childStub = try map.stub.newProcess(copying: stub, floatingPoint: floatingPoint)
            childMap = map.copy(into: childStub.process)
        }
        let child = GuestThread(
            id: id, process: process, files: flags.contains(.files) ? parent.files : parent.files.copy(),
            fileSystem: flags.contains(.fileSystem) ? parent.fileSystem : parent.fileSystem.copy(),
            credentials: parent.credentials, memory: childMap.memory, name: parent.name)
        if flags.contains(.files) { parent.files.addUser() }
        if !sharesMemory {
            // MADV_DONTFORK: the host has copied these, too.
            for area in map.areas.areas where area.isKeptFromChildren {
                child.append(.unmap(address: area.start, length: area.length))
            }
        }
        child.settings = parent.settings.inherited
        child.map = childMap
        childMap.users += 1
        child.stub = childStub
        childStub.owner = child
        childStub.gsBase = stub.gsBase
        child.signals.blocked = parent.signals.blocked
        if !sharesMemory || flags.contains(.vfork) { child.signals.alternateStack = parent.signals.alternateStack }
        var registers = parent.registers
        registers.rax = 0
        if request.stack != 0 { registers.rsp = request.stack }
        if flags.contains(.settls) { registers.fsBase = request.tls }
        child.registers = registers
        if flags.contains(.childClearThreadID) {
            child.clearThreadID = request.childThreadID
            if flags.contains(.thread) { tellPrivateRange(around: request.childThreadID, of: childMap) }
        }

        var pidNumber: FileNumber?
        if flags.contains(.pidFile) {
            do throws(Errno) {
                pidNumber = try installPidFile(process, for: parent, request)
            } catch {
                abandon(child)
                throw error
            }
        }
        if childStub.hasBegun {
            // It has rested, and goes on as the child: the host makes nothing, so nobody waits for it.
            child.isReady = true
            if let floatingPoint {
                child.floatingPointState = floatingPoint
                child.floatingPointStateChanged = true
            } else {
                parent.heldStub = (childStub, childStub.holdBack())
                parent.append(.startThread(slot: childStub.slot))
            }
            switch begin(child, of: parent, request, host: Int(childStub.hostThread)) {
            case .result(let id): return id
            case .again, .handled:
                // It sleeps as soon as its stub has let the child go.
                guard parent.heldStub != nil else { return try awaitVfork(parent, child: process) }
                parent.mustReport = true
                parent.afterCommands = { _, _, _ in .again }
                return parent.restart.value
            }
        }
        parent.commands = [
            sharesMemory
                ? .newThread(slot: childStub.slot) : .newProcess(slot: childStub.slot, child: childStub.process)
        ]
        parent.mustReport = true
        parent.childBeingMade = child
        parent.afterCommands = { [unowned self] parent, made, failure in
            parent.childBeingMade = nil
            if failure != nil || made <= 0 {
                abandon(child)
                if let pidNumber, let file = try? parent.files.remove(pidNumber) { file.release() }
                return .result(-Int(Errno.EAGAIN.rawValue))
            }
            return begin(child, of: parent, request, host: made)
        }
        return 0
    }

    /// `CLONE_PIDFD`: the parent gets a descriptor of its child. Throws EMFILE, EFAULT.
    private func installPidFile(
        _ process: Process, for parent: GuestThread, _ request: CloneRequest
    ) throws(Errno) -> FileNumber {
        let node = AnonymousNode(newAnonymousInode(), label: "[pidfd]")
        let file = OpenFile(PidFile(process, node: node), flags: [.readWrite])
        let number = try parent.files.install(file, closeOnExec: true, limit: parent.process.limits.openFiles)
        do throws(Errno) {
            try parent.copyOut(integer: number.rawValue, to: request.pidFile)
        } catch {
            _ = try parent.files.remove(number)
            file.release()
            throw error
        }
        return number
    }

    private func newProcess(_ id: ProcessID, like thread: GuestThread, _ request: CloneRequest) -> Process {
        let old = thread.process
        let flags = request.flags
        let actions: SignalActions
        if flags.contains(.signalHandlers) {
            actions = old.actions
        } else {
            actions = old.actions.copy()
            if flags.contains(.clearSignalHandlers) { actions.resetForExec() }
        }
        let parent = flags.contains(.parent) ? old.parent : old
        let process = Process(
            id: id, kernel: self, parent: parent, group: old.group, session: old.session, actions: actions)
        process.limits = old.limits
        process.exitSignal = flags.contains(.parent) ? old.exitSignal : request.exitSignal
        process.executable = old.executable
        process.argumentRange = old.argumentRange
        process.environmentRange = old.environmentRange
        process.dumpable = old.dumpable
        process.oomScoreAdjustment = old.oomScoreAdjustment
        process.disablesHugePages = old.disablesHugePages
        process.watchCPULimit()
        return process
    }

    /// The host could not make the child.
    private func abandon(_ child: GuestThread) {
        if child.process.threads.isEmpty { child.process.releaseTimers() }
        child.files.removeUser()
        child.state = .dead
        if let stub = child.stub {
            if child.map?.stub === stub.process, (child.map?.users ?? 0) > 1 {
                stub.process.abandon(stub)
            } else {
                stub.process.kill()
            }
            // They hold each other, and by way of each other the descriptors of the process that was not made.
            stub.owner = nil
            child.stub = nil
        }
        child.map?.users -= 1
    }

    /// The host has made the child: it exists from now on.
    private func begin(
        _ child: GuestThread, of parent: GuestThread, _ request: CloneRequest, host: Int
    ) -> CommandOutcome {
        let failed = CommandOutcome.result(-Int(Errno.EAGAIN.rawValue))
        guard let stub = child.stub else { return failed }
        if request.flags.contains(.memory) {
            // Used only together with the process's own number: a forged one reaches nobody else.
            stub.hostThread = Int32(truncatingIfNeeded: host)
        } else {
            do throws(Errno) {
                try stub.process.hostMade(host, thread: stub)
            } catch {
                abandon(child)
                return failed
            }
        }
        child.bindMemory()
        let process = child.process
        process.threads.append(child)
        threads[child.id] = child
        if let map = child.map { publishAnswers(of: map) }
        // The child may change the parent's descriptors.
        if let map = parent.map, map !== child.map, child.files === parent.files { publishAnswers(of: map) }
        if process !== parent.process {
            processes[process.id] = process
            process.parent?.children.append(process)
            process.parentThread = process.parent === parent.process ? parent.id : parent.process.parentThread
            if let maker = process.parent?.threads.first?.map { hearEnds(in: maker) }
        }
        sink?.cloned(
            parent, child: child,
            flags: request.flags.rawValue | UInt64(request.exitSignal.rawValue & 0xff))
        if request.flags.contains(.parentSetThreadID) {
            // At once, as the child may look before the parent's answer is carried out; unless it begins only then.
            if parent.heldStub?.stub === stub {
                try? parent.copyOut(encoded(child.id), to: request.parentThreadID)
            } else {
                try? parent.map?.memory.write(encoded(child.id).span, at: request.parentThreadID)
            }
        }
        let start: (GuestThread) -> Void = { [unowned self] child in
            if request.flags.contains(.childSetThreadID) {
                try? child.copyOut(encoded(child.id), to: request.childThreadID)
            }
            returnToGuest(child, result: nil)
        }
        child.whenReady = start
        if child.isReady { arrived(child) }
        guard request.flags.contains(.vfork) else { return .result(Int(child.id.rawValue)) }
        // The parent sleeps until the child has its own program or is gone: its handler runs again and finds this.
        parent.restart.object = process
        parent.restart.value = Int(child.id.rawValue)
        return .again
    }

    /// The thread's stub stands, and what is to happen then is known.
    func arrived(_ thread: GuestThread) {
        guard let start = thread.whenReady else { return }
        thread.whenReady = nil
        thread.stub?.heed()
        do throws(Errno) {
            try thread.stub?.process.confirm()
        } catch {
            // Somebody has told a number that is not this process's.
            return abort(thread, waitStatus: 9)
        }
        start(thread)
    }

    /// The thread ends while the host was making its child, of which nobody will hear.
    func disownChild(of thread: GuestThread) {
        guard let child = thread.childBeingMade, let stub = child.stub else { return }
        thread.childBeingMade = nil
        stub.process.disown(stub)
        child.stub = nil
        abandon(child)
        // Long after the host has made it, or has not.
        _ = timers.schedule(at: clock.now.advanced(byNanoseconds: 5_000_000_000)) { stub.process.forget(stub) }
    }

    private func encoded(_ id: ProcessID) -> [UInt8] {
        var writer = ByteWriter(capacity: 4)
        writer.put(id.rawValue)
        return writer.bytes
    }

    /// The second half of `vfork(2)`, at each further try.
    package func awaitVfork(_ parent: GuestThread, child: Process) throws(Errno) -> Int {
        if child.hasExecuted || child.threads.isEmpty { return parent.restart.value }
        parent.parkUnlessDying(on: child.endEvents)
        throw .parked
    }
}

extension GuestThread {
    /// The child that this thread's stub was to let go goes on in any case.
    func letGo() {
        guard let held = heldStub else { return }
        heldStub = nil
        held.stub.letGo(held.hold)
    }

    /// Parks where only death ends the wait early.
    func parkUnlessDying(on queue: WaitQueue) {
        queue.add(self)
        waits = [queue]
        state = .parked
    }
}
