internal import HostSystem
package import LinuxABI
internal import Stub

/// The platform that traps: guests run natively in stub processes, and everything that they ask arrives in shared memory.
///
/// One object for a sandbox, used by the kernel's one thread.
@safe
package final class TrapPlatform {
    let floatingPointSize: Int
    let floatingPointComponents: UInt64
    let config: SharedMemory
    /// The word that wakes the kernel.
    let doorbell: SharedMemory
    /// The host signals that have come, then those that the supervisor passed on: see `HostSignals`.
    private let signals: SharedMemory
    private(set) var watched = WatchList()
    private var processes: [Int32: StubProcess] = [:]
    /// Children that nobody knows, with how often they were seen.
    private var strays: [Int32: Int] = [:]
    var template: StubProcess?
    /// Nil until the template stands.
    private(set) var clones: CloneGuard?
    var templateThread: StubThread?
    /// What becomes the template when that dies.
    var heir: StubThread?
    /// What this process might use before it chose one: what guests are to see.
    package let processors = Host.processors
    private(set) var publishedProcessor = UInt32.max
    var policy: PollingPolicy
    /// Of the policy's.
    let mayPoll: Bool
    var publishedBudget: UInt64 = 0
    var nextToScan = 0
    /// Where the stub that was served last had asked from.
    var lastProcessor: UInt8 = 0
    /// When the last wait was over.
    var workBegan: UInt64 = 0
    private var turns = Turns()
    /// The stubs know that they may give way.
    private var takesTurns = false
    /// Since the last request was served: once more would be in vain.
    var hasGivenWay = false
    var handOver = HandOver()
    var looksForClones: UInt8 = 0
    /// Where the short string of each call travels.
    var stringPlaces = [StringPlace](repeating: StringPlace(), count: Int(APUS_RULED_CALLS))
    var unusedMarks: [UInt64] = []
    /// For the next process; made when nobody asks for anything, after one has been taken.
    var spareParts: StubProcess.Parts?
    var wantsParts = false
    /// Threads and processes that are being made, and have not asked yet.
    var births = 0
    /// Processes that have died and whose memory has not been given back.
    var dead: [StubProcess] = []
    static let mostDead = 8
    /// Where this thread traces the stubs, which then trap nothing themselves.
    let tracer: Tracer?

    /// Starts the template. Throws what the host says; EPROTO when the template could not set itself up.
    ///
    /// Without `clocks`, or where the host does not let go of them, every function of the guest's vDSO is a system call. Without
    /// `decidesOnClones` it is as on a host that gives the filter no listener. With `traces` the kernel traces the stubs: that
    /// needs neither seccomp nor user dispatch, and is slower.
    ///
    /// `meanwhile` is done while the template sets itself up, on another processor if there is one.
    package init(
        clocks: HostClocks? = Host.vdso.flatMap(HostClocks.init), decidesOnClones: Bool = true, traces: Bool = false,
        meanwhile: () -> Void = {}
    ) throws(Errno) {
        let state = Host.extendedState
        floatingPointSize = min(state.size, Int(APUS_FP_AREA_SIZE))
        floatingPointComponents = state.components
        config = try SharedMemory("apus-config", size: Int(APUS_STUB_CONFIG_SIZE))
        doorbell = try SharedMemory("apus-doorbell", size: 4096)
        signals = try SharedMemory("apus-signals", size: 4096)
        tracer = traces ? Tracer() : nil
        // To wake a traced thread on another processor costs more than it could do there meanwhile.
        if traces { try? Host.bind(0, to: TrapPlatform.choice(Host.currentProcessor, alone: true, of: processors)) }
        policy = PollingPolicy(processors: ProcessorSet(words: processors), mayPoll: !traces)
        mayPoll = policy.mayPoll
        publishBudget()
        config.store(UInt32(policy.stubBudget / 2), at: MemoryLayout<apus_config>.offset(of: \.watch_ticks) ?? 0)
        config.store(floatingPointComponents, at: 16)
        config.store(UInt64(floatingPointSize), at: 24)
        config.store(UInt32(bitPattern: Host.processID), at: 32)
        for number in 0..<Int(APUS_RULED_CALLS) { setRules([], for: number) }
        publishProcessor()
        // Both words stay mapped as long as this object lives; `deinit` stops the routing first.
        unsafe Host.routeSignals(
            [17, 1, 2, 3, 10, 12, 15, 20, 21, 22, 28],
            to: signals.pointer(at: 0, count: 16).assumingMemoryBound(to: UInt64.self),
            waking: doorbell.pointer(at: 0, count: 4).assumingMemoryBound(to: UInt32.self), stops: traces)
        publish(clocks)
        do throws(Errno) {
            try startTemplate(clocks, decidesOnClones: decidesOnClones, meanwhile)
        } catch {
            guard clocks != nil, error == .EPROTO else { throw error }
            publish(nil)
            try startTemplate(nil, decidesOnClones: decidesOnClones, {})
        }
        makeHeir()
    }

    /// The state of a fresh process: everything initial, `mxcsr` as Linux starts it.
    package var initialFloatingPoint: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: floatingPointSize)
        bytes[0] = 0x7f
        bytes[1] = 0x03
        bytes[24] = 0x80
        bytes[25] = 0x1f
        return bytes
    }

    /// Bytes of a thread's floating-point state in a signal frame, with the number that closes it.
    package var frameStateSize: Int { floatingPointSize + 4 }

    /// One argument of a call whose bytes the stub copies next to the call.
    package enum PayloadRule {
        case fixed(pointer: Int, size: Int)
        case counted(pointer: Int, counter: Int, elementSize: Int)
        /// `spare`: the first argument that the call does not have, where short strings travel; 0 for none.
        case string(pointer: Int, spare: Int = 0)
        /// What stands at the caller's stack pointer.
        case stack(size: Int)
        /// What stands where the caller's robust list begins.
        case robustList(size: Int)
    }

    /// Where a call's short string travels.
    struct StringPlace {
        var pointer = 0
        var spare = 0
    }

    /// Tells the stubs what to copy in for a call number; what goes beyond three arguments is left to the kernel.
    package func setRules(_ rules: [PayloadRule], for number: Int) {
        guard number >= 0, number < Int(APUS_RULED_CALLS) else { return }
        let size = MemoryLayout<apus_payload_rule>.size
        stringPlaces[number] = StringPlace()
        if case .string(let pointer, let spare) = rules.first, spare > 0, spare < 6, pointer < spare {
            stringPlaces[number] = StringPlace(pointer: pointer, spare: spare)
        }
        let base = (MemoryLayout<apus_config>.offset(of: \.rules) ?? 0) + number * Int(APUS_RULES_PER_CALL) * size
        for index in 0..<Int(APUS_RULES_PER_CALL) {
            let entry = base + index * size
            guard index < rules.count else {
                config.store(UInt8(0xff), at: entry)
                continue
            }
            let (pointer, extent, counter, bytes): (Int, Int, Int, Int) =
                switch rules[index] {
                case .fixed(let pointer, let size): (pointer, APUS_EXTENT_FIXED, 0, size)
                case .counted(let pointer, let counter, let size): (pointer, APUS_EXTENT_COUNTED, counter, size)
                case .string(let pointer, let spare): (pointer, APUS_EXTENT_STRING, spare, 0)
                case .stack(let size): (Int(APUS_STACK_POINTER), APUS_EXTENT_FIXED, 0, size)
                case .robustList(let size): (Int(APUS_ROBUST_LIST), APUS_EXTENT_FIXED, 0, size)
                }
            config.store(UInt8(truncatingIfNeeded: pointer), at: entry)
            config.store(UInt8(truncatingIfNeeded: extent), at: entry + 1)
            config.store(UInt8(truncatingIfNeeded: counter), at: entry + 2)
            config.store(UInt32(truncatingIfNeeded: bytes), at: entry + 4)
        }
    }

    /// Tells the stubs which of a process's local answers a call has; nil for none. Traced ones have none.
    package func setLocalAnswer(_ index: Int?, of number: Int) {
        guard number >= 0, number < Int(APUS_RULED_CALLS) else { return }
        let answers = MemoryLayout<apus_config>.offset(of: \.local_answers) ?? 0
        config.store(UInt8(truncatingIfNeeded: tracer == nil ? index ?? 0 : 0), at: answers + number)
    }

    /// After how many traps a call site is reported as hot; 0 for never.
    package var patchAfter: UInt32 = 0 {
        didSet { config.store(patchAfter, at: MemoryLayout<apus_config>.offset(of: \.patch_after) ?? 0) }
    }

    // MARK: The template

    private func startTemplate(
        _ clocks: HostClocks?, decidesOnClones: Bool, _ meanwhile: () -> Void
    ) throws(Errno) {
        let process = try StubProcess(platform: self)
        let thread = process.prepare(slot: 0, floatingPoint: initialFloatingPoint)
        // Whether it stands or not: nobody is to be asked by it.
        defer { unwatch(thread) }
        let asking = decidesOnClones && tracer == nil ? StubFilter.program(asking: true) : []
        let tracedWord = MemoryLayout<apus_config>.offset(of: \.traced) ?? 0
        config.exchange(UInt32(tracer == nil ? 0 : APUS_TRACED_SOON), at: tracedWord)
        let other = StubFilter.program(asking: false)
        let descriptors = process.initialDescriptors
        // So that no stub can ever make its mapping of the configuration writable: the file is one for all.
        let readOnlyConfig = try Host.reopen(config.descriptor, flags: [])
        defer { Host.close(readOnlyConfig) }
        var parts = clocks?.parts ?? apus_host_vdso()
        // The child reads the programs from its own copy of this process's memory.
        let child = unsafe asking.withUnsafeBytes { asking in
            unsafe other.withUnsafeBytes { other in
                unsafe apus_stub_spawn_template(
                    descriptors.contexts, readOnlyConfig, doorbell.descriptor, descriptors.socket,
                    apus_filter(instructions: asking.baseAddress, count: asking.count / 8),
                    apus_filter(instructions: other.baseAddress, count: other.count / 8), &parts)
            }
        }
        guard child > 0 else { throw .EAGAIN }
        try process.hostMade(Int(child), thread: thread)
        if let tracer, let traced = thread.traced {
            do throws(Errno) {
                try Host.seize(child)
            } catch {
                process.kill()
                throw error
            }
            tracer.adopt(child, as: traced)
            config.exchange(UInt32(APUS_TRACED_NOW), at: tracedWord)
        }
        meanwhile()
        try awaitTemplate(process, thread)
        var answer = StubAnswer()
        clones = tracer?.clones ?? CloneGuard(listenerAt: APUS_LISTENER, of: child)
        answer.commands = [.dropDescriptors, .unmapAll]
        answer.reports = true
        try thread.answer(answer)
        try awaitTemplate(process, thread)
        thread.block()
        template = process
        templateThread = thread
    }

    /// Until the template, or what shall be it, asks. Throws EPROTO when it has died.
    func awaitTemplate(_ process: StubProcess, _ thread: StubThread) throws(Errno) {
        while !thread.asks {
            clones?.serve()
            if tracer == nil {
                if let ended = Host.reap() { noteDeath(ended) }
                pause(for: thread)
            } else if let change = Host.waitForAny() {
                took(change)
            }
            guard !process.isDead else { throw .EPROTO }
        }
    }

    /// Lets a thread that this one waits for go on, on its own processor or, where there is only one, on this.
    private func pause(for thread: StubThread) {
        guard !policy.mayPoll else {
            for _ in 0..<32 where !thread.asks { apus_relax() }
            // A new process may begin on this processor, and would wait there for the end of this one's slice.
            Host.yield()
            return
        }
        let value = doorbell.loadSequential(at: 0)
        config.exchange(1, at: 0)
        // Not for long: it may wait for a word on its clone, or have died.
        if !thread.asks { doorbell.wait(at: 0, while: value, for: Timestamp(nanoseconds: 50_000)) }
        config.exchange(0, at: 0)
    }

    // MARK: Bookkeeping

    func watch(_ thread: StubThread) { watched.add(thread) }

    /// Its request is known and waits for somebody else's: looked at again and again it would keep that one from running.
    func setAside(_ thread: StubThread, _ isAside: Bool) {
        watched.remove(thread)
        if !isAside { watched.add(thread) }
    }

    func unwatch(_ thread: StubThread) {
        watched.remove(thread)
        thread.isBeingBorn = false
        thread.hasBeenUnwatched()
        clones?.forget(thread)
    }

    /// Whether stubs make host threads and processes only where the kernel lets them.
    package var decidesOnClones: Bool { clones?.isThere == true }

    func register(_ process: StubProcess) { processes[process.hostProcess] = process }

    /// Ends host processes that are children of the kernel's and nobody's process: a guest that jumps into its stub can make
    /// such. One that is just being made is not known yet, so each is given some looks. And looks after the template. To be
    /// called every second or so.
    package func endStrays() {
        // Nobody was told to make what waits here, unless it is expected.
        clones?.serve()
        if template != nil { keepTemplates() }
        wakeOversleepers()
        endUnborn()
        var seen: [Int32: Int] = [:]
        for child in Host.children where processes[child] == nil {
            let looks = strays[child, default: 0] + 1
            if looks > TrapPlatform.patience { try? Host.kill(child, 9) }
            seen[child] = looks
        }
        strays = seen
    }

    /// Ends processes with a thread that the host has made and that never asks: siblings of who made it can have it begin
    /// where nobody looks. Its owner hears of that as of any death.
    private func endUnborn() {
        for thread in watched.threads where !thread.hasBegun && thread.hostThread != 0 {
            thread.looksUnborn += 1
            if thread.looksUnborn > 2 * TrapPlatform.patience { try? Host.kill(thread.process.hostProcess, 9) }
        }
    }

    /// Ends every child of this thread, whoever made it: the sandbox is over.
    package func endEverybody() {
        let end = Host.monotonic.advanced(by: Timestamp(nanoseconds: TrapPlatform.endTime))
        repeat {
            // Before anybody is ended: each death rings.
            let value = doorbell.loadSequential(at: 0)
            while Host.reap() != nil {}
            let children = Host.children
            if children.isEmpty { return }
            for child in children { try? Host.kill(child, 9) }
            doorbell.wait(at: 0, while: value, for: Timestamp(nanoseconds: 1_000_000))
        } while Host.monotonic < end
    }

    /// For so long the end waits for children that were told to end; what is left then ends with this process.
    private static let endTime: Int64 = 20_000_000

    /// After so many looks a process that nobody knows is a stray.
    private static let patience = 5

    /// The kernel traces the stubs, and moves their floating-point state where they would themselves.
    package var isTracing: Bool { tracer != nil }

    /// True if no process of this platform's has the host number.
    func isUnknown(_ host: Int32) -> Bool { processes[host] == nil }

    func interrupt(thread: Int32, of process: Int32) throws(Errno) {
        // SIGCHLD: stubs have no children of their own.
        try Host.kill(thread: thread, of: process, 17)
    }

    func noteDeath(_ change: Host.Change) {
        guard let process = processes.removeValue(forKey: change.process) else { return }
        let wasExpected = process.isDead
        let thread = process.anyThread
        process.peak.bytes = change.peakResident
        process.died()
        if policy.mayPoll, dead.count < TrapPlatform.mostDead { dead.append(process) }
        if !wasExpected, let thread { thread.owner?.stubDied(thread, waitStatus: change.status) }
    }

    /// A child has ended, or a traced thread has stopped or ended.
    private func took(_ change: Host.Change) {
        if tracer?.took(change.process, change.status) != false { noteDeath(change) }
    }

    /// Takes the stops of traced threads, if the host has told of some.
    func takeStops() {
        guard signals.load(UInt64.self, at: 0) & 1 << 16 != 0 else { return }
        signals.clear(1 << 16, at: 0)
        while let change = Host.reap() { took(change) }
    }

    // MARK: The kernel's side of the conversation

    /// Host signals that have come since the last look; SIGCHLD has been dealt with.
    package func takeSignals() -> HostSignals {
        // The handler may set a bit between the look and the reset; its doorbell then makes us look again.
        var came = HostSignals(group: signals.load(UInt64.self, at: 0), process: signals.load(UInt64.self, at: 8))
        guard !came.isEmpty else { return came }
        signals.clear(came.group, at: 0)
        signals.clear(came.process, at: 8)
        if came.group & (1 << 16) != 0 {
            while let change = Host.reap() { took(change) }
        }
        came.group &= ~(1 << 16)
        return came
    }

    /// Waits until a stub asks, a signal comes or the time has come; polls first where that is cheaper. May return early.
    package func wait(until deadline: MonotonicTime?) {
        let start = Host.ticks
        publishProcessor()
        publishBudget()
        if policy.mayPoll {
            // While the host makes what was ordered there is time to tidy up.
            if clones?.isExpecting == true {
                awaitClones(from: start)
                if anyoneAsks { return }
            }
            tidyUp()
        }
        let awaitsBirth = births > 0
        if policy.mayPoll, watched.count > 0 {
            // A copy: the list does not change while this thread looks at it, and need not be guarded at every look.
            let watched = watched
            let running = watched.running
            if policy.isCrowded(on: Int(publishedProcessor), running: running, at: start) { leaveProcessor() }
            let budget = policy.budget(on: Int(publishedProcessor), running: running, awaitsBirth: awaitsBirth)
            while Host.ticks &- start < budget {
                for _ in 0..<16 {
                    if watched.firstAsking(from: 0) != nil {
                        workBegan = Host.ticks
                        return policy.waited(workBegan &- start, asleep: false, byRequest: !awaitsBirth)
                    }
                    apus_relax()
                }
                if clones?.isExpecting == true { clones?.serve() }
                // Who is born may have to begin on this processor.
                if awaitsBirth { Host.yield() }
            }
        }
        if !policy.mayPoll, tracer == nil, !hasGivenWay, giveWay() { return }
        hasGivenWay = false
        let value = doorbell.loadSequential(at: 0)
        config.exchange(1, at: 0)
        wakeEntrusted()
        if !anyoneAsks, signals.load(UInt64.self, at: 0) | signals.load(UInt64.self, at: 8) == 0 {
            var interval: Timestamp?
            // A clone that comes from now on rings, too; where nobody watches for it this thread looks soon.
            let isCloseWatched = clones?.isExpecting == true && clones?.arm() == false
            let deadline = isCloseWatched ? Host.monotonic.advanced(by: Timestamp(nanoseconds: 200_000)) : deadline
            if let deadline { interval = Host.monotonic.interval(to: deadline) }
            doorbell.wait(at: 0, while: value, for: interval)
        }
        config.exchange(0, at: 0)
        publishProcessor()
        let end = Host.ticks
        // Who has asked has waited for the wake-up, too.
        workBegan = end &- PollingPolicy.wakeTicks
        policy.waited(end &- start, asleep: true, byRequest: anyoneAsks && !awaitsBirth)
    }

    /// Lets a stub on this processor run before this thread sleeps, and the stubs know whether they may do the same.
    /// - Returns: true when one has asked meanwhile.
    func giveWay() -> Bool {
        let gives = turns.shouldGiveWay()
        if gives != takesTurns {
            takesTurns = gives
            config.store(UInt32(gives ? 1 : 0), at: MemoryLayout<apus_config>.offset(of: \.takes_turns) ?? 0)
        }
        guard gives else { return false }
        let start = Host.ticks
        Host.yield()
        let brought = anyoneAsks
        turns.gaveWay(for: Host.ticks &- start, brought: brought)
        return brought
    }

    /// Wakes the kernel's thread from another thread of its process.
    package var doorbellAddress: UInt { unsafe UInt(bitPattern: doorbell.pointer(at: 0, count: 4)) }

    @inline(__always)
    private var anyoneAsks: Bool { watched.firstAsking(from: 0) != nil }

    /// Tells the stubs where this thread runs; only when it has moved, since every stub reads that line at every call.
    func publishProcessor() {
        let processor = Host.currentProcessor
        guard processor != publishedProcessor else { return }
        publishedProcessor = processor
        config.store(processor, at: 4)
    }

    /// Ends every stub.
    package func shutDown() {
        for process in processes.values { process.kill() }
        (template, templateThread, heir) = (nil, nil, nil)
        (spareParts, wantsParts) = (nil, false)
        dead = []
    }

    /// One processor of a set; all of them where that is none of the set's.
    /// The processor alone, or all but it; the set itself where that is no choice.
    private static func choice(_ processor: UInt32, alone: Bool, of set: [UInt64]) -> [UInt64] {
        let (index, bit) = (Int(processor / 64), UInt64(1) << UInt64(processor % 64))
        guard set.indices.contains(index), set[index] & bit != 0 else { return set }
        var chosen = alone ? [UInt64](repeating: 0, count: set.count) : set
        chosen[index] = alone ? bit : chosen[index] & ~bit
        return chosen.contains { $0 != 0 } ? chosen : set
    }

    deinit {
        Host.stopRoutingSignals()
        if tracer != nil { try? Host.bind(0, to: processors) }
    }
}
