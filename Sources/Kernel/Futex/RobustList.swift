internal import LinuxABI

/// What the end of a thread does to futexes. See `set_robust_list(2)` and the kernel's `robust-futex-ABI`.
extension GuestThread {
    /// Bits of a lock's word.
    package static let futexWaiters: UInt32 = 0x8000_0000
    package static let futexOwnerDied: UInt32 = 0x4000_0000
    package static let futexOwnerMask: UInt32 = 0x3fff_ffff

    /// `ROBUST_LIST_LIMIT`: a guest can make the list a circle.
    private static let longestRobustList = 2048

    /// Leaves every line, marks the locks that die with the thread and tells whoever joins it (`CLONE_CHILD_CLEARTID`).
    /// Called once, while the thread's memory can still be reached.
    package func releaseFutexesAtExit() {
        // No answer of this thread's will carry what is written now: others must see it before they are woken.
        if let map { memory = map.memory }
        leaveFutexLines()
        if robustList != 0 {
            // Linux, too, gives up at the first address that cannot be read.
            try? walkRobustList(robustList)
            robustList = 0
        }
        passLocksOn()
        clearThreadIDWord()
    }

    /// What `execve(2)` does for the thread that goes on: as an end, but for the lines it stands in.
    package func releaseFutexesAtExec() {
        if robustList != 0 { try? walkRobustList(robustList) }
        robustList = 0
        clearThreadIDWord()
    }

    private func leaveFutexLines() {
        guard let wait = restart.object as? FutexWait else { return }
        kernel.futexes.remove(wait)
    }

    private func clearThreadIDWord() {
        let address = clearThreadID
        guard address != 0 else { return }
        clearThreadID = 0
        // Nobody else is there to look.
        if let map, map.users <= 1 { return }
        guard (try? copyOut(integer: Int32(0), to: address)) != nil else { return }
        wakeOne(address)
    }

    private func wakeOne(_ address: UInt) {
        guard let key = try? futexKey(address, isPrivate: false) else { return }
        _ = try? kernel.futexes.wake(key, count: 1)
    }

    /// PI locks go to the first who waits, marked as what a dead owner left.
    private func passLocksOn() {
        for key in kernel.futexes.locks(of: id) {
            guard let waiter = try? kernel.futexes.nextForLock(key) else { continue }
            let word =
                GuestThread.futexWaiters | GuestThread.futexOwnerDied
                | UInt32(truncatingIfNeeded: waiter.wait.thread.id.rawValue)
            _ = try? waiter.wait.thread.changeFutexWord(waiter.wait.lockAddress) { _ in word }
            kernel.futexes.handOver(to: waiter)
        }
    }

    private func walkRobustList(_ head: UInt) throws(Errno) {
        var (entry, isPriority) = try robustEntry(at: head)
        let offset = try copyIn(UInt.self, from: head &+ 8)
        let (pending, pendingIsPriority) = try robustEntry(at: head &+ 16)
        var left = GuestThread.longestRobustList
        while entry != head, left > 0 {
            left -= 1
            // The next entry first: another thread may free this one as soon as its lock is released.
            let following = try? robustEntry(at: entry)
            if entry != pending {
                try releaseLock(entry &+ offset, isPriority: isPriority, isPending: false)
            }
            guard let following else { return }
            (entry, isPriority) = following
        }
        if pending != 0 {
            try releaseLock(pending &+ offset, isPriority: pendingIsPriority, isPending: true)
        }
    }

    private func robustEntry(at address: UInt) throws(Errno) -> (UInt, Bool) {
        let word = try copyIn(UInt.self, from: address)
        return (word & ~1, word & 1 != 0)
    }

    private func releaseLock(_ address: UInt, isPriority: Bool, isPending: Bool) throws(Errno) {
        guard address % 4 == 0 else { throw .EINVAL }
        let own = UInt32(truncatingIfNeeded: id.rawValue)
        var wakes = false
        try changeFutexWord(address) { word in
            let owner = word & GuestThread.futexOwnerMask
            wakes = isPending && !isPriority && owner == 0
            guard owner == own else { return nil }
            wakes = !isPriority && word & GuestThread.futexWaiters != 0
            return word & GuestThread.futexWaiters | GuestThread.futexOwnerDied
        }
        if wakes { wakeOne(address) }
    }
}
