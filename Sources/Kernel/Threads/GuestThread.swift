package import GuestMemory
package import LinuxABI
package import Platform
package import VFS

/// One guest thread: Linux's `task_struct`, minus what the thread group shares (`Process`).
package final class GuestThread: Waiter {
    /// Changes only when `execve(2)` leaves another thread than the leader.
    package private(set) var id: ProcessID
    package unowned let kernel: Kernel
    package let process: Process

    /// What `CLONE_FILES` shares.
    package var files: FileTable {
        get { storedFiles }
        set {
            storedFiles = newValue
            if let map { kernel.publishAnswers(of: map) }
        }
    }
    // Stored apart: the language watches at run time over accesses to what other modules may store to.
    private var storedFiles: FileTable
    /// What `CLONE_FS` shares: root, working directory, umask.
    package var fileSystem: FileSystemContext {
        get { storedFileSystem }
        set { storedFileSystem = newValue }
    }
    private var storedFileSystem: FileSystemContext
    package var credentials: Credentials {
        get { storedCredentials }
        set {
            storedCredentials = newValue
            fileCredentials = FileCredentials(newValue)
            if let map { kernel.publishAnswers(of: map) }
        }
    }
    private var storedCredentials: Credentials
    /// What file systems look at of them.
    package private(set) var fileCredentials: FileCredentials {
        get { storedFileCredentials }
        set { storedFileCredentials = newValue }
    }
    private var storedFileCredentials: FileCredentials
    package var settings = ThreadSettings()
    /// Blocked and pending signals, the alternate stack.
    package var signals = ThreadSignals() {
        didSet { standing = SignalStanding(of: signals) }
    }
    /// What every call asks of `signals`. The language watches at run time over accesses to those, and not to this.
    private(set) var standing = SignalStanding(of: ThreadSignals())
    /// `PR_SET_NAME`: at most 15 bytes.
    package var name: [UInt8]
    /// How calls reach the guest's memory.
    package var memory: any GuestMemory {
        get { storedMemory }
        set { storedMemory = newValue }
    }
    private var storedMemory: any GuestMemory
    /// The address space; nil in tests that need none.
    package var map: MemoryMap? {
        get { storedMap }
        set { storedMap = newValue }
    }
    private var storedMap: MemoryMap? = nil
    /// The host thread that runs the guest's code; nil in tests, and once the thread has ended.
    package var stub: StubThread? {
        get { storedStub }
        set { storedStub = newValue }
    }
    private var storedStub: StubThread? = nil
    /// What the stub has to do before the call that is being handled returns. To add to them through this would copy all
    /// that are there: there can be tens of thousands.
    package internal(set) var commands: [StubCommand] {
        get { storedCommands }
        set { storedCommands = newValue }
    }
    private var storedCommands: [StubCommand] = [] {
        didSet { hasCommands = !storedCommands.isEmpty }
    }
    private(set) var hasCommands = false

    package func append(_ command: StubCommand) { storedCommands.append(command) }
    package func append(contentsOf commands: [StubCommand]) { storedCommands += commands }

    /// The last one closes a file that its stub shall keep.
    func keepFile() {
        guard case .closeFile? = storedCommands.last else { return }
        storedCommands[storedCommands.count - 1] = .keepFile
    }

    /// True if all of them stand alone and fit one answer.
    var commandsStandAlone: Bool {
        guard storedCommands.count <= GuestLayout.maximumCommands else { return false }
        for command in storedCommands where !command.standsAlone { return false }
        return true
    }

    /// Answers the call and hands the commands over, which stand alone.
    func answerWithCommands(_ value: Int, through stub: StubThread) {
        stub.answer(value: value, commands: storedCommands)
        storedCommands.removeAll(keepingCapacity: true)
    }

    /// Set by a call whose result depends on its commands: run when the stub has carried them out.
    package var afterCommands: ((GuestThread, _ lastResult: Int, _ failure: Errno?) -> CommandOutcome)? {
        get { storedAfterCommands }
        set { storedAfterCommands = newValue }
    }
    private var storedAfterCommands: ((GuestThread, _ lastResult: Int, _ failure: Errno?) -> CommandOutcome)? = nil
    /// The commands' outcome decides the call's result: wait for it.
    package var mustReport: Bool {
        get { storedMustReport }
        set { storedMustReport = newValue }
    }
    private var storedMustReport = false
    /// Nobody else may change the address space before the stub has reported.
    var changesMap = false
    /// Its stub was told to unmap something and has not asked since: see `MemoryMap.expect`.
    var isUnmapping = false
    /// What `clone(2)` has asked the host for and not heard of yet.
    var childBeingMade: GuestThread?
    /// A thread that this one's stub has been told to let go, until it asks again.
    var heldStub: (stub: StubThread, hold: Int)?
    /// Set while a new host thread is awaited.
    var whenReady: ((GuestThread) -> Void)?
    /// The new host thread stands in its stub already.
    var isReady = false
    /// A call has changed more registers than rax.
    package var registersChanged: Bool {
        get { storedRegistersChanged }
        set { storedRegistersChanged = newValue }
    }
    private var storedRegistersChanged: Bool = false
    /// With `floatingPointStateChanged`: what the thread begins with, as an XSAVE area in standard format.
    package var floatingPointState: [UInt8] = []
    package var floatingPointStateChanged: Bool {
        get { storedFloatingPointStateChanged }
        set { storedFloatingPointStateChanged = newValue }
    }
    private var storedFloatingPointStateChanged: Bool = false
    /// The last answer has the stub move floating-point state to or from a signal frame: a failure is the frame's.
    var movesState: Bool {
        get { storedMovesState }
        set { storedMovesState = newValue }
    }
    private var storedMovesState = false
    /// The general registers while the thread is in the kernel: fetched from its stub when somebody asks, since most calls
    /// never do, and the lines that hold them would travel between processors at each.
    package var registers: UserRegisters {
        get {
            if !hasRegisters {
                hasRegisters = true
                if let stub { knownRegisters = stub.readRegisters() }
                if let map, !map.patches.isEmpty { map.patches.canonical(&knownRegisters) }
            }
            return knownRegisters
        }
        set {
            hasRegisters = true
            knownRegisters = newValue
        }
    }
    private var knownRegisters = UserRegisters()
    private var hasRegisters = true

    /// The stub has asked: what is known of the registers is out of date.
    func forgetRegisters() {
        hasRegisters = false
        movesState = false
    }

    /// What the stub has done of the futex call that is being handled: see `LocalFutexes`.
    var begunCall: UInt?

    /// What must survive from one try of a call to the next; empty at the first try of each call.
    package var restart: RestartState {
        get { storedRestart }
        set {
            storedRestart = newValue
            hasRestart = true
        }
    }
    private var storedRestart = RestartState()
    /// It is not as a call begins with it.
    private var hasRestart = false
    /// The handler runs again.
    package var isRetry: Bool { storedRestart.isAgain }
    /// How far its tries have come. To ask `restart` would copy all of that.
    package var bytesDone: Int { storedRestart.bytesDone }
    /// The call that the thread is in, or was last in.
    package var call: SyscallInFlight {
        get { storedCall }
        set { storedCall = newValue }
    }
    private var storedCall: SyscallInFlight = SyscallInFlight()

    /// A call begins, or what counts as one.
    func enterCall(_ number: Int, _ arguments: ArgumentRegisters) {
        storedCall.number = number
        storedCall.arguments = arguments
        storedCall.isActive = true
        if hasRestart {
            storedRestart = RestartState()
            hasRestart = false
        }
    }

    func leaveCall() { storedCall.isActive = false }
    package internal(set) var state: State {
        get { storedState }
        set { storedState = newValue }
    }
    private var storedState: State = State.running

    /// `set_tid_address(2)`, `CLONE_CHILD_CLEARTID`.
    package var clearThreadID: UInt {
        // A word of the stub's, as below.
        get { stub?.threadIDAddress ?? 0 }
        set {
            stub?.threadIDAddress = newValue
            tellEndWord()
        }
    }
    /// See `notePosting`.
    var callsWithoutPosts = 0
    /// Its stub has cleared that word as it ended, and has woken who waited for it there.
    var hasClearedWord = false
    /// `set_robust_list(2)`.
    package var robustList: UInt {
        // A word of the stub's, which threads set without asking.
        get { stub?.robustList ?? 0 }
        set { stub?.robustList = newValue }
    }
    /// The queues that the thread stands in while it is parked.
    var waits: [WaitQueue] = []
    var deadline: Deadline?

    package enum State: Sendable {
        /// In guest code, or its call is being handled now.
        case running
        /// Its handler said what it waits for.
        case parked
        /// A wait has fired: the handler runs again at the loop's next turn.
        case runnable
        /// By a stop signal.
        case stopped
        case dead
    }

    package init(
        id: ProcessID, process: Process, files: FileTable, fileSystem: FileSystemContext, credentials: Credentials,
        memory: any GuestMemory, name: [UInt8]
    ) {
        self.id = id
        self.process = process
        self.kernel = process.kernel
        storedFiles = files
        storedFileSystem = fileSystem
        storedCredentials = credentials
        storedFileCredentials = FileCredentials(credentials)
        storedMemory = memory
        self.name = name
    }

    func takeNumber(_ number: ProcessID) { id = number }

    /// From now on calls reach memory by way of the stub thread's payloads.
    func bindMemory() {
        guard let stub, let map else { return }
        let memory = stub.guestMemory
        // The map is bound anew where the thread gets another. A weak reference to the thread would make every other one
        // to it several times as dear.
        memory.mayWrite = { address, count in
            // The platform has checked that the range lies in the guest's address space.
            let (end, overflow) = address.addingReportingOverflow(UInt(count))
            return !overflow && map.areas.surelyTakes(address..<end)
        }
        self.memory = memory
    }

    package func fire(_ queue: WaitQueue, _ events: PollEvents) { kernel.makeRunnable(self) }
}

/// How a call goes on after its commands.
package enum CommandOutcome {
    /// With this result (a negated errno for failure).
    case result(Int)
    /// The handler runs again.
    case again
    /// Something else takes care of the thread.
    case handled
}

/// What one system call was, for restarts and for the trace.
package struct SyscallInFlight {
    package var number = 0
    package var arguments = ArgumentRegisters([0, 0, 0, 0, 0, 0])
    package var isActive = false

    package init() {}
}

/// What a handler keeps between its tries. It is emptied when a new call begins.
package struct RestartState {
    /// The absolute time at which the wait ends; computed at the first try.
    package var deadline: MonotonicTime?
    package var bytesDone = 0
    package var value = 0
    package var object: AnyObject?
    /// The futex's word that the stub changes or has changed for this call.
    package var update: FutexUpdate?
    /// What `mmap(2)` has its stub map: forgotten where that fails, also after the call has had its result.
    package var mapping: Range<UInt>?
    /// False at the first try.
    package var isAgain = false

    package init() {}
}

// MARK: - Waiting

extension GuestThread {
    /// Parks the thread: `throw thread.park(on: …)`. The handler runs again when a queue fires, when the deadline
    /// passes (the handler compares with `kernel.clock.now` itself), or when a signal arrives.
    ///
    /// With a signal pending it does not park: it gives back `interrupted` (`ERESTARTSYS`, `ERESTARTNOHAND`,
    /// `ERESTART_RESTARTBLOCK`, `EINTR`: see `signal(7)`), as Linux's handlers do.
    /// - Returns: what to throw.
    package func park(
        on queues: [WaitQueue], for events: PollEvents = .all, until deadline: MonotonicTime? = nil,
        interrupted: Errno = .ERESTARTSYS, exclusive: Bool = false
    ) -> Errno {
        if hasPendingSignal { return interrupted }
        for queue in queues { queue.add(self, for: events, exclusive: exclusive) }
        waits = queues
        if let deadline, deadline != .never {
            self.deadline = kernel.timers.schedule(at: deadline) { [unowned self] in wakeUp() }
        }
        state = .parked
        return .parked
    }

    /// Lets others have their turn in the midst of a long call: `throw thread.giveWay()`. The handler runs again at the
    /// loop's next turn, and goes on from what it has kept in `restart`. With a signal pending it gives back `interrupted`.
    package func giveWay(interrupted: Errno = .ERESTARTSYS) -> Errno {
        if hasPendingSignal { return interrupted }
        state = .runnable
        kernel.runnable.append(self)
        return .parked
    }

    /// What one handler moves before it lets others have their turn, in bytes.
    package static let turn = 16 << 20

    private func wakeUp() { kernel.makeRunnable(self) }

    /// Forgets every wait; called by the loop before the handler runs again.
    func unpark() {
        for queue in waits { queue.remove(self) }
        waits.removeAll(keepingCapacity: true)
        if let deadline { kernel.timers.cancel(deadline) }
        deadline = nil
    }

    /// True when a signal that is not blocked waits to be delivered, or the thread must die.
    package var hasPendingSignal: Bool {
        if process.isExiting || standing.mustStop { return true }
        guard standing.isPending || process.hasPendingSignals else { return false }
        let pending = signals.pending.set.union(process.pendingSignals.set)
        return !pending.isEmpty && !pending.subtracting(blockedSignals).isEmpty
    }
}

// MARK: - Guest memory

extension GuestThread {
    /// The largest single copy that a handler may ask for: bounds the kernel's memory, not the guest's calls, which are
    /// shortened or done piece by piece.
    package static let maximumCopy = 16 << 20

    /// Reads `count` bytes of guest memory. Throws EFAULT; ENOMEM above `maximumCopy`.
    package func copyIn(_ count: Int, from address: UInt) throws(Errno) -> [UInt8] {
        guard count >= 0, count <= GuestThread.maximumCopy else { throw .ENOMEM }
        guard count > 0 else { return [] }
        return try [UInt8](capacity: count) { output throws(Errno) in
            try memory.read(count, at: address, into: &output)
        }
    }

    /// Reads a structure.
    package func copyIn<T: GuestStructure, Pointee>(_: T.Type, from pointer: UserPointer<Pointee>) throws(Errno) -> T {
        var reader = ByteReader(try copyIn(T.size, from: pointer.address))
        return T(from: &reader)
    }

    /// Reads one integer.
    package func copyIn<T: FixedWidthInteger>(_: T.Type, from address: UInt) throws(Errno) -> T {
        var reader = ByteReader(try copyIn(T.bitWidth / 8, from: address))
        return reader.take()
    }

    /// Writes bytes to guest memory. Throws EFAULT.
    package func copyOut(_ bytes: [UInt8], to address: UInt) throws(Errno) {
        guard !bytes.isEmpty else { return }
        try memory.write(bytes.span, at: address)
    }

    /// Writes bytes as far as the guest's memory reaches, a page at a time where it does not reach far enough, as Linux's
    /// transfers do. Throws EFAULT when not even the first byte can be written.
    /// - Returns: how many were written.
    package func copyOutWhatFits(_ bytes: [UInt8], to address: UInt) throws(Errno) -> Int {
        guard !bytes.isEmpty else { return 0 }
        do throws(Errno) {
            try memory.write(bytes.span, at: address)
            return bytes.count
        } catch {
            var done = 0
            while done < bytes.count {
                let next = address &+ UInt(done)
                let piece = min(bytes.count - done, Int(4096 - next % 4096))
                guard (try? memory.write(bytes.span.extracting(done..<done + piece), at: next)) != nil else { break }
                done += piece
            }
            guard done > 0 else { throw error }
            return done
        }
    }

    /// Reads bytes as far as the guest's memory reaches, up to `count`. Throws EFAULT when not even the first byte can be
    /// read.
    package func copyInWhatIsThere(_ count: Int, from address: UInt) throws(Errno) -> [UInt8] {
        do throws(Errno) {
            return try copyIn(count, from: address)
        } catch {
            guard error == .EFAULT else { throw error }
            var bytes: [UInt8] = []
            while bytes.count < count {
                let next = address &+ UInt(bytes.count)
                let piece = min(count - bytes.count, Int(4096 - next % 4096))
                guard let part = try? copyIn(piece, from: next) else { break }
                bytes += part
            }
            guard !bytes.isEmpty else { throw error }
            return bytes
        }
    }

    package func copyOut<T: GuestStructure, Pointee>(_ value: T, to pointer: UserPointer<Pointee>) throws(Errno) {
        try copyOut(value.encoded, to: pointer.address)
    }

    package func copyOut<T: FixedWidthInteger>(integer value: T, to address: UInt) throws(Errno) {
        var writer = ByteWriter(capacity: T.bitWidth / 8)
        writer.put(value)
        try copyOut(writer.bytes, to: address)
    }

    /// Reads a NUL-terminated string of at most `limit` bytes without the NUL. Throws EFAULT, and `tooLong` when there is
    /// no NUL within the limit.
    package func copyInString(
        from address: UInt, limit: Int = 4096, tooLong: Errno = .ENAMETOOLONG
    ) throws(Errno) -> [UInt8] {
        if let text = memory.stringAtHand(address, limit: limit) { return text }
        var bytes: [UInt8] = []
        var next = address
        while bytes.count < limit {
            // Never past the page: the string may end just before an unmapped one.
            let cached = memory.cachedCount(at: next)
            let count = min(limit - bytes.count, cached > 0 ? cached : Int(4096 - next % 4096))
            let piece = try copyIn(count, from: next)
            if let end = piece.firstIndex(of: 0) { return bytes + piece[..<end] }
            bytes += piece
            let (after, overflow) = next.addingReportingOverflow(UInt(count))
            guard !overflow else { throw .EFAULT }
            next = after
        }
        throw tooLong
    }

    /// Reads a path: ENAMETOOLONG from 4096 bytes (with NUL) on, EFAULT.
    package func copyInPath(from pointer: UserString) throws(Errno) -> [UInt8] {
        try copyInString(from: pointer.address, limit: 4096)
    }
}
