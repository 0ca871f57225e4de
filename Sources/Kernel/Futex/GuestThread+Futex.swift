package import LinuxABI
internal import Platform

/// The waiting and waking operations of `futex(2)` and `futex_waitv(2)`.
extension GuestThread {
    /// `FUTEX_WAIT` and `FUTEX_WAIT_BITSET`: waits while the word has the value. Throws EAGAIN if it has another, EINVAL,
    /// EFAULT, ETIMEDOUT.
    package func futexWait(
        _ address: UInt, isPrivate: Bool, while value: UInt32, bits: UInt32 = FutexTable.anyBits,
        until deadline: MonotonicTime?
    ) throws(Errno) -> Int {
        if let wait = restart.object as? FutexWait {
            if wait.wokenIndex != nil { return 0 }
        } else {
            if try endedInStub() { return 0 }
            guard bits != 0 else { throw .EINVAL }
            let key = try futexKey(address, isPrivate: isPrivate)
            guard try futexWord(address) == value else { throw .EAGAIN }
            let wait = FutexWait(self)
            kernel.futexes.add(wait, at: key, bits: bits)
            restart.object = wait
        }
        throw sleepOnFutex(until: deadline) { (thread) throws(Errno) in
            try thread.futexWait(address, isPrivate: isPrivate, while: value, bits: bits, until: deadline)
        }
    }

    /// One futex of `futex_waitv(2)`.
    package struct FutexVectorEntry: Sendable {
        package var address: UInt
        package var value: UInt32
        package var isPrivate: Bool

        package init(address: UInt, value: UInt32, isPrivate: Bool) {
            self.address = address
            self.value = value
            self.isPrivate = isPrivate
        }
    }

    /// `futex_waitv(2)`: waits until any of the futexes is woken.
    /// - Returns: the index of the one that was.
    package func futexWait(onAnyOf entries: [FutexVectorEntry], until deadline: MonotonicTime?) throws(Errno) -> Int {
        if let wait = restart.object as? FutexWait {
            if let index = wait.wokenIndex { return index }
        } else {
            var keys: [FutexKey] = []
            for entry in entries { keys.append(try futexKey(entry.address, isPrivate: entry.isPrivate)) }
            for entry in entries {
                guard try futexWord(entry.address) == entry.value else { throw .EAGAIN }
            }
            let wait = FutexWait(self)
            for key in keys { kernel.futexes.add(wait, at: key) }
            restart.object = wait
        }
        throw sleepOnFutex(until: deadline, restart: nil)
    }

    /// Parks on the wait that `restart.object` holds, or takes it out of the table again. `block` is what
    /// `restart_syscall(2)` runs after an interruption of a wait with a deadline.
    /// - Returns: what to throw.
    func sleepOnFutex(
        until deadline: MonotonicTime?, interrupted: Errno = .ERESTARTSYS, restart block: RestartBlock?
    ) -> Errno {
        guard let wait = restart.object as? FutexWait else { return .EINVAL }
        var error = Errno.ETIMEDOUT
        if deadline.map({ kernel.clock.now < $0 }) ?? true {
            let mayResume = deadline != nil && block != nil
            error = park(
                on: [wait.events], until: deadline, interrupted: mayResume ? .ERESTART_RESTARTBLOCK : interrupted)
            if error == .ERESTART_RESTARTBLOCK { signals.restartBlock = block }
        }
        guard error != .parked else { return error }
        if let key = wait.line, let ended = kernel.futexes.update(of: key) {
            // The owner may be writing this thread's number into the word: then the lock is had, however late.
            parkUnlessDying(on: ended)
            return .parked
        }
        kernel.futexes.remove(wait)
        restart.object = nil
        return error
    }

    /// `FUTEX_WAKE` and `FUTEX_WAKE_BITSET`.
    package func futexWake(
        _ address: UInt, isPrivate: Bool, count: Int32, bits: UInt32 = FutexTable.anyBits
    ) throws(Errno) -> Int {
        let already = wokenInStub()
        guard bits != 0 else { throw .EINVAL }
        let key = try futexKey(address, isPrivate: isPrivate)
        guard already == 0 || already < Int(count) else { return already }
        if isPrivate, bits != FutexTable.anyBits { try gatherWaiters() }
        return already + (try kernel.futexes.wake(key, count: count - Int32(already), bits: bits))
    }

    /// `FUTEX_REQUEUE` and, with a value that the word must have, `FUTEX_CMP_REQUEUE`.
    package func futexRequeue(
        from address: UInt, to other: UInt, isPrivate: Bool, wake: Int32, move: Int32, ifValue value: UInt32?
    ) throws(Errno) -> Int {
        guard wake >= 0, move >= 0 else { throw .EINVAL }
        try gatherWaiters()
        let key = try futexKey(address, isPrivate: isPrivate)
        let target = try futexKey(other, isPrivate: isPrivate)
        if let value {
            guard try futexWord(address) == value else { throw .EAGAIN }
        }
        return try kernel.futexes.requeue(from: key, to: target, wake: wake, move: move)
    }

    /// `FUTEX_WAKE_OP`: changes the second word, wakes at the first, and at the second if its old value compares.
    /// Throws ENOSYS for an operation or comparison that there is none of.
    package func futexWakeOperation(
        _ address: UInt, _ other: UInt, isPrivate: Bool, wake: Int32, wakeOther: Int32, operation: UInt32
    ) throws(Errno) -> Int {
        try gatherWaiters()
        let key = try futexKey(address, isPrivate: isPrivate)
        let target = try futexKey(other, isPrivate: isPrivate)
        let isShift = operation & 0x8000_0000 != 0
        // Twelve bits each, signed.
        var argument = Int32(bitPattern: operation << 8) >> 20
        let compared = Int32(bitPattern: operation << 20) >> 20
        if isShift { argument = 1 << (argument & 31) }
        let operand = UInt32(bitPattern: argument)
        let update: WordUpdate
        switch operation >> 28 & 0x7 {
        case 0: update = WordUpdate(flip: operand)
        case 1: update = WordUpdate(keep: .max, addend: operand)
        case 2: update = WordUpdate(keep: ~operand, flip: operand)
        case 3: update = WordUpdate(keep: ~operand)
        case 4: update = WordUpdate(keep: .max, flip: operand)
        default: throw .ENOSYS
        }
        if restart.update == nil { try beginUpdate(update, at: other) }
        guard let value = try finishedUpdate().map({ Int32(bitPattern: $0.old) }) else { throw .EFAULT }
        let holds: Bool
        switch operation >> 24 & 0xf {
        case 0: holds = value == compared
        case 1: holds = value != compared
        case 2: holds = value < compared
        case 3: holds = value >= compared
        case 4: holds = value <= compared
        case 5: holds = value > compared
        default: throw .ENOSYS
        }
        var woken = try kernel.futexes.wake(key, count: wake)
        if holds { woken += try kernel.futexes.wake(target, count: wakeOther) }
        return woken
    }
}
