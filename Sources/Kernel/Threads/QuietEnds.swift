internal import LinuxABI
internal import Platform

/// Threads that end without waking the kernel: `Stub/ends.c` and `docs/decisions/0043-ends-without-asking.md`. Whoever joins one is
/// woken by its stub. The kernel hears of it before it does anything for anybody.
extension Kernel {
    /// Who lives in the address space has changed: whether its threads may end so. Not where one could be the last of its process, nor
    /// where threads of others live, nor where an end is more than that: of a child's parent, or of descriptors.
    func letEndQuietly(_ map: MemoryMap, _ members: [GuestThread]) {
        let may = members.count > 1 && sink == nil && platform?.isTracing == false && GuestThread.areLed(members)
        guard may != map.mayEndQuietly else { return }
        map.mayEndQuietly = may
        map.stub.setMayEnd(may)
        if may { quietEnds.append(map) } else { quietEnds.removeAll { $0 === map } }
    }

    /// A thread has got children or descriptors of its own.
    package func hearEnds(in map: MemoryMap?) {
        guard let map, map.mayEndQuietly else { return }
        letEndQuietly(map, threads.values.filter { $0.map === map && $0.state != .dead })
    }

    /// Takes note of the threads that have ended so.
    func takeEnds(but asking: StubThread?) {
        guard !isTakingEnds else { return }
        isTakingEnds = true
        defer { isTakingEnds = false }
        for map in quietEnds where map.stub.haveThreadsEnded() {
            // As many as can have, whatever a guest claims.
            for _ in 0..<GuestLayout.maximumThreads where !map.stub.takeEnd(but: asking) { break }
        }
        if asking == nil, let map = oldAnswers { publishAnswers(of: map) }
    }

    /// A thread has ended so: those that are left may answer more, which is told once for all ends.
    func answersAreOld(of map: MemoryMap) {
        if let other = oldAnswers, other !== map { publishAnswers(of: other) }
        oldAnswers = map
    }

    /// Tells what stubs may answer since threads have ended: before what the asking `thread` asks is handled, unless it alone is left
    /// and makes another one, of whose birth all is told as it was before; and behind it.
    func publishOldAnswers(before event: StubEvent? = nil, of thread: GuestThread) {
        guard !isTakingEnds, let map = oldAnswers else { return }
        if case .syscall(let number, let arguments) = event, thread.map === map, map.users == 1 {
            // clone3, and clone for a thread. Whatever comes of it, `stubAsked` calls this again behind it.
            if number == 435 || number == 56 && CloneFlags(rawValue: UInt64(arguments[0])).contains(.thread) { return }
        }
        publishAnswers(of: map)
    }
}

extension GuestThread {
    /// True if all are one process's and share its descriptors, and its first thread is among them, who has made all its children.
    fileprivate static func areLed(_ members: [GuestThread]) -> Bool {
        guard let first = members.first else { return false }
        let process = first.process
        return members.allSatisfy { $0.process === process && $0.files === first.files }
            && members.contains { $0.id == process.id }
            && process.children.allSatisfy { $0.parentThread == process.id }
    }

    /// Where the word is that becomes 0 when it ends has changed. The first thread's end is the kernel's.
    func tellEndWord() {
        guard let stub else { return }
        let isPrivate = map?.areas.area(at: clearThreadID).map { !$0.isShared } ?? false
        let may = kernel.sink == nil && kernel.platform?.isTracing == false && id != process.id
        stub.endWord = may && isPrivate && clearThreadID % 4 == 0 ? clearThreadID : 0
    }
}
