package import VFS

/// A thread that waits for record locks, and who holds them.
package struct LockWait {
    private weak var thread: GuestThread?
    private let call: Int
    fileprivate let holders: [FileLocks.Owner]

    package init(_ thread: GuestThread, for holders: [FileLocks.Owner]) {
        self.thread = thread
        call = thread.call.number
        self.holders = holders
    }

    /// False once the thread is gone or does something else: a signal has ended its wait.
    fileprivate var isCurrent: Bool {
        guard let thread, thread.state != .dead else { return false }
        return thread.call.isActive && thread.call.number == call
    }
}

/// Who waits for whose record locks, so that circles are found: see EDEADLK in `fcntl(2)`.
extension Kernel {
    /// True if what the owner waits for leads back to it.
    package func waitsInCircle(_ owner: FileLocks.Owner) -> Bool {
        var seen: Set<FileLocks.Owner> = []
        var next = lockWaits[owner]?.holders ?? []
        while let holder = next.popLast() {
            if holder == owner { return true }
            guard seen.insert(holder).inserted, let wait = lockWaits[holder], wait.isCurrent else { continue }
            next += wait.holders
        }
        return false
    }
}
