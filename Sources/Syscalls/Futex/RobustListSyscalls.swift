internal import Kernel
internal import LinuxABI

/// set_robust_list(2), get_robust_list(2).
extension GuestThread {
    /// Bytes of `struct robust_list_head`.
    private static let robustListHeadSize: UInt = 24

    func setRobustList(_ head: UInt, _ length: UInt) throws(Errno) -> Int {
        guard length == GuestThread.robustListHeadSize else { throw .EINVAL }
        robustList = head
        return 0
    }

    func getRobustList(_ id: ProcessID, _ head: UInt, _ length: UInt) throws(Errno) -> Int {
        let target = id.rawValue == 0 ? self : kernel.threads[id]
        guard let target else { throw .ESRCH }
        guard mayInspect(target) else { throw .EPERM }
        try copyOut(integer: GuestThread.robustListHeadSize, to: length)
        try copyOut(integer: target.robustList, to: head)
        return 0
    }
}
