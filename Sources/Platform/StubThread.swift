package import LinuxABI
internal import Stub
import Synchronization

/// Whom a stub's requests are for.
package protocol StubOwner: AnyObject {
    func stubAsked(_ event: StubEvent, through stub: StubThread)
    /// The stub's process has ended without being told to.
    func stubDied(_ stub: StubThread, waitStatus: Int32)
}

/// One host thread that runs guest code, seen from the kernel. A guest thread has one while it lives.
@safe
package final class StubThread {
    package let slot: Int
    /// Strong: the process forgets its threads when it ends.
    package let process: StubProcess
    /// The host's number, once known.
    package var hostThread: Int32 = 0
    /// See `setAside`.
    var isAside = false
    /// Whose it is.
    package var owner: (any StubOwner)? {
        get { storedOwner }
        set { storedOwner = newValue }
    }
    // Stored apart: the language watches at run time over accesses to what other modules may store to.
    private var storedOwner: (any StubOwner)? = nil
    /// Its answer stands, but the stub has not been let go on: see `HandOver`.
    var isHeld = false
    /// It is to rest, and its stub has not been told so yet.
    var isHeldAtRest = false
    /// Of its word on the doorbell's page; 0 where there was none left.
    let wakeIndex: UInt32
    private let wakeWords: WakeWords
    /// It was told to sleep, and has not been woken since.
    var isBlocked = false
    var turns = WaitTurns()
    /// Nobody hears what it asks: it is told to leave.
    var isDisowned = false
    /// The stub has asked at least once. Before that its host thread may still lack the stack that signals come in on.
    private(set) var hasAsked = false
    /// It is being made, and has not asked.
    var isBeingBorn = false {
        didSet {
            guard isBeingBorn != oldValue else { return }
            process.platform.births += isBeingBorn ? 1 : -1
        }
    }
    /// How often the kernel has looked and found that it has not.
    var looksUnborn = 0
    /// Its host thread stands, and what it is told next is not how to begin.
    package var hasBegun: Bool { hasAsked }
    /// Commands that did not fit the last answer.
    private var waitingCommands: ArraySlice<StubCommand> = []
    private var finalAnswer: StubAnswer?
    /// The call that was read last comes from a site that has trapped often.
    package var isAtHotSite: Bool { storedIsAtHotSite }
    // Stored apart: the language watches at run time over accesses to what other modules may read.
    private var storedIsAtHotSite = false
    /// The stub has done a part of the call that was read last: see `APUS_REQUEST_BEGUN`.
    package var hasBegunCall: Bool { storedHasBegunCall }
    private var storedHasBegunCall = false
    /// What the stub may ask next.
    private var expected = Expected.nothing
    /// The mask of blocked signals as the stub was told last; that it may change it; that it may have, and will say so, since it
    /// was let go; and that it has, or may have without saying so.
    var toldMask: UInt64 = 0
    var leavesMask = false
    package internal(set) var isMaskOut: Bool {
        get { storedIsMaskOut }
        set { storedIsMaskOut = newValue }
    }
    private var storedIsMaskOut = false
    var isMaskOld = false
    /// What the stub knows of handlers does not count any more; and where it keeps the next one.
    var handlersAreOld = false
    var nextOwnAction = 0
    /// What of its own reads and writes the kernel knows.
    var takenTransfers = Transfers()
    /// As its stub was told: see `endWord`.
    var toldEndWord: UInt = 0
    /// It goes on when the stub of another thread lets it: its next answer does not yet; and it has not asked since.
    var startsLater = false
    var (hold, holds) = (0, 0)
    /// The guest's memory as this thread's calls see it.
    package let guestMemory: ThreadMemory
    let hot: Int
    let cold: Int
    let memory: SharedMemory
    /// Its host thread as the kernel's tracee; nil where the kernel traces nobody.
    let traced: TracedThread?

    init(slot: Int, process: StubProcess) {
        self.slot = slot
        self.process = process
        memory = process.contexts
        hot = Int(APUS_HOT_OFFSET) + slot * MemoryLayout<apus_hot>.size
        cold = (slot + 1) * Int(APUS_BLOCK_SIZE)
        guestMemory = ThreadMemory(process, bounce: cold + Int(APUS_BOUNCE))
        traced = process.platform.tracer.map(TracedThread.init)
        wakeWords = process.platform.handOver.words
        wakeIndex = wakeWords.take()
        guestMemory.writesAtOnce = traced != nil
        traced?.thread = self
    }

    deinit { wakeWords.giveBack(wakeIndex) }

    // MARK: Layout

    enum Hot {
        static let kind = 4
        static let cpu = 5
        static let action = 6
        static let value = 8
        static let arguments = 16
    }

    enum Cold {
        static func offset(_ path: PartialKeyPath<apus_cold>) -> Int { MemoryLayout<apus_cold>.offset(of: path) ?? 0 }
        static let stackTop = offset(\.stack_top)
        static let inStub = offset(\.in_stub)
        static let interruptPending = offset(\.interrupt_pending)
        static let fpMask = offset(\.fp_mask)
        static let fpPointer = offset(\.fp_pointer)
        static let sleeps = offset(\.stub_sleeps)
        static let alive = offset(\.alive)
        static let gsBase = offset(\.gs_base)
        static let wakeIndex = offset(\.wake_index)
        static let signal = offset(\.signal)
        static let signalCode = offset(\.signal_code)
        static let faultAddress = offset(\.fault_address)
        static let faultError = offset(\.fault_error)
        static let faultTrap = offset(\.fault_trap)
        static let commandCount = offset(\.command_count)
        static let commands = offset(\.commands)
        static let outCount = offset(\.out_count)
        static let inBytes = offset(\.in_bytes)
        static let inPayloads = offset(\.in)
        static let outPayloads = offset(\.out)
        static let outFault = offset(\.out_fault)
        static let mask = offset(\.signal_mask)
        static let maskIsHere = offset(\.mask_is_here)
        static let maskMoved = offset(\.mask_moved)
        static let robustList = offset(\.robust_list)
        static let threadIDAddress = offset(\.tid_address)
        static let handlers = offset(\.handlers)
        static let localReads = offset(\.local_reads)
        static let localReadBytes = offset(\.local_read_bytes)
        static let localWrites = offset(\.local_writes)
        static let localWrittenBytes = offset(\.local_written_bytes)
    }

    // MARK: Requests

    /// Where the stub says that it asks. Points into memory that this thread keeps mapped.
    var stateWord: UnsafePointer<Atomic<UInt32>> { unsafe memory.word(at: hot) }

    /// True when the stub has asked and not been answered.
    @inline(__always)
    var asks: Bool { memory.loadAcquiring(at: hot) == UInt32(APUS_STATE_REQUEST) }

    /// True while the stub is not waiting for the kernel: it may ask at any moment.
    @inline(__always)
    package var isRunning: Bool {
        if isHeld { return true }
        let state = memory.loadAcquiring(at: hot)
        return state == UInt32(APUS_STATE_GUEST) || state == UInt32(APUS_STATE_DONE)
    }

    /// True while the stub waits on a futex of its guest's: no guest code runs, and if the process may not wait there any more
    /// the kernel is asked before it does. The guest can forge that, and harms itself.
    package var waitsByItself: Bool { memory.loadSequential(at: cold + Cold.sleeps) == 2 }

    /// The processor that the stub last asked from.
    package var processor: UInt8 { memory.load(at: hot + Hot.cpu) }

    /// What a stub that keeps to the protocol may ask. A guest can write a request at any time, also while its stub waits
    /// for an answer: the kernel believes none that it does not expect.
    private enum Expected: UInt8 {
        /// It waits for the kernel.
        case nothing
        /// It has not begun yet.
        case ready
        case call
        /// A call, or that a command or a copy of the last answer has failed.
        case callOrFailure
        case report

        var allowsCall: Bool { self == .call || self == .callOrFailure }
        var allowsReport: Bool { self == .report || self == .callOrFailure }
    }

    /// Reads the request once.
    func event() -> StubEvent {
        if !hasAsked {
            hasAsked = true
            isBeingBorn = false
        }
        if turns.isTaking { turns.asked(at: apus_ticks()) }
        isMaskOld = true
        hold = 0
        // A sibling has written it.
        if let traced, !traced.isStopped { return .forged }
        let kind: UInt8 = memory.load(at: hot + Hot.kind)
        switch Int(kind) {
        case APUS_KIND_SYSCALL where expected.allowsCall:
            let number: UInt64 = memory.load(at: hot + Hot.value)
            var arguments = memory.load(InlineArray<6, UInt>.self, at: hot + Hot.arguments)
            let action = Int(memory.load(UInt16.self, at: hot + Hot.action))
            storedIsAtHotSite = action & Int(APUS_REQUEST_HOT_SITE) != 0
            storedHasBegunCall = action & Int(APUS_REQUEST_BEGUN) != 0
            isMaskOld = action & Int(APUS_REQUEST_MASK) != 0
            guestMemory.begin()
            let payloads = action & Int(APUS_REQUEST_PAYLOADS)
            if payloads != 0 { readPayloads(payloads) }
            let string = action >> Int(APUS_REQUEST_STRING_SHIFT) & Int(APUS_REQUEST_STRING_MASK)
            if string != 0 { takeString(string, of: number, from: &arguments) }
            return .syscall(number: Int(truncatingIfNeeded: number), arguments: ArgumentRegisters(arguments))
        case APUS_KIND_FOREIGN_CALL where expected.allowsCall:
            guestMemory.begin()
            let number = Int(memory.load(UInt32.self, at: hot + Hot.value))
            return .syscall(
                number: SyscallTable.foreignBase + number,
                arguments: ArgumentRegisters(memory.load(InlineArray<6, UInt>.self, at: hot + Hot.arguments)))
        case APUS_KIND_FAULT where expected.allowsCall:
            return .fault(
                Fault(
                    signal: memory.load(at: cold + Cold.signal), code: memory.load(at: cold + Cold.signalCode),
                    address: memory.load(at: cold + Cold.faultAddress), error: memory.load(at: cold + Cold.faultError),
                    trap: memory.load(at: cold + Cold.faultTrap)))
        case APUS_KIND_READY where expected == .ready: return .ready
        case APUS_KIND_INTERRUPTED where expected.allowsCall: return .interrupted
        case APUS_KIND_COMMANDS_DONE where expected.allowsReport: return commandsDone()
        default: return .forged
        }
    }

    private func commandsDone() -> StubEvent {
        process.platform.clones?.forget(self)
        if memory.load(UInt32.self, at: cold + Cold.outFault) != 0 {
            memory.store(UInt32(0), at: cold + Cold.outFault)
            return .commandsDone(lastResult: 0, failure: .EFAULT)
        }
        let count = min(Int(memory.load(UInt32.self, at: cold + Cold.commandCount)), Int(APUS_MAX_COMMANDS))
        var last = 0
        for index in 0..<count {
            let offset = cold + Cold.commands + index * MemoryLayout<apus_command>.size + 56
            last = memory.load(at: offset)
            if last < 0, last >= -4095 {
                waitingCommands = []
                return .commandsDone(lastResult: last, failure: Errno(rawValue: Int32(-last)))
            }
        }
        return .commandsDone(lastResult: last, failure: nil)
    }

    func writeFloatingPoint(_ bytes: [UInt8]) {
        memory.write(bytes.span.extracting(first: Int(APUS_FP_AREA_SIZE)), at: cold + Int(APUS_FP_AREA))
    }

    // MARK: Answers

    /// Prepares the slot's memory for a host thread that is about to start in it.
    func prepare(floatingPoint: [UInt8]?) {
        expected = .ready
        memory.zero(at: hot, count: MemoryLayout<apus_hot>.size)
        memory.zero(at: cold, count: MemoryLayout<apus_cold>.size)
        let block = UInt64(APUS_STUB_CONTEXTS) + UInt64(cold)
        memory.store(block + UInt64(APUS_BLOCK_SIZE) - 64, at: cold + Cold.stackTop)
        memory.store(UInt32(1), at: cold + Cold.inStub)
        memory.store(UInt32(1), at: cold + Cold.alive)
        memory.store(wakeIndex, at: cold + Cold.wakeIndex)
        memory.store(process.platform.floatingPointComponents, at: cold + Cold.fpMask)
        // Without one it begins with what is in the processor's registers.
        guard let floatingPoint else { return }
        memory.store(block + UInt64(APUS_FP_AREA), at: cold + Cold.fpPointer)
        writeFloatingPoint(floatingPoint)
    }

    /// True once the host thread that ran in the slot is gone.
    var isGone: Bool { memory.load(UInt32.self, at: cold + Cold.alive) == 0 }

    /// Tells the stub that its answer will take a while. One that sleeps already sleeps on.
    package func block() {
        if isHeld { process.platform.dropHeld() }
        let keeps = isHeldAtRest
        isHeldAtRest = false
        guestMemory.flush()
        expected = .nothing
        isBlocked = true
        beginWait(keeps: keeps)
        memory.exchange(UInt32(APUS_STATE_BLOCK), at: hot)
    }

    /// Has the host thread wait in its stub, for whoever it is given to.
    /// - Returns: false if it is not there, but in guest code.
    func rest() -> Bool {
        guard hasAsked, hostThread != 0, !isRunning else { return false }
        waitingCommands = []
        finalAnswer = nil
        // One that has been told to wait need not be told again.
        guard asks else {
            expected = .nothing
            return true
        }
        // Its end may have given somebody what he waits for, whom its stub can wake before it sleeps.
        memory.store(UInt16(0), at: hot + Hot.action)
        if traced == nil, process.platform.holds(self) {
            isHeldAtRest = true
            expected = .nothing
        } else {
            block()
        }
        return true
    }

    /// Gives a call its result, where nothing but rax changes: the way of most calls. It is `waking` where it has given others
    /// something to do, who run before the next request is looked for: `next` where that is one alone.
    package func answer(value: Int, waking: Bool = false, next: StubThread? = nil) {
        var action = guestMemory.hasOutgoing ? postOutgoing() : 0
        expected = action == 0 ? .call : .callOrFailure
        let nobodySleeps = waking && next?.takesTurns == true && traced == nil
        if nobodySleeps, next?.processor == processor { action |= Int(APUS_ACTION_TURN) }
        memory.store(UInt16(truncatingIfNeeded: action), at: hot + Hot.action)
        memory.store(Int64(value), at: hot + Hot.value)
        if waking, !nobodySleeps, process.platform.holds(self) { return }
        release(action, value)
    }

    /// As above, with commands that stand alone and fit one answer.
    package func answer(value: Int, commands: [StubCommand]) {
        // A single one travels with the result, in the line that both sides look at anyway.
        let isInLine = commands.count == 1 && traced == nil && storeInLine(commands[0])
        if !isInLine { store(commands.span) }
        let action =
            (isInLine ? APUS_ACTION_COMMAND : APUS_ACTION_COMMANDS)
            | (guestMemory.hasOutgoing ? postOutgoing(mayBeInLine: !isInLine) : 0)
        expected = .callOrFailure
        memory.store(UInt16(truncatingIfNeeded: action), at: hot + Hot.action)
        memory.store(Int64(value), at: hot + Hot.value)
        release(action, value)
    }

    /// Lets the stub go on. Throws what the host says when a descriptor cannot be handed over; then nothing was answered.
    package func answer(_ answer: StubAnswer) throws(Errno) {
        var isFirst = true
        for command in answer.commands {
            switch command {
            case .receiveFile(let descriptor):
                if isFirst { try process.checkTaken() }
                isFirst = false
                try process.send(descriptor)
            case .newProcess(let slot, let child):
                try process.checkTaken()
                try process.send(child)
                process.platform.clones?.expectProcess(by: self)
                traced?.child = child.thread(at: slot)
            case .newThread(let slot):
                process.platform.clones?.expectThread(at: slot, by: self)
                traced?.child = process.thread(at: slot)
            default: break
            }
        }
        if answer.commands.count > Int(APUS_MAX_COMMANDS) {
            waitingCommands = answer.commands[...]
            finalAnswer = answer
            postWaitingCommands()
            return
        }
        post(answer, commands: answer.commands[...], reports: answer.reports)
    }

    /// True if commands of the last answer were still waiting, and some of them were posted.
    func continueCommands() -> Bool {
        guard !waitingCommands.isEmpty else { return false }
        postWaitingCommands()
        return true
    }

    private func postWaitingCommands() {
        guard let answer = finalAnswer else { return }
        let now = waitingCommands.prefix(Int(APUS_MAX_COMMANDS))
        waitingCommands = waitingCommands.dropFirst(now.count)
        if waitingCommands.isEmpty {
            finalAnswer = nil
            post(answer, commands: now, reports: answer.reports)
        } else {
            post(StubAnswer(), commands: now, reports: true)
        }
    }

    private func post(_ answer: StubAnswer, commands: ArraySlice<StubCommand>, reports: Bool) {
        var action = 0
        if let registers = answer.registers {
            writeRegisters(registers)
            action |= APUS_ACTION_RESTORE_ALL
        }
        if let floatingPoint = answer.floatingPoint {
            writeFloatingPoint(floatingPoint)
            action |= APUS_ACTION_FP_AREA
        }
        store(commands.span)
        if !commands.isEmpty { action |= APUS_ACTION_COMMANDS }
        if reports { action |= APUS_ACTION_REPORT }
        action |= postOutgoing()
        expected = reports ? .report : .callOrFailure
        memory.store(UInt16(truncatingIfNeeded: action), at: hot + Hot.action)
        memory.store(Int64(answer.value), at: hot + Hot.value)
        release(Int(action), answer.value)
    }

    /// False if the command has an argument too many for the line.
    private func storeInLine(_ command: StubCommand) -> Bool {
        let words = command.words
        guard words.arguments[5] == 0 else { return false }
        // A string may stand there.
        guestMemory.begin()
        memory.store(words.number, at: hot + Hot.arguments)
        for argument in 0..<5 { memory.store(words.arguments[argument], at: hot + Hot.arguments + 8 + 8 * argument) }
        return true
    }

    private func store(_ commands: Span<StubCommand>) {
        memory.store(UInt32(commands.count), at: cold + Cold.commandCount)
        for index in commands.indices {
            let offset = cold + Cold.commands + index * MemoryLayout<apus_command>.size
            let words = commands[index].words
            memory.store(words.number, at: offset)
            for argument in 0..<6 { memory.store(words.arguments[argument], at: offset + 8 + 8 * argument) }
            memory.store(UInt64(0), at: offset + 56)
        }
    }

    /// The answer stands.
    @inline(__always)
    private func release(_ action: Int, _ value: Int) {
        if let traced { return traced.goOn(action, value) }
        if startsLater { return startsLater = false }
        if isHeld { process.platform.dropHeld() }
        if isBlocked { endWait() }
        memory.exchange(UInt32(APUS_STATE_DONE), at: hot)
        if memory.loadSequential(at: cold + Cold.sleeps) != 0 { process.platform.wake(self) }
    }
}
