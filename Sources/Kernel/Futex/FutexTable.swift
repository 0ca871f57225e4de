package import LinuxABI
package import VFS

/// One blocked `futex(2)` or `futex_waitv(2)`: it stands in the table until it is woken or its handler gives up.
package final class FutexWait {
    package unowned let thread: GuestThread
    /// What the thread is parked on; fired when any entry is woken.
    package let events = WaitQueue()
    fileprivate(set) var entries: [FutexWaiter] = []
    /// Which entry was woken.
    package fileprivate(set) var wokenIndex: Int?
    /// Handed the lock by the one who unlocked it (PI futexes).
    package fileprivate(set) var ownsLock = false
    /// Waits for the lock at its futex, not for a wake-up.
    package let isForLock: Bool
    /// Where `FUTEX_CMP_REQUEUE_PI` may move the wait to: the address and key of the lock.
    package var lockAddress: UInt = 0
    package var lockKey: FutexKey?

    package init(_ thread: GuestThread, isForLock: Bool = false) {
        self.thread = thread
        self.isForLock = isForLock
    }

    /// The lock that it stands in line for, or may be moved to; nil for a wait that has to do with none.
    package var line: FutexKey? { lockKey ?? (isForLock ? entries.first?.key : nil) }
}

/// A place in a futex's line.
package final class FutexWaiter {
    package unowned let wait: FutexWait
    fileprivate let index: Int
    package fileprivate(set) var key: FutexKey
    fileprivate let bits: UInt32
    /// True when it stands in line for a lock.
    package fileprivate(set) var isForLock: Bool
    /// Where it stands in its line; nil once it has left.
    fileprivate var place: Int?

    fileprivate init(_ wait: FutexWait, index: Int, key: FutexKey, bits: UInt32) {
        self.wait = wait
        self.index = index
        self.key = key
        self.bits = bits
        isForLock = wait.isForLock
    }
}

/// Those who wait on one futex, in the order of arrival. Who leaves leaves a gap: a guest can have more than a hundred
/// thousand in one line, and all of them may go at once.
private final class FutexLine {
    private var places: [FutexWaiter?] = []
    private var gaps = 0

    var isEmpty: Bool { gaps == places.count }
    var first: FutexWaiter? { places.lazy.compactMap { $0 }.first }
    /// As they stand now, whatever becomes of the line.
    var waiters: [FutexWaiter] { places.compactMap { $0 } }

    func append(_ waiter: FutexWaiter) {
        waiter.place = places.count
        places.append(waiter)
    }

    func remove(_ waiter: FutexWaiter) {
        guard let place = waiter.place else { return }
        waiter.place = nil
        places[place] = nil
        gaps += 1
        guard gaps > 16, gaps * 2 > places.count else { return }
        places.removeAll { $0 == nil }
        gaps = 0
        for (place, waiter) in places.enumerated() { waiter?.place = place }
    }
}

/// Who waits on which futex, in the order of arrival.
package final class FutexTable {
    private var lines: [FutexKey: FutexLine] = [:]
    /// The threads that own PI futexes with waiters.
    private var owners: [FutexKey: ProcessID] = [:]
    /// Locks whose words are being changed, with who waits for that.
    private var updates: [FutexKey: WaitQueue] = [:]

    package init() {}

    /// `FUTEX_BITSET_MATCH_ANY`.
    package static let anyBits = UInt32.max

    package func isEmpty(_ key: FutexKey) -> Bool { lines[key] == nil }

    package func add(_ wait: FutexWait, at key: FutexKey, bits: UInt32 = FutexTable.anyBits) {
        let waiter = FutexWaiter(wait, index: wait.entries.count, key: key, bits: bits)
        wait.entries.append(waiter)
        append(waiter)
    }

    /// Takes the wait out of every line.
    package func remove(_ wait: FutexWait) {
        for waiter in wait.entries { remove(waiter) }
        wait.entries = []
    }

    private func append(_ waiter: FutexWaiter) {
        let line = lines[waiter.key] ?? FutexLine()
        line.append(waiter)
        lines[waiter.key] = line
    }

    private func remove(_ waiter: FutexWaiter) {
        guard let line = lines[waiter.key] else { return }
        line.remove(waiter)
        if line.isEmpty {
            lines[waiter.key] = nil
            owners[waiter.key] = nil
        }
    }

    private func finish(_ waiter: FutexWaiter) {
        let wait = waiter.wait
        wait.wokenIndex = waiter.index
        remove(wait)
        wait.events.wakeAll()
    }

    /// Wakes up to `count` waiters that share a bit with `bits`; at least one, as Linux does when asked for none.
    /// - Returns: how many were woken. Throws EINVAL when one of them waits for a lock.
    package func wake(_ key: FutexKey, count: Int32, bits: UInt32 = FutexTable.anyBits) throws(Errno) -> Int {
        var woken = 0
        for waiter in lines[key]?.waiters ?? [] {
            // A wait for several futexes, of which this one is not the first that was woken.
            guard waiter.place != nil else { continue }
            guard !waiter.isForLock, waiter.wait.lockKey == nil else { throw .EINVAL }
            guard waiter.bits & bits != 0 else { continue }
            finish(waiter)
            woken += 1
            if woken >= count { break }
        }
        return woken
    }

    /// Wakes up to `wake` waiters and moves up to `move` others to another futex.
    /// - Returns: how many in all. Throws EINVAL when one of them waits for a lock.
    package func requeue(from key: FutexKey, to other: FutexKey, wake: Int32, move: Int32) throws(Errno) -> Int {
        var done = 0
        for waiter in lines[key]?.waiters ?? [] {
            guard waiter.place != nil else { continue }
            guard done - Int(wake) < Int(move) else { break }
            guard !waiter.isForLock, waiter.wait.lockKey == nil else { throw .EINVAL }
            done += 1
            if done <= Int(wake) {
                finish(waiter)
            } else if key != other {
                self.move(waiter, to: other)
            }
        }
        return done
    }

    private func move(_ waiter: FutexWaiter, to key: FutexKey) {
        remove(waiter)
        waiter.key = key
        append(waiter)
    }

    // MARK: Updates

    /// The lock's word is about to be changed by a stub.
    func beginUpdate(of key: FutexKey) { updates[key] = WaitQueue() }

    func endUpdate(of key: FutexKey) { updates.removeValue(forKey: key)?.wakeAll() }

    /// What is woken when the update of the lock's word is over; nil when none is under way.
    func update(of key: FutexKey) -> WaitQueue? { updates.isEmpty ? nil : updates[key] }

    // MARK: Locks

    /// The first that waits for the lock; throws EINVAL if something else waits there.
    package func nextForLock(_ key: FutexKey) throws(Errno) -> FutexWaiter? {
        guard let first = lines[key]?.first else { return nil }
        guard first.isForLock else { throw .EINVAL }
        return first
    }

    package func setOwner(of key: FutexKey, _ owner: ProcessID) { owners[key] = owner }

    package func owner(of key: FutexKey) -> ProcessID? { owners[key] }

    /// The waiter has the lock now.
    package func handOver(to waiter: FutexWaiter) {
        let key = waiter.key
        let wait = waiter.wait
        wait.ownsLock = true
        finish(waiter)
        if lines[key] != nil { owners[key] = wait.thread.id }
    }

    /// The futexes with waiters that the thread owns.
    package func locks(of owner: ProcessID) -> [FutexKey] {
        guard !owners.isEmpty else { return [] }
        return owners.filter { $0.value == owner }.map(\.key)
    }

    /// The waiters of `FUTEX_WAIT_REQUEUE_PI` at the futex, in order.
    package func requeueable(_ key: FutexKey) -> [FutexWaiter] { lines[key]?.waiters ?? [] }

    /// A waiter of `FUTEX_WAIT_REQUEUE_PI` now stands in line for its lock.
    package func moveToLock(_ waiter: FutexWaiter, _ key: FutexKey, owner: ProcessID) {
        move(waiter, to: key)
        waiter.isForLock = true
        owners[key] = owner
    }

    /// A waiter of `FUTEX_WAIT_REQUEUE_PI` gets its lock without waiting for it.
    package func grant(_ waiter: FutexWaiter) {
        waiter.wait.ownsLock = true
        finish(waiter)
    }
}
