internal import LinuxABI
internal import Platform

/// Mappings with MAP_GROWSDOWN grow when they are touched just below. See `mmap(2)`.
///
/// The main stack is mapped as far as its limit allows when its program starts, and left to the host: it never gets here.
extension GuestThread {
    /// Linux's `stack_guard_gap`: so far a growing area stays from the one below.
    private static let guardGap: UInt = 256 * 4096

    /// Extends the area above a fault down to it, if there is one that may grow.
    /// - Returns: false when the fault is the guest's own.
    func growStack(for fault: Fault) -> Bool {
        // A page fault at an address where nothing is mapped.
        guard fault.signal == 11, fault.trap == 14, let map, !map.isChanging, commands.isEmpty,
            fault.address < GuestLayout.taskSize, map.areas.area(at: fault.address) == nil,
            let area = map.areas.areas.first(where: { $0.start > fault.address }), area.isGrowable
        else { return false }
        let start = fault.address & ~(GuestLayout.pageSize - 1)
        let limit = process.limits.stack.soft
        let lowest = start < GuestThread.guardGap ? 0 : start - GuestThread.guardGap
        guard UInt64(area.end - start) <= limit, !map.areas.overlaps(lowest..<start) else { return false }
        var more = area
        more.start = start
        more.end = area.start
        more.offset = 0
        guard let made = try? map.add(more, limit: process.limits.addressSpace.soft) else { return false }
        append(contentsOf: made)
        return true
    }
}
