package import LinuxABI
package import Platform
package import VFS

/// A sandbox's whole kernel state. It belongs to one host thread; nothing in it is locked.
package final class Kernel {
    /// What runs for a system call: see `HandlerTable` in `Syscalls`.
    package typealias Handler = @Sendable (GuestThread, ArgumentRegisters) throws(Errno) -> Int

    package let clock: any KernelClock
    package let timers = TimerHeap()
    package let futexes = FutexTable()
    package let unixSockets = UnixSockets()
    /// Who watches which files: `inotify(7)`.
    package let fileWatches = FileWatches()
    /// For how long what stubs were told of files holds.
    package let localEpoch = LocalEpoch()
    /// What a stub was told of an epoll.
    let readiness = LocalReadiness()
    /// What stubs were told of names.
    let statuses = StatusesByName()
    /// What two stubs were told of the pipes between them.
    let pipes = LocalPipes()
    /// How many handlers were run.
    var turn: UInt64 = 0
    /// Whose stubs may have posted calls.
    var cards: [DescriptorCards] = [] { didSet { noteWhoPosts() } }
    var localMappings: [LocalMappings] = [] { didSet { noteWhoPosts() } }
    var localWrites: [LocalWrites] = [] { didSet { noteWhoPosts() } }
    /// Whose threads may end without waking anybody here.
    var quietEnds: [MemoryMap] = [] { didSet { noteWhoPosts() } }
    var isTakingEnds = false
    /// The address space that threads have left in this way, while its stubs may answer no more than before: see `publishOldAnswers`.
    var oldAnswers: MemoryMap? {
        get { storedOldAnswers }
        set { storedOldAnswers = newValue }
    }
    private var storedOldAnswers: MemoryMap?
    private(set) var mayHavePosted = false
    var posted = PostedWords()
    private func noteWhoPosts() {
        mayHavePosted =
            !cards.isEmpty || !localMappings.isEmpty || !localWrites.isEmpty || !quietEnds.isEmpty
        posted.forget()
    }
    /// How often any process's limits were set.
    var limitsChanges: UInt64 = 0
    /// Whose stub can answer from what the last call has left.
    var newestCards: DescriptorCards? {
        // Entries are looked for with the newest ones only.
        didSet { if let oldValue, oldValue !== newestCards { oldValue.takeBackEntries() } }
    }
    /// System V message queues and semaphores: see `sysvipc(7)`.
    package let messageQueues = SystemVObjects<MessageQueue>()
    package let semaphoreSets = SystemVObjects<SemaphoreSet>()
    package let sharedSegments = SystemVObjects<SharedSegment>()
    /// Those that were removed while somebody had them attached.
    var doomedSegments: [(id: Int32, segment: SharedSegment)] = []
    package let pseudoTerminals = PseudoTerminals()
    /// Controlling terminals, by session.
    var terminals: [ProcessID: Terminal] = [:]
    /// Woken whenever a signal has become pending for anybody: `signalfd(2)` looks for its own.
    package let signalArrivals = WaitQueue()
    /// Queued signals by user (`RLIMIT_SIGPENDING`).
    package let signalAccounts = SignalAccounts()
    /// How long guests have run.
    package var cpuTimes: any CPUTimeSource = HostCPUTimeSource()
    /// Nil in tests that run handlers without guests.
    package let platform: TrapPlatform?
    /// By call number; nil is ENOSYS.
    package var handlers: [Handler?] {
        get { storedHandlers }
        set { storedHandlers = newValue }
    }
    private var storedHandlers: [Handler?] = []
    package internal(set) var processes: [ProcessID: Process] = [:]
    package internal(set) var threads: [ProcessID: GuestThread] = [:]
    /// The first guest process; the sandbox ends with it.
    package internal(set) var firstProcess: Process?
    /// The sandbox itself, as guests see it: see `makeInit`.
    package internal(set) var initProcess: Process?
    /// Threads whose wait has fired, in that order.
    var runnable: [GuestThread] = [] {
        didSet { hasRunnable = !runnable.isEmpty }
    }
    private(set) var hasRunnable = false
    private var lastID: Int32 = 1
    /// The call numbers that were made and have no handler; -1 stands for all beyond the table. Only for who is told of them.
    var unimplemented: Set<Int> = []
    /// Told of each unimplemented call the first time a thread makes it (`--verbose`).
    package var onUnimplemented: ((GuestThread, _ number: Int) -> Void)?
    /// Hears of every call, signal and end (`--trace`).
    package var sink: (any TraceSink)? {
        get { storedSink }
        set { storedSink = newValue }
    }
    // Stored apart: the language watches at run time over accesses to what other modules may store to.
    private var storedSink: (any TraceSink)? = nil
    /// What the auxiliary vector says of the processor: AT_HWCAP, AT_HWCAP2 and AT_MINSIGSTKSZ of the host.
    package var hardwareCapabilities: (first: UInt, second: UInt, minimumSignalStack: UInt) = (0, 0, 2048)
    /// What every program gets; nil for none.
    package var vdso: VDSO?
    /// Whose record locks each owner of some waits for.
    package var lockWaits: [FileLocks.Owner: LockWait] = [:]
    /// Somebody has asked what processes that have ended had in memory: from now on that is looked at before they do.
    package var isAskedForPeaks = false
    /// Where `memfd_create(2)`'s files and the like live; set when the sandbox boots.
    package var memoryFiles: (any MemoryFileMaker)?
    /// The thread whose call is being handled, or was last: who `/proc/self` is.
    package var currentThread: GuestThread? {
        get { storedCurrentThread }
        set { storedCurrentThread = newValue }
    }
    private var storedCurrentThread: GuestThread? = nil
    /// Names, for `uname(2)`.
    package var system = SystemIdentity()
    /// Whether hot call sites become jumps.
    package var patchesSites = false
    /// Asked of the host once.
    var knownProcessors: [UInt64]?
    private var lastAnonymousInode: UInt64 = 10_000
    /// Bytes of private memory that all guests together may map; nil for no limit.
    package var memoryLimit: UInt64?
    var memoryGuard: MemoryGuard?
    /// Told of each process that is ended because the limit was reached, with the bytes that it used.
    package var onOutOfMemory: ((Process, UInt64) -> Void)?
    /// Work of others than guests: host descriptors that became ready.
    package var hostEvents: (() -> Bool)?
    /// A signal of the host that is meant for the guest (Ctrl-C, SIGTERM), and whether for a whole group.
    package var onHostSignal: ((SignalNumber, Bool) -> Void)?

    package init(clock: any KernelClock, platform: TrapPlatform? = nil) {
        self.clock = clock
        self.platform = platform
        guard let platform else { return }
        platform.publishFilesEpoch(localEpoch.number)
        // It lives as long as the kernel.
        localEpoch.whenEnded = { [unowned platform, statuses] epoch in
            platform.publishFilesEpoch(epoch)
            statuses.withdraw()
        }
    }

    /// Lets a parked thread try its call again at the loop's next turn.
    package func makeRunnable(_ thread: GuestThread) {
        guard thread.state == .parked else { return }
        thread.state = .runnable
        runnable.append(thread)
    }

    /// A number that no process, thread, group or session has. Throws EAGAIN at `kernel.pid_max`.
    package func newID() throws(Errno) -> ProcessID {
        for _ in 0..<Kernel.maximumID {
            lastID = lastID >= Kernel.maximumID - 1 ? 300 : lastID + 1
            let id = ProcessID(lastID)
            if threads[id] == nil, processes[id] == nil,
                !processes.values.contains(where: { $0.group == id || $0.session == id })
            {
                return id
            }
        }
        throw .EAGAIN
    }

    /// An inode number for a pipe, socket or other file without a file system.
    package func newAnonymousInode() -> UInt64 {
        lastAnonymousInode += 1
        return lastAnonymousInode
    }

    /// See `memfd_create(2)`. Throws ENOSYS in a kernel without a place for such files.
    package func newMemoryFile(flags: UInt32, credentials: FileCredentials) throws(Errno) -> (any Inode, Mount) {
        guard let memoryFiles else { throw .ENOSYS }
        let inode = try memoryFiles.makeMemoryFile(
            NewInode(mode: FileMode(.regular, 0o777), userID: credentials.userID, groupID: credentials.groupID))
        // Without MFD_ALLOW_SEALING the file is sealed against seals.
        (inode as? any Sealable)?.seals = flags & 2 != 0 ? 0 : 1
        return (inode, memoryFiles.mount)
    }

    /// `kernel.pid_max`.
    package static let maximumID: Int32 = 4_194_304
}

/// Makes files that live in memory and have no name.
package protocol MemoryFileMaker: AnyObject {
    var mount: Mount { get }
    func makeMemoryFile(_ new: NewInode) throws(Errno) -> any Inode
}

/// Who hears of what guests do, in the one order in which the kernel does it.
package protocol TraceSink: AnyObject {
    /// A call is about to be handled for the first time.
    func began(_ thread: GuestThread)
    /// A call has its result (a negated errno for failure).
    func ended(_ thread: GuestThread, result: Int)
    func delivered(_ signal: SignalInfo, to thread: GuestThread)
    func cloned(_ parent: GuestThread, child: GuestThread, flags: UInt64)
    /// The program was replaced; `formerID` is the number that the thread had when it called.
    func executed(_ thread: GuestThread, path: [UInt8], formerID: ProcessID)
    /// A signal has stopped the thread's process.
    func stopped(_ thread: GuestThread, by signal: SignalNumber)
    func exited(_ thread: GuestThread, status: Int32)
}

/// The time, as the kernel sees it: the host's clocks, or a virtual one in tests and deterministic runs.
package protocol KernelClock: AnyObject {
    /// `CLOCK_MONOTONIC`.
    var now: MonotonicTime { get }
    /// `CLOCK_REALTIME`.
    var realTime: Timestamp { get }
    /// Any clock but those of processor time.
    func time(of clock: ClockNumber) -> Timestamp
    /// Nanoseconds between two ticks, which are what the coarse clocks show.
    var coarseResolution: Int64 { get }
}

extension KernelClock {
    package func time(of clock: ClockNumber) -> Timestamp {
        func coarse(_ time: Timestamp) -> Timestamp {
            Timestamp(seconds: time.seconds, nanoseconds: time.nanoseconds - time.nanoseconds % coarseResolution)
        }
        switch clock {
        case .realTime, .atomic: return realTime
        case .coarseRealTime: return coarse(realTime)
        case .coarseMonotonic: return coarse(Timestamp(totalNanoseconds: now.nanoseconds))
        default: return Timestamp(totalNanoseconds: now.nanoseconds)
        }
    }

    /// A tick of Linux at 250 Hz.
    package var coarseResolution: Int64 { 4_000_000 }
}

/// A clock that stands still until told otherwise, for tests.
package final class ManualClock: KernelClock {
    package var now: MonotonicTime
    package var realTime: Timestamp

    package init(now: MonotonicTime = MonotonicTime(nanoseconds: 0), realTime: Timestamp = Timestamp()) {
        self.now = now
        self.realTime = realTime
    }
}
