internal import HostSystem
internal import LinuxABI
internal import Stub

/// One host thread of a stub as the kernel's tracee. It stands in for the stub's handler: what the thread stops for in guest
/// code becomes a request in the shared memory, and an answer sets its registers.
///
/// The stub's code runs where something has to happen inside the address space: the first steps of a thread or process, commands,
/// and the host's signal frame of a fault, which alone has all that a guest may see of it.
@safe
final class TracedThread {
    private let tracer: Tracer
    /// Set by the thread, which owns this.
    weak var thread: StubThread?
    /// The host's number; 0 until it is known.
    var number: Int32 = 0
    var isStopped = false
    /// Whom the next clone of this thread makes.
    var child: StubThread?
    private var mode = Mode.starting
    /// How many signals the stub's handler is in.
    private var depth = 0
    private var floatingPoint = FloatingPoint.stored
    private var isInterrupted = false
    /// The answer asks for a report of its commands.
    private var reports = false
    private var registers = Host.TracedRegisters(repeating: 0)

    private enum Mode {
        /// In the stub, on its way to ask for the first time.
        case starting
        case guest
        /// In the stub, which carries out commands.
        case commands
        /// In the stub's handler, for a signal that has hit guest code.
        case handling
    }

    private enum FloatingPoint {
        /// The guest's is in the registers,
        case live
        /// and its copy in the block;
        case saved
        /// or it is in the block alone.
        case stored
    }

    private enum Register {
        static let rax = 10
        static let rdi = 14
        static let original = 15
        static let rip = 16
        static let cs = 17
        static let flags = 18
        static let rsp = 19
        static let ss = 20
        static let fsBase = 21
        static let gsBase = 22
    }

    private static let trap: Int32 = 5
    private static let interrupt: Int32 = 17
    /// Those that the stub handles: ILL, TRAP, BUS, FPE, SEGV, SYS.
    private static let faults: Set<Int32> = [4, 5, 7, 8, 11, 31]

    init(_ tracer: Tracer) { self.tracer = tracer }

    // MARK: Stops

    /// The first stop of a new thread.
    func begin() {
        isStopped = true
        resume(.stoppingAtCalls)
    }

    func stopped(_ status: Int32) {
        isStopped = true
        let signal = status >> 8 & 0xff
        switch status >> 16 {
        case 0 where signal == TracedThread.trap | 0x80: called()
        case 0: signalled(signal)
        // PTRACE_EVENT_FORK, VFORK, CLONE
        case 1, 2, 3:
            if let number = try? Host.tracedEvent(of: number), let child {
                if let traced = child.traced { tracer.adopt(number, as: traced) }
                self.child = nil
            }
            resumeInMode()
        // PTRACE_EVENT_STOP in a group-stop: STOP, TSTP, TTIN, TTOU.
        case 128 where (19...22).contains(signal):
            isStopped = false
            try? Host.listen(number)
        default: resumeInMode()
        }
    }

    private func resumeInMode(signal: Int32 = 0) {
        resume(mode == .guest ? .emulating : .stoppingAtCalls, signal: signal)
    }

    private func resume(_ how: Host.Resumption, signal: Int32 = 0) {
        isStopped = false
        // It may be dead, of which the host tells next.
        try? Host.resume(number, how, signal: signal)
    }

    private func called() {
        if mode == .guest { return askCall() }
        guard let call = try? Host.tracedCall(of: number) else { return }
        guard call.isEntry else { return resume(.stoppingAtCalls) }
        if mode == .handling {
            guard call.number == 15, call.architecture == FilterInstruction.x86_64 else { return kill() }
            depth -= 1
            // Back to where the signal has hit.
            if depth == 0 { mode = .guest }
            return resumeInMode()
        }
        guard tracer.admits(call, of: number) else { return kill() }
        resume(.stoppingAtCalls)
    }

    private func signalled(_ signal: Int32) {
        if mode == .guest {
            guard signal != TracedThread.interrupt else {
                guard saveRegisters() else { return }
                return ask(APUS_KIND_INTERRUPTED)
            }
            if TracedThread.faults.contains(signal) {
                mode = .handling
                depth = 1
            }
            return resumeInMode(signal: signal)
        }
        if signal == TracedThread.interrupt {
            isInterrupted = true
            return resume(.stoppingAtCalls)
        }
        if signal == TracedThread.trap {
            guard readRegisters() else { return }
            if registers[Register.rip] == tracer.toldAddress { return told() }
        }
        if mode == .handling { depth += 1 }
        resume(.stoppingAtCalls, signal: signal)
    }

    /// The stub has told what it had to.
    private func told() {
        guard let thread else { return }
        switch mode {
        case .starting:
            floatingPoint = .stored
            ask(APUS_KIND_READY)
        case .handling:
            depth = 0
            floatingPoint = .stored
            ask(Int(thread.memory.load(UInt8.self, at: thread.hot + StubThread.Hot.kind)))
        case .commands, .guest:
            // The commands may have moved it; what the stub has not loaded is still to be.
            floatingPoint = floatingPointAddress == 0 ? .live : .stored
            if reports || thread.commandsHaveFailed { ask(APUS_KIND_COMMANDS_DONE) } else { enterGuest() }
        }
    }

    // MARK: Requests

    private func readRegisters() -> Bool {
        do throws(Errno) {
            try Host.readRegisters(of: number, into: &registers)
            return true
        } catch {
            return false
        }
    }

    /// As the stub's handler leaves them.
    private func saveRegisters() -> Bool {
        guard let thread, readRegisters() else { return false }
        let (memory, cold) = (thread.memory, thread.cold)
        for index in 0..<15 { memory.store(registers[index], at: cold + 8 * index) }
        memory.store(registers[Register.rip], at: cold + 8 * Int(APUS_RIP))
        memory.store(registers[Register.flags], at: cold + 8 * Int(APUS_FLAGS))
        memory.store(registers[Register.rsp], at: cold + 8 * Int(APUS_RSP))
        memory.store(registers[Register.fsBase], at: cold + 8 * Int(APUS_FS_BASE))
        memory.store(registers[Register.gsBase], at: cold + StubThread.Cold.gsBase)
        return true
    }

    private func ask(_ kind: Int) {
        guard let thread else { return }
        thread.memory.store(UInt8(truncatingIfNeeded: kind), at: thread.hot + StubThread.Hot.kind)
        thread.memory.exchange(UInt32(APUS_STATE_REQUEST), at: thread.hot)
    }

    private func askCall() {
        guard let thread, saveRegisters() else { return }
        let (memory, hot) = (thread.memory, thread.hot)
        let call = registers[Register.original]
        // The host has put ENOSYS there.
        memory.store(call, at: thread.cold + 8 * Register.rax)
        memory.store(UInt64(UInt32(truncatingIfNeeded: call)), at: hot + StubThread.Hot.value)
        memory.store(UInt16(0), at: hot + StubThread.Hot.action)
        // rdi, rsi, rdx, r10, r8, r9
        let sources: InlineArray<6, Int> = [14, 13, 12, 7, 9, 8]
        for index in 0..<6 {
            memory.store(registers[sources[index]], at: hot + StubThread.Hot.arguments + 8 * index)
        }
        ask(isForeign ? APUS_KIND_FOREIGN_CALL : APUS_KIND_SYSCALL)
    }

    /// By another architecture's numbers, `int 0x80`: unlike `syscall` that does not leave its address and the flags in rcx
    /// and r11.
    private var isForeign: Bool {
        if registers[11] == registers[Register.rip], registers[6] == registers[Register.flags] { return false }
        guard let call = try? Host.tracedCall(of: number) else { return false }
        return call.architecture != FilterInstruction.x86_64
    }

    // MARK: Answers

    /// The kernel has answered.
    func goOn(_ action: Int, _ value: Int) {
        guard let thread, isStopped else { return }
        let (memory, cold) = (thread.memory, thread.cold)
        reports = action & APUS_ACTION_REPORT != 0
        if action & (APUS_ACTION_RESTORE_ALL | APUS_ACTION_REPORT) == 0 {
            memory.store(Int64(value), at: cold + 8 * Register.rax)
        }
        if action & APUS_ACTION_FP_AREA != 0 {
            floatingPointAddress = UInt64(APUS_STUB_CONTEXTS) + UInt64(cold) + UInt64(APUS_FP_AREA)
            floatingPoint = .stored
        }
        if action & APUS_ACTION_COMMANDS != 0 { return order() }
        if reports { ask(APUS_KIND_COMMANDS_DONE) } else { enterGuest() }
    }

    /// Has the stub carry out the commands.
    private func order() {
        guard let thread else { return }
        mode = .commands
        // What was stopped for stays behind; the guest's registers stand in the block.
        let block = UInt64(APUS_STUB_CONTEXTS) + UInt64(thread.cold)
        var stack = block + UInt64(APUS_BLOCK_SIZE) - 64
        // The host's frame of a fault holds the guest's floating-point state.
        let state = floatingPointAddress
        if state >= block + UInt64(APUS_STACK), state < stack { stack = state & ~63 }
        var next = registers
        next[Register.rip] = tracer.orderEntry
        next[Register.rdi] = block
        // As a call leaves it.
        next[Register.rsp] = stack - 8
        next[Register.flags] = 0x202
        next[Register.original] = .max
        do throws(Errno) {
            try Host.writeRegisters(of: number, next, first: Register.fsBase)
        } catch {
            return
        }
        thread.memory.store(UInt32(APUS_STATE_GUEST), at: thread.hot)
        resume(.stoppingAtCalls)
    }

    /// Lets guest code go on with what the block says.
    private func enterGuest() {
        guard let thread else { return }
        if isInterrupted {
            isInterrupted = false
            return ask(APUS_KIND_INTERRUPTED)
        }
        if floatingPoint == .stored { loadFloatingPoint() }
        if floatingPoint != .live { floatingPointAddress = 0 }
        floatingPoint = .live
        let (memory, cold) = (thread.memory, thread.cold)
        let (oldFS, oldGS) = (registers[Register.fsBase], registers[Register.gsBase])
        for index in 0..<15 { registers[index] = memory.load(at: cold + 8 * index) }
        // No call is to be begun again.
        registers[Register.original] = .max
        registers[Register.rip] = memory.load(at: cold + 8 * Int(APUS_RIP))
        registers[Register.flags] = memory.load(at: cold + 8 * Int(APUS_FLAGS))
        registers[Register.rsp] = memory.load(at: cold + 8 * Int(APUS_RSP))
        registers[Register.fsBase] = memory.load(at: cold + 8 * Int(APUS_FS_BASE))
        registers[Register.gsBase] = memory.load(at: cold + StubThread.Cold.gsBase)
        let sameBases = registers[Register.fsBase] == oldFS && registers[Register.gsBase] == oldGS
        do throws(Errno) {
            try Host.writeRegisters(of: number, registers, first: sameBases ? Register.fsBase : registers.count)
        } catch {
            // Nobody's thread any more, or bases that no program can have.
            return kill()
        }
        memory.store(UInt32(APUS_STATE_GUEST), at: thread.hot)
        mode = .guest
        resume(.emulating)
    }

    /// An interrupt of a thread that stands needs no signal.
    func isInterruptedInPlace() -> Bool {
        if isStopped { isInterrupted = true }
        return isStopped
    }

    // MARK: Floating-point state

    /// Where the block says that the guest's state is; 0 while it is live. For the stub: what the kernel believes is
    /// `floatingPoint`.
    private var floatingPointAddress: UInt64 {
        get { thread.map { $0.memory.load(at: $0.cold + StubThread.Cold.fpPointer) } ?? 0 }
        set { if let thread { thread.memory.store(newValue, at: thread.cold + StubThread.Cold.fpPointer) } }
    }

    /// Puts the guest's state where the kernel reads it.
    func saveFloatingPoint() {
        guard let thread, isStopped, floatingPoint == .live, let state = try? Host.readExtendedState(of: number) else {
            return
        }
        thread.writeFloatingPoint(state)
        floatingPointAddress = UInt64(APUS_STUB_CONTEXTS) + UInt64(thread.cold) + UInt64(APUS_FP_AREA)
        floatingPoint = .saved
    }

    private func loadFloatingPoint() {
        guard let thread, let given = thread.readFloatingPoint(), given.count >= 576,
            var state = try? Host.readExtendedState(of: number), state.count >= given.count
        else { return }
        // MXCSR_MASK is the processor's; the header is checked by the host, which refuses what it does not know.
        let mask = Array(state[28..<32])
        state.replaceSubrange(0..<given.count, with: given)
        state.replaceSubrange(28..<32, with: mask)
        let components = thread.process.platform.floatingPointComponents
        for index in 0..<8 { state[512 + index] &= UInt8(truncatingIfNeeded: components >> UInt64(8 * index)) }
        for index in 520..<576 { state[index] = 0 }
        for index in 0..<4 where mask != [0, 0, 0, 0] { state[24 + index] &= mask[index] }
        try? Host.writeExtendedState(of: number, state)
    }

    /// It does what no stub does: it, and its process, end.
    private func kill() { try? Host.kill(number, 9) }
}
