internal import HostSystem
package import LinuxABI
internal import Stub

/// A process's local answers, by their places: `APUS_LOCAL_ANSWERS`. Nil for what is not answered.
package typealias LocalAnswers = InlineArray<32, UInt64?>

/// One host process that holds a guest's address space, seen from the kernel.
package final class StubProcess {
    package unowned let platform: TrapPlatform
    /// The host's number; 0 until the host has made it.
    package internal(set) var hostProcess: Int32 = 0
    /// How the kernel copies to and from it.
    package private(set) var memory = ProcessMemory(process: 0)
    let contexts: SharedMemory
    private var socket: Int32
    /// The stub's end, until it has been handed over.
    private var stubSocket: Int32
    private var slots: [StubThread?] = []
    /// Slots whose host threads were told to leave; free again when the host says that they have.
    private var leaving: [StubThread] = []
    /// Host threads whose guest threads are gone, asleep in their stubs until somebody makes a thread: to wake one costs a
    /// fraction of what beginning and ending one does.
    private var resting: [StubThread] = []
    private static let mostResting = 8
    /// By descriptor, the last version of what its stub was told: see `setLocalFile`.
    var localVersions: [UInt32] = []
    /// The same of readiness: see `setReadiness`.
    var readyVersion: UInt32 = 0
    /// How many posted calls were taken: see `takePosted`.
    var takenCalls = PostedCount()
    /// The same of changes of its address space: see `takePostedMapping`.
    var takenMappings = PostedCount()
    /// The same of threads that have ended: see `haveThreadsEnded`.
    var endsTaken: UInt32 = 0
    /// The same of writes, with how many there are once the permission was taken back, and the permission's number: see
    /// `takePostedWrite`.
    var takenWrites = PostedCount()
    var postedWritesEnd: UInt32?
    var writesVersion: UInt32 = 0
    /// What its stub was told of the heap and the limits: see `setHeapEnd`.
    var toldHeapEnd: UInt = 0
    var toldLimits: UInt64 = 0
    var limitsVersion: UInt32 = 0
    /// From then on it knows no thread, nor is told of one: they hold it, and each other would keep what they share for ever.
    package private(set) var isDead = false
    /// What the host says of its memory when it has ended.
    package let peak = PeakMemory()
    /// A number that stands in this process's contexts and in no other's: by it a host process is known as this one.
    private let mark: UInt64
    /// As they stand in the contexts.
    private var localAnswers = [UInt64?](repeating: nil, count: Int(APUS_LOCAL_ANSWERS))
    private static let markOffset = Int(APUS_MARK_OFFSET)

    init(platform: TrapPlatform) throws(Errno) {
        self.platform = platform
        let parts = try platform.takeParts()
        (contexts, mark, socket, stubSocket) = (parts.contexts, parts.mark, parts.socket, parts.stubSocket)
        parts.areTaken = true
    }

    /// What the kernel makes on the host for a process that is to come.
    final class Parts {
        let contexts: SharedMemory
        let mark: UInt64
        let socket: Int32
        let stubSocket: Int32
        /// Somebody else closes the sockets.
        var areTaken = false

        init(mark: UInt64) throws(Errno) {
            self.mark = mark
            contexts = try SharedMemory("apus-contexts", size: Int(APUS_CONTEXTS_SIZE))
            (socket, stubSocket) = try Host.socketPair()
            contexts.store(mark, at: StubProcess.markOffset)
            // The first thread's block: whoever makes a process in a hurry need not wait for its memory.
            contexts.store(UInt64(0), at: Int(APUS_BLOCK_SIZE))
        }

        deinit {
            guard !areTaken else { return }
            Host.close(socket)
            Host.close(stubSocket)
        }
    }

    deinit { closeSockets() }

    /// Not left to the end of this object: whoever still knows it must not keep descriptors from others.
    private func closeSockets() {
        if socket >= 0 { Host.close(socket) }
        if stubSocket >= 0 { Host.close(stubSocket) }
        (socket, stubSocket) = (-1, -1)
    }

    /// The descriptors that the stub of this process starts with: its contexts and its socket.
    var initialDescriptors: (contexts: Int32, socket: Int32) { (contexts.descriptor, stubSocket) }

    /// The host has made the process.
    private func began(as process: Int32) {
        hostProcess = process
        contexts.closeDescriptor()
        if stubSocket >= 0 { Host.close(stubSocket) }
        stubSocket = -1
    }

    /// Descriptors on their way count against a limit of the user's: a stub that has left some lying gets no more. Throws
    /// EAGAIN.
    func checkTaken() throws(Errno) { if !Host.isTaken(socket) { throw .EAGAIN } }

    func send(_ descriptor: Int32) throws(Errno) { try Host.send(descriptor, over: socket) }

    /// Hands a child's first descriptors to this process, which is about to clone it.
    func send(_ child: StubProcess) throws(Errno) {
        try Host.send(child.contexts.descriptor, child.stubSocket, over: socket)
    }

    /// Writes over memory that the process may only execute, stretch by stretch in this order: `/proc/pid/mem` in `proc(5)`.
    /// Pages of files become private copies. Throws what the host says; EIO for a stretch that was not written whole.
    func writeText(_ stretches: [(address: UInt, bytes: [UInt8])]) throws(Errno) {
        guard hostProcess != 0, !isDead else { throw .ESRCH }
        let descriptor = try Host.openFile(Host.processPath("\(hostProcess)/mem"), writing: true)
        defer { Host.close(descriptor) }
        for stretch in stretches {
            try ProcessMemory.check(stretch.address, stretch.bytes.count)
            let done = try Host.write(descriptor, at: Int64(bitPattern: UInt64(stretch.address)), stretch.bytes.span)
            guard done == stretch.bytes.count else { throw .EIO }
        }
    }

    /// Its text cannot be made what its program believes it to be: it ends, and its owner hears of that as of any other death.
    func endForItsText() { if hostProcess != 0, !isDead { try? Host.kill(hostProcess, 9) } }

    /// Leaves the result of a call with the process, for stubs to give without asking; nil takes it back.
    package func setLocalAnswer(_ index: Int, _ value: UInt64?) {
        // Mostly it is there already; a guest that has changed it has fooled itself.
        guard index > 0, index < Int(APUS_LOCAL_ANSWERS), localAnswers[index] != value else { return }
        localAnswers[index] = value
        let entry = Int(APUS_ANSWERS_OFFSET) + index * MemoryLayout<apus_local_answer>.size
        if let value { contexts.store(value, at: entry + 8) }
        // With a barrier: who takes an answer back may have to know who has used it until now. The high half is always 0.
        contexts.exchange(value == nil ? 0 : 1, at: entry)
    }

    /// The same with all of them.
    package func setLocalAnswers(_ values: LocalAnswers) {
        // Looked at where they stand: an element of the array itself is read from a copy of all.
        let values = values.span
        var changed = differences(values)
        while changed != 0 {
            let index = changed.trailingZeroBitCount
            setLocalAnswer(index, values[index])
            changed &= changed - 1
        }
    }

    /// A bit for each that is not there already. Most are, and the language watches at run time over each look at what is stored
    /// here, so this is one look; by itself, as a list that is still looked at is copied when it changes.
    private func differences(_ values: Span<UInt64?>) -> UInt32 {
        let told = localAnswers
        var changed: UInt32 = 0
        for index in 0..<min(told.count, values.count) where told[index] != values[index] { changed |= 1 << index }
        return changed
    }

    // MARK: Threads

    /// A host thread that has rested, which `hasBegun`; or a free slot with its memory prepared, where the `newThread`
    /// command starts one. Throws EAGAIN when all are taken. Without a floating-point state it gets that of the thread whose
    /// command starts it.
    package func newThread(floatingPoint: [UInt8]?, mayHaveRested: Bool = true) throws(Errno) -> StubThread {
        guard !isDead else { throw .EAGAIN }
        if mayHaveRested, let thread = resting.popLast() {
            thread.refresh()
            platform.watch(thread)
            return thread
        }
        collectLeft()
        let slot: Int
        if let free = slots.firstIndex(where: { $0 == nil }) {
            slot = free
        } else {
            guard slots.count < GuestLayout.maximumThreads else { throw .EAGAIN }
            slot = slots.count
            slots.append(nil)
        }
        return prepare(slot: slot, floatingPoint: floatingPoint)
    }

    /// The first thread of a process that `newProcess` has made; at the slot of the thread that it is a copy of.
    func prepare(slot: Int, floatingPoint: [UInt8]?) -> StubThread {
        while slots.count <= slot { slots.append(nil) }
        let thread = StubThread(slot: slot, process: self)
        thread.prepare(floatingPoint: floatingPoint)
        slots[slot] = thread
        platform.watch(thread)
        thread.isBeingBorn = true
        return thread
    }

    /// The thread never began, or rests again.
    package func abandon(_ thread: StubThread) {
        platform.unwatch(thread)
        guard !isDead else { return }
        guard !thread.hasBegun else { return resting.append(thread) }
        guard slots.indices.contains(thread.slot), slots[thread.slot] === thread else { return }
        slots[thread.slot] = nil
    }

    /// Nobody knows whether the thread, or the process that it is the first of, has begun: whoever was to hear of it has
    /// ended. If it comes it is told to leave.
    package func disown(_ thread: StubThread) {
        thread.owner = nil
        thread.isDisowned = true
        thread.heed()
        guard !isDead else { return }
        leaving.append(thread)
    }

    /// It has not come, and will not.
    package func forget(_ thread: StubThread) {
        platform.unwatch(thread)
        letGo()
    }

    /// A process that the host has not made, or that nobody owns, and its first thread hold each other: without this its
    /// descriptors would stay with the kernel for ever.
    private func letGo() { if hostProcess == 0 { kill() } }

    /// A thread that nobody owns has come after all.
    func dismiss(_ thread: StubThread) {
        var last = StubAnswer()
        last.commands = [.exitThread]
        try? thread.answer(last)
        platform.unwatch(thread)
        letGo()
    }

    /// Ends one host thread of several, or lets it rest; the guest's thread is gone already.
    package func end(_ thread: StubThread) {
        guard !isDead else { return platform.unwatch(thread) }
        thread.endWord = 0
        if resting.count < StubProcess.mostResting, thread.rest() {
            platform.unwatch(thread)
            return resting.append(thread)
        }
        var last = StubAnswer()
        last.commands = [.exitThread]
        try? thread.answer(last)
        platform.unwatch(thread)
        leaving.append(thread)
    }

    private func collectLeft() {
        leaving.removeAll { thread in
            guard thread.isGone else { return false }
            slots[thread.slot] = nil
            return true
        }
    }

    /// A process of its own that begins as a copy of this one, with one thread in the same slot as `thread`. The
    /// `newProcess` command for `thread` makes it. Without a floating-point state it gets that thread's.
    package func newProcess(copying thread: StubThread, floatingPoint: [UInt8]?) throws(Errno) -> StubThread {
        let child = try StubProcess(platform: platform)
        return child.prepare(slot: thread.slot, floatingPoint: floatingPoint)
    }

    /// A stub said under what number the host made this process. A guest can forge that: only a child of the kernel's that
    /// is nobody else's is taken, and it is not touched before `confirm`. Throws ESRCH.
    package func hostMade(_ process: Int, thread: StubThread) throws(Errno) {
        guard let number = Int32(exactly: process), Host.isChild(number), platform.isUnknown(number) else {
            throw .ESRCH
        }
        began(as: number)
        thread.hostThread = number
        platform.register(self)
    }

    /// The process stands (`ready`): from now on its memory is this process's, if its contexts are. Throws ESRCH when the
    /// number that `hostMade` was told is another process's.
    package func confirm() throws(Errno) {
        guard memory.process != hostProcess else { return }
        let found = try [UInt8](capacity: 8) { output throws(Errno) in
            try ProcessMemory(process: hostProcess).readStub(
                8, at: UInt(APUS_STUB_CONTEXTS) + UInt(StubProcess.markOffset), into: &output)
        }
        var reader = ByteReader(found)
        guard reader.take(UInt64.self) == mark else { throw .ESRCH }
        memory = ProcessMemory(process: hostProcess)
        memory.livingThreads = { [weak self] in self?.livingThreads ?? [] }
    }

    private var livingThreads: [Int32] {
        var living: [Int32] = []
        // Not lazily: a thread can end between two looks at it.
        for thread in slots {
            if let thread, thread.hostThread != 0, !thread.isGone { living.append(thread.hostThread) }
        }
        return living
    }

    /// The most bytes of it that ever were in the host's memory; nil when the host does not tell.
    package var peakBytes: UInt64? { hostProcess == 0 ? nil : Host.peakMemory(of: hostProcess) }

    /// Ends the host process with everything in it.
    package func kill() {
        guard !isDead else { return }
        isDead = true
        for thread in slots { if let thread { platform.unwatch(thread) } }
        slots = []
        leaving = []
        resting = []
        closeSockets()
        if hostProcess != 0 {
            peak.awaited = hostProcess
            try? Host.kill(hostProcess, 9)
        }
    }

    func died() {
        isDead = true
        for thread in slots { if let thread { platform.unwatch(thread) } }
        slots = []
        leaving = []
        resting = []
        closeSockets()
    }

    /// A thread that has ended without waking anybody here, and that is not dealt with.
    func quietThread(but asking: StubThread?) -> StubThread? {
        for case let thread? in slots where thread !== asking && thread.owner != nil && thread.endsQuietly {
            return thread
        }
        return nil
    }

    func thread(at slot: Int) -> StubThread? { slots.indices.contains(slot) ? slots[slot] : nil }

    /// A thread to tell of the death of the process: one that somebody owns, and not one that rests or was disowned.
    var anyThread: StubThread? { slots.lazy.compactMap { $0 }.first { $0.owner != nil } }
}
