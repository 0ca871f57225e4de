package import LinuxABI
internal import VFS

/// Who waits for whose record locks, so that circles are found: see EDEADLK in `fcntl(2)`.
extension Kernel {
    /// True if what the process waits for leads back to it.
    package func waitsInCircle(_ process: ProcessID) -> Bool {
        var seen: Set<ProcessID> = []
        var next = lockWaits[process] ?? []
        while let owner = next.popLast() {
            guard case .process(let holder) = owner else { continue }
            if holder == process { return true }
            if seen.insert(holder).inserted { next += lockWaits[holder] ?? [] }
        }
        return false
    }
}
