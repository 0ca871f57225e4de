internal import Kernel
internal import LinuxABI

extension SyscallRow {
    /// futex(7).
    static let futexes: [SyscallRow] = [
        implement(Linux.futex) { (thread, address, operation, value, timeout, other, value3) throws(Errno) in
            try thread.futex(address.address, operation, value, timeout.address, other.address, value3)
        },
        implement(Linux.futex_waitv) { (thread, waiters, count, flags, timeout, clock) throws(Errno) in
            try thread.futexWaitv(waiters.address, count, flags, timeout.address, clock)
        },
        implement(Linux.futex_wake) { (thread, address, mask, count, flags) throws(Errno) in
            try thread.futex2Wake(address.address, mask, count, flags)
        },
        implement(Linux.futex_wait) { (thread, address, value, mask, flags, timeout, clock) throws(Errno) in
            try thread.futex2Wait(address.address, value, mask, flags, timeout.address, clock)
        },
        implement(Linux.futex_requeue) { (thread, waiters, flags, wake, move) throws(Errno) in
            try thread.futex2Requeue(waiters.address, flags, wake, move)
        },
        implement(Linux.set_robust_list) { (thread, head, length) throws(Errno) in
            try thread.setRobustList(head.address, length)
        },
        implement(Linux.get_robust_list) { (thread, id, head, length) throws(Errno) in
            try thread.getRobustList(id, head.address, length.address)
        },
    ]
}
