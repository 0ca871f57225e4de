package import LinuxABI
internal import Platform

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
            guard let owner = try takeLockWord(address, key, for: self) else { return 0 }
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
        guard try takeLockWord(address, key, for: self) == nil else { throw .EAGAIN }
        return 0
    }

    /// Takes a free lock for a thread, or sets the bit that makes its owner unlock it through the kernel; by way of this
    /// thread's stub, so that the handler may run more than once.
    /// - Returns: the owner; nil when it is `taker` now.
    private func takeLockWord(_ address: UInt, _ key: FutexKey, for taker: GuestThread) throws(Errno) -> ProcessID? {
        let own = taker.ownWord
        while true {
            if let (update, old) = try finishedUpdate(), update.applies(to: old) {
                guard let owner = owner(in: old) else {
                    let written = update.flip & GuestThread.futexOwnerMask
                    if written == own { return nil }
                    // Whom it was taken for has died meanwhile.
                    let new = update.flip ^ written ^ own
                    try beginUpdate(
                        WordUpdate(mask: GuestThread.futexOwnerMask, value: written, flip: new), at: address,
                        keeping: key)
                    continue
                }
                // One that has died meanwhile has left the word otherwise: begin anew.
                if kernel.threads[owner] != nil { return owner }
            }
            try awaitUpdate(of: key)
            let hasWaiters = try kernel.futexes.nextForLock(key) != nil
            let word = try futexWord(address)
            guard word & GuestThread.futexOwnerMask != own else { throw .EDEADLK }
            var new = word | GuestThread.futexWaiters
            if let owner = owner(in: word) {
                guard kernel.threads[owner] != nil else { throw .ESRCH }
                if word == new { return owner }
            } else {
                new = own | word & GuestThread.futexOwnerDied | (hasWaiters ? GuestThread.futexWaiters : 0)
            }
            try beginUpdate(WordUpdate(mask: .max, value: word, flip: new), at: address, keeping: key)
        }
    }

    private func owner(in word: UInt32) -> ProcessID? {
        let number = word & GuestThread.futexOwnerMask
        return number == 0 ? nil : ProcessID(Int32(truncatingIfNeeded: number))
    }

    /// `FUTEX_UNLOCK_PI`. Throws EPERM where another owns the lock.
    package func futexUnlock(_ address: UInt, isPrivate: Bool) throws(Errno) -> Int {
        let key = try futexKey(address, isPrivate: isPrivate)
        var owner = ownWord
        if let (update, old) = try finishedUpdate() {
            guard update.applies(to: old) else { throw .EPERM }
            let next = try kernel.futexes.nextForLock(key)
            owner = update.flip & GuestThread.futexOwnerMask
            if owner == next?.wait.thread.ownWord ?? 0 {
                if let next { kernel.futexes.handOver(to: next) }
                return 0
            }
            // The first in line, whose number stands there now, has died meanwhile.
        } else {
            guard try futexWord(address) & GuestThread.futexOwnerMask == owner else { throw .EPERM }
            try awaitUpdate(of: key)
        }
        let next = try kernel.futexes.nextForLock(key)
        let word = next.map { GuestThread.futexWaiters | $0.wait.thread.ownWord } ?? 0
        let update = WordUpdate(mask: GuestThread.futexOwnerMask, value: owner, flip: word)
        try beginUpdate(update, at: address, keeping: key)
        // The kernel has changed the word itself.
        return try futexUnlock(address, isPrivate: isPrivate)
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
        if restart.update == nil, restart.bytesDone == 0 {
            try gatherWaiters()
            guard try futexWord(address) == value else { throw .EAGAIN }
        }
        for waiter in kernel.futexes.requeueable(key) {
            guard restart.bytesDone <= Int(move) else { break }
            guard waiter.wait.lockKey == lockKey, !waiter.isForLock else { throw .EINVAL }
            if let owner = try takeLockWord(lock, lockKey, for: waiter.wait.thread) {
                kernel.futexes.moveToLock(waiter, lockKey, owner: owner)
            } else {
                kernel.futexes.grant(waiter)
            }
            restart.bytesDone += 1
        }
        if let (update, old) = try finishedUpdate(), update.applies(to: old), owner(in: old) == nil {
            // Nobody is left of those for whom the lock was taken.
            let free = WordUpdate(mask: .max, value: update.flip)
            try beginUpdate(free, at: lock, keeping: lockKey)
        }
        return restart.bytesDone
    }
}
