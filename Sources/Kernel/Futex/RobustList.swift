internal import GuestMemory
package import LinuxABI
internal import Platform

/// What the end of a thread does to futexes. See `set_robust_list(2)` and the kernel's `robust-futex-ABI`.
extension GuestThread {
    /// Bits of a lock's word.
    package static let futexWaiters: UInt32 = 0x8000_0000
    package static let futexOwnerDied: UInt32 = 0x4000_0000
    package static let futexOwnerMask: UInt32 = 0x3fff_ffff

    /// `ROBUST_LIST_LIMIT`: a guest can make the list a circle.
    private static let longestRobustList = 2048

    /// The first half of `exit(2)`: the thread's own stub marks the locks that die with the thread, atomically, since others
    /// may be changing their words; then `end` runs.
    package func releaseRobustLocks(then end: @escaping (GuestThread) -> Void) throws(Errno) {
        let locks = takeRobustLocks()
        // Who waits for its word by the host is woken by nobody else.
        let word = hasClearedWord ? 0 : stub?.endWord ?? 0
        guard !locks.isEmpty || word != 0, let stub else { return end(self) }
        var answer = StubAnswer()
        answer.commands = locks.map { .updateWord(address: $0.address, update: deathUpdate) }
        if word != 0 {
            answer.commands.append(.updateWord(address: word, update: WordUpdate()))
            answer.commands.append(.wakeWord(address: word))
        }
        answer.reports = true
        afterCommands = { thread, _, _ in
            // By now it may be another thread's.
            if word != 0 { thread.hasClearedWord = true }
            // Where nobody waits this wakes nobody; Linux, too, gives up at the first word that is not there.
            for lock in locks where !lock.isPriority { thread.wakeOne(lock.address) }
            end(thread)
            return .handled
        }
        try stub.answer(answer)
    }

    /// Leaves every line, marks the locks that die with the thread and tells whoever joins it (`CLONE_CHILD_CLEARTID`).
    /// Called once, while the thread's memory can still be reached.
    package func releaseFutexesAtExit() {
        // The list's head may have come with the call.
        let locks = takeRobustLocks()
        // No answer of this thread's will carry what is written now: others must see it before they are woken.
        if let map { memory = map.memory }
        leaveFutexLines()
        release(locks)
        passLocksOn()
        clearThreadIDWord()
    }

    /// What `execve(2)` does for the thread that goes on: as an end, but for the lines it stands in.
    package func releaseFutexesAtExec() {
        release(takeRobustLocks())
        clearThreadIDWord()
    }

    private func leaveFutexLines() {
        endUpdate(.failure(.ESRCH))
        guard let wait = restart.object as? FutexWait else { return }
        kernel.futexes.remove(wait)
    }

    private func clearThreadIDWord() {
        let address = clearThreadID
        guard address != 0 else { return }
        clearThreadID = 0
        // Nobody else is there to look.
        if let map, map.users <= 1 { return }
        guard hasClearedWord || (try? copyOut(integer: Int32(0), to: address)) != nil else { return }
        wakeOne(address)
    }

    private func wakeOne(_ address: UInt) {
        guard let key = try? futexKey(address, isPrivate: false) else { return }
        _ = try? kernel.futexes.wake(key, count: 1)
    }

    /// PI locks go to the first who waits, marked as what a dead owner left. With a waiter in line no thread may store to
    /// the word but by the kernel, so that this need not be atomic.
    private func passLocksOn() {
        for key in kernel.futexes.locks(of: id) {
            guard let waiter = try? kernel.futexes.nextForLock(key) else { continue }
            let word =
                GuestThread.futexWaiters | GuestThread.futexOwnerDied
                | UInt32(truncatingIfNeeded: waiter.wait.thread.id.rawValue)
            var writer = ByteWriter(capacity: 4)
            writer.put(word)
            try? waiter.wait.thread.map?.memory.write(writer.bytes.span, at: waiter.wait.lockAddress)
            kernel.futexes.handOver(to: waiter)
        }
    }

    /// One of the locks that die with a thread.
    private struct RobustLock {
        let address: UInt
        let isPriority: Bool
        /// The thread was about to lock or unlock it.
        let isPending: Bool

        /// What a word of the list points at, and whether that is a PI lock.
        static func entry(_ word: UInt) -> (UInt, Bool) { (word & ~1, word & 1 != 0) }
    }

    /// What the death of this thread makes of a lock that it owns.
    private var deathUpdate: WordUpdate {
        WordUpdate(
            mask: GuestThread.futexOwnerMask, value: UInt32(truncatingIfNeeded: id.rawValue),
            keep: GuestThread.futexWaiters, flip: GuestThread.futexOwnerDied)
    }

    /// Bytes of `struct robust_list_head`.
    package static let robustHeadSize = 24

    /// What is on the list, as far as it can be read; it is none any more.
    private func takeRobustLocks() -> [RobustLock] {
        let head = robustList
        guard head != 0 else { return [] }
        robustList = 0
        return robustLocks(head)
    }

    private func robustLocks(_ head: UInt) -> [RobustLock] {
        // Its three words at once: most lists are empty.
        guard let words = try? copyIn(GuestThread.robustHeadSize, from: head) else { return [] }
        var reader = ByteReader(words)
        var (entry, isPriority) = RobustLock.entry(reader.take())
        let offset: UInt = reader.take()
        let (pending, pendingIsPriority) = RobustLock.entry(reader.take())
        var locks: [RobustLock] = []
        while entry != head, locks.count < GuestThread.longestRobustList {
            if entry != pending {
                let lock = RobustLock(address: entry &+ offset, isPriority: isPriority, isPending: false)
                guard lock.address % 4 == 0, lock.address < GuestLayout.taskSize else { return locks }
                locks.append(lock)
            }
            guard let following = robustEntry(at: entry) else { return locks }
            (entry, isPriority) = following
        }
        let last = RobustLock(address: pending &+ offset, isPriority: pendingIsPriority, isPending: true)
        if pending != 0, last.address % 4 == 0, last.address < GuestLayout.taskSize { locks.append(last) }
        return locks
    }

    private func robustEntry(at address: UInt) -> (UInt, Bool)? {
        (try? copyIn(UInt.self, from: address)).map(RobustLock.entry)
    }

    /// The locks of a thread that was killed, or executes a program: its stub can do nothing for it any more. Exact in
    /// memory that dies with it; in memory that others share a word that they change at this moment can be lost.
    private func release(_ locks: [RobustLock]) {
        guard !locks.isEmpty else { return }
        let update = deathUpdate
        for lock in locks {
            guard let word = try? futexWord(lock.address) else { return }
            let isUnlocked = lock.isPending && word & GuestThread.futexOwnerMask == 0
            if update.applies(to: word) {
                guard (try? copyOut(integer: update.applied(to: word), to: lock.address)) != nil else { return }
            }
            guard !lock.isPriority else { continue }
            if isUnlocked || update.applies(to: word) && word & GuestThread.futexWaiters != 0 { wakeOne(lock.address) }
        }
    }
}
