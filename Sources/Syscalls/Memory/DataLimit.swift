internal import Kernel
internal import LinuxABI

/// `RLIMIT_DATA`: what a process may have of private memory that it can write to, its stack aside. See `getrlimit(2)`.
extension GuestThread {
    /// Throws ENOMEM when `more` bytes would be too many.
    func checkDataLimit(_ map: MemoryMap, adding more: UInt) throws(Errno) {
        let limit = process.limits.values[ResourceNumber.data].soft
        guard limit != .max else { return }
        var total = UInt64(more)
        for area in map.areas.areas where !area.isShared && area.protection.contains(.write) {
            if !map.stack.contains(area.start) { total += UInt64(area.length) }
        }
        guard total <= limit else { throw .ENOMEM }
    }
}
