package import LinuxABI

/// Locks whose word names their owner: `FUTEX_LOCK_PI` and its relatives. See `futex(2)`, "Priority-inheritance futexes".
///
/// The kernel hands the lock to the first in line, so that nobody who comes later overtakes; a sandbox's threads have no
/// priorities of their own, so there is nothing to inherit.
extension GuestThread {
    private var ownWord: UInt32 { UInt32(truncatingIfNeeded: id.rawValue) & GuestThread.futexOwnerMask }

    /// `FUTEX_LOCK_PI`, `FUTEX_LOCK_PI2`. Throws EDEADLK, ESRCH, ETIMEDOUT, EFAULT, EINVAL.
    package func futexLock(_ address: UInt, isPrivate: Bool, until deadline: MonotonicTime?) throws(Errno) -> Int {
        if let wait = restart.object as? FutexWait {
            if wait.ownsLock { return 0 }
        } else {
            let key = try futexKey(address, isPrivate: isPrivate)
            guard let owner = try takeLockWord(address, key) else { return 0 }
            let wait = FutexWait(self, isForLock: true)
            wait.lockAddress = address
            kernel.futexes.add(wait, at: key)
            kernel.futexes.setOwner(of: key, owner)
            restart.object = wait
        }
        throw sleepOnFutex(until: deadline, interrupted: .ERESTARTNOINTR, restart: nil)
    }

    /// `FUTEX_TRYLOCK_PI`. Throws EAGAIN where another owns the lock.
    package func futexTryLock(_ address: UInt, isPrivate: Bool) throws(Errno) -> Int {
        let key = try futexKey(address, isPrivate: isPrivate)
        guard try takeLockWord(address, key) == nil else { throw .EAGAIN }
        return 0
    }

    /// Takes a free lock, or sets the bit that makes its owner unlock it through the kernel.
    /// - Returns: the owner; nil when it is this thread now.
    private func takeLockWord(_ address: UInt, _ key: FutexKey) throws(Errno) -> ProcessID? {
        let hasWaiters = try kernel.futexes.nextForLock(key) != nil
        var owner: ProcessID?
        let own = ownWord
        try changeFutexWord(address) { (word) throws(Errno) in
            let number = word & GuestThread.futexOwnerMask
            owner = nil
            guard number != own else { throw .EDEADLK }
            guard number != 0 else {
                return own | word & GuestThread.futexOwnerDied | (hasWaiters ? GuestThread.futexWaiters : 0)
            }
            let found = ProcessID(Int32(truncatingIfNeeded: number))
            guard kernel.threads[found] != nil else { throw .ESRCH }
            owner = found
            return word & GuestThread.futexWaiters == 0 ? word | GuestThread.futexWaiters : nil
        }
        return owner
    }

    /// `FUTEX_UNLOCK_PI`. Throws EPERM where another owns the lock.
    package func futexUnlock(_ address: UInt, isPrivate: Bool) throws(Errno) -> Int {
        guard try futexWord(address) & GuestThread.futexOwnerMask == ownWord else { throw .EPERM }
        let key = try futexKey(address, isPrivate: isPrivate)
        let next = try kernel.futexes.nextForLock(key)
        let own = ownWord
        let word = next.map { GuestThread.futexWaiters | $0.wait.thread.ownWord } ?? 0
        try changeFutexWord(address) { (found) throws(Errno) in
            guard found & GuestThread.futexOwnerMask == own else { throw .EINVAL }
            return word
        }
        if let next { kernel.futexes.handOver(to: next) }
        return 0
    }

    /// `FUTEX_WAIT_REQUEUE_PI`: waits until woken by way of the lock, and owns that on return.
    package func futexWaitForRequeue(
        _ address: UInt, lock: UInt, isPrivate: Bool, while value: UInt32, bits: UInt32, until deadline: MonotonicTime?
    ) throws(Errno) -> Int {
        if let wait = restart.object as? FutexWait {
            if wait.ownsLock { return 0 }
        } else {
            guard address != lock, bits != 0 else { throw .EINVAL }
            let key = try futexKey(address, isPrivate: isPrivate)
            let lockKey = try futexKey(lock, isPrivate: isPrivate)
            guard key != lockKey else { throw .EINVAL }
            guard try futexWord(address) == value else { throw .EAGAIN }
            let wait = FutexWait(self)
            wait.lockAddress = lock
            wait.lockKey = lockKey
            kernel.futexes.add(wait, at: key, bits: bits)
            restart.object = wait
        }
        // Before it was moved to the lock an interruption makes the caller try again; after that it cannot.
        let isMoved = (restart.object as? FutexWait)?.entries.first?.isForLock == true
        throw sleepOnFutex(until: deadline, interrupted: isMoved ? .EINTR : .EAGAIN, restart: nil)
    }

    /// `FUTEX_CMP_REQUEUE_PI`: the first waiter gets the lock or stands in line for it, up to `move` others behind it.
    package func futexRequeueToLock(
        from address: UInt, to lock: UInt, isPrivate: Bool, wake: Int32, move: Int32, ifValue value: UInt32
    ) throws(Errno) -> Int {
        guard wake == 1, move >= 0, address != lock else { throw .EINVAL }
        let key = try futexKey(address, isPrivate: isPrivate)
        let lockKey = try futexKey(lock, isPrivate: isPrivate)
        guard key != lockKey else { throw .EINVAL }
        guard try futexWord(address) == value else { throw .EAGAIN }
        var done = 0
        for waiter in kernel.futexes.requeueable(key) {
            guard done <= Int(move) else { break }
            guard waiter.wait.lockKey == lockKey, !waiter.isForLock else { throw .EINVAL }
            let owner = try waiter.wait.thread.takeLockWord(lock, lockKey)
            if let owner {
                kernel.futexes.moveToLock(waiter, lockKey, owner: owner)
            } else {
                kernel.futexes.grant(waiter)
            }
            done += 1
        }
        return done
    }
}
