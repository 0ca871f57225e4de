package import LinuxABI
internal import Platform
package import VFS

/// A process: what its threads share. Linux's `signal_struct` and thread group.
package final class Process {
    package let id: ProcessID
    package unowned let kernel: Kernel
    /// Nil for the first process, and after the parent's death until the first process adopts it.
    package weak var parent: Process?
    /// The thread of the parent's that made it. While that one lives, `__WNOTHREAD` keeps it from the others.
    package var parentThread: ProcessID?
    package var children: [Process] = []
    package var group: ProcessID {
        didSet { kernel.publishAnswers(of: self) }
    }
    package var session: ProcessID
    /// In the order of creation; the leader first while it lives.
    package internal(set) var threads: [GuestThread] = [] {
        didSet { hasThreads = !threads.isEmpty }
    }
    private(set) var hasThreads = false

    /// What `CLONE_SIGHAND` shares.
    package var actions: SignalActions
    /// Signals sent to the process as a whole.
    package var pendingSignals = PendingSignals() {
        didSet { hasPendingSignals = !pendingSignals.set.isEmpty }
    }
    private(set) var hasPendingSignals = false
    package var limits: ResourceLimits {
        get { storedLimits }
        set {
            storedLimits = newValue
            kernel.limitsChanges += 1
            limitsVersion = kernel.limitsChanges
            if let map = threads.first?.map { kernel.tellLimits(of: self, map) }
        }
    }
    private var storedLimits = ResourceLimits()
    /// No other process's limits have it, nor others of this one's.
    private(set) var limitsVersion: UInt64 = 0
    /// RLIMIT_NOFILE.
    package var openFilesLimit: Int { storedLimits.openFiles }
    /// Stopped by a signal, or about to be.
    package var jobControl = JobControl()
    /// `setitimer(2)`, `timer_create(2)`.
    package let timers = ProcessTimers()
    /// As last seen; what counts after the end.
    package var lastCPUTime = CPUTime()
    /// The most that was seen of it in memory, in bytes: it is looked at when somebody asks, at execve and at its end.
    package var peakResident: UInt64 = 0
    /// The same of its children that were waited for, and of theirs, as far as it is known: see `childrenPeak`.
    var childrenPeakResident: UInt64 = 0
    /// What the host is still to say of it, and of those children, since they have ended.
    var unsettledPeak: PeakMemory?
    var unsettledChildren: [PeakMemory] = []
    /// The signal for the parent at exit (`CSIGNAL` of clone); 0 for none.
    package var exitSignal = SignalNumber(17)

    /// Set by exit_group or a fatal signal: every thread leaves at its next chance.
    package internal(set) var isExiting: Bool {
        get { storedIsExiting }
        set { storedIsExiting = newValue }
    }
    // Stored apart: the language watches at run time over accesses to what other modules may store to.
    private var storedIsExiting: Bool = false
    /// As `wait(2)` reports it; set with `isExiting`.
    package internal(set) var waitStatus: Int32 = 0
    /// True from the last thread's end until the parent has waited.
    package internal(set) var isZombie = false
    /// A job-control stop or continue that `wait` has not reported yet.
    package var unreportedStop: SignalNumber?
    package var unreportedContinue = false
    /// Woken when a child ends, stops or continues.
    package let childEvents = WaitQueue()
    /// Woken when this process ends (pidfd, vfork).
    package let endEvents = WaitQueue()

    /// The path as `/proc/pid/exe` shows it.
    package var executable: Dentry?
    package var startTime: MonotonicTime
    /// Bytes of the arguments and environment as exec laid them out in guest memory, for `/proc/pid/cmdline`, `environ`.
    package var argumentRange: Range<UInt> = 0..<0
    package var environmentRange: Range<UInt> = 0..<0
    package var dumpable = true
    package var parentDeathSignal: Int32 = 0
    package var isSubreaper = false
    /// `/proc/pid/oom_score_adj`.
    package var oomScoreAdjustment: Int32 = 0
    /// There are semaphores to give back at the end: `SEM_UNDO`.
    var undoesSemaphores = false
    /// `/proc/pid/coredump_filter`: kept for who asks, since no core is written.
    package var coreFilter: UInt32 = 0x33
    /// `/proc/pid/io`.
    package var transfers = TransferCounts()
    /// The name of the last thread, for as long as a zombie is listed.
    package internal(set) var lastName: [UInt8] = []
    /// Its real user's number, for who waits for it.
    package internal(set) var lastUserID: UInt32 = 0
    /// `PR_SET_THP_DISABLE`.
    package var disablesHugePages = false
    /// `membarrier(2)`: the kinds that the process has registered for.
    package var barrierRegistrations: Int32 = 0
    /// Watches `RLIMIT_CPU` while it is set.
    var cpuLimitTimer: IntervalTimer?
    package var hasExecuted = false
    /// CPU time of children that were waited for, in nanoseconds.
    package var childrenUserTime: Int64 = 0
    package var childrenSystemTime: Int64 = 0

    package init(
        id: ProcessID, kernel: Kernel, parent: Process?, group: ProcessID, session: ProcessID, actions: SignalActions
    ) {
        self.id = id
        self.kernel = kernel
        self.parent = parent
        self.group = group
        self.session = session
        self.actions = actions
        startTime = kernel.clock.now
    }

    /// What `getppid(2)` gives. Orphans, and the sandbox's first process unless it is number 1 itself, belong to number 1,
    /// which is the kernel's.
    package var visibleParent: ProcessID { parent?.id ?? ProcessID(id.rawValue == 1 ? 0 : 1) }

    /// The thread whose number is the process's; nil once it has ended.
    package var leader: GuestThread? { threads.first { $0.id == id } }
}

/// What a process has read and written so far, by `read(2)`, `write(2)` and their kind.
package struct TransferCounts: Sendable {
    package var bytesRead: UInt64 = 0
    package var bytesWritten: UInt64 = 0
    package var reads: UInt64 = 0
    package var writes: UInt64 = 0

    package init() {}

    mutating func add(_ other: TransferCounts) {
        reads &+= other.reads
        bytesRead &+= other.bytesRead
        writes &+= other.writes
        bytesWritten &+= other.bytesWritten
    }
}

/// What the process does on each signal. Linux's `sighand_struct`.
package final class SignalActions {
    private var actions = [SignalAction](repeating: SignalAction(), count: 65)
    /// Stubs that were told some of them: see `OwnHandlers`.
    private var informed: [Informed] = []

    private struct Informed {
        weak var stub: StubThread?
    }

    package init() {}

    package subscript(signal: SignalNumber) -> SignalAction {
        get { signal.isValid ? actions[Int(signal.rawValue)] : SignalAction() }
        set {
            guard signal.isValid else { return }
            actions[Int(signal.rawValue)] = newValue
            withdraw()
        }
    }

    /// A stub was told an action, and must hear when one changes.
    func inform(_ stub: StubThread) {
        guard !informed.contains(where: { $0.stub === stub }) else { return }
        informed.removeAll { $0.stub == nil }
        informed.append(Informed(stub: stub))
    }

    /// Nobody knows any of them any more.
    package func withdraw() {
        guard !informed.isEmpty else { return }
        for entry in informed { entry.stub?.withdrawHandlers() }
        informed = []
    }

    package func copy() -> SignalActions {
        let copy = SignalActions()
        copy.actions = actions
        return copy
    }

    /// Handlers become the default; ignored signals stay ignored. See `execve(2)`.
    package func resetForExec() {
        for index in actions.indices {
            let handler = actions[index].handler
            actions[index] = SignalAction()
            if handler == SignalAction.ignore { actions[index].handler = handler }
        }
    }
}

/// The kernel's `struct sigaction`: 32 bytes on x86-64.
package struct SignalAction: GuestStructure, Sendable, Equatable {
    package static let defaultHandler: UInt = 0
    package static let ignore: UInt = 1

    package var handler: UInt = 0
    package var flags: UInt = 0
    package var restorer: UInt = 0
    package var mask: SignalSet = []

    package init() {}

    package static var size: Int { 32 }

    package init(from reader: inout ByteReader) {
        handler = reader.take()
        flags = reader.take()
        restorer = reader.take()
        mask = SignalSet(rawValue: reader.take())
    }

    package func encode(to writer: inout ByteWriter) {
        writer.put(handler)
        writer.put(flags)
        writer.put(restorer)
        writer.put(mask.rawValue)
    }
}

/// `getrlimit(2)`: soft and hard bounds, by resource number 0..<16.
package struct ResourceLimits: Sendable {
    package struct Limit: Sendable, Equatable {
        package var soft: UInt64
        package var hard: UInt64

        package init(soft: UInt64, hard: UInt64) {
            self.soft = soft
            self.hard = hard
        }
    }

    package static let infinity = UInt64.max
    package var values: [Limit]

    package init() {
        values = [Limit](repeating: Limit(soft: .max, hard: .max), count: 16)
        values[3] = Limit(soft: 8 << 20, hard: .max)
        values[4] = Limit(soft: 0, hard: .max)
        values[6] = Limit(soft: 96364, hard: 96364)
        values[7] = Limit(soft: 1024, hard: 1 << 20)
        values[8] = Limit(soft: 8 << 20, hard: 8 << 20)
        values[11] = Limit(soft: 96364, hard: 96364)
        values[12] = Limit(soft: 819_200, hard: 819_200)
        values[13] = Limit(soft: 0, hard: 0)
        values[14] = Limit(soft: 0, hard: 0)
    }

    package var stack: Limit { values[3] }
    package var openFiles: Int { Int(clamping: values[7].soft) }
    package var fileSize: Limit { values[1] }
    package var addressSpace: Limit { values[9] }
}
