internal import Kernel
internal import LinuxABI

extension SyscallRow {
    /// Pipes and waiting for many files at once.
    static let pipes: [SyscallRow] = [
        implement(Linux.pipe) { (t, pointer) throws(Errno) in try t.pipe(pointer, []) },
        implement(Linux.pipe2) { (t, pointer, flags) throws(Errno) in try t.pipe(pointer, flags) },
        implement(Linux.eventfd) { (t, value) throws(Errno) in try t.eventfd(value, 0) },
        implement(Linux.eventfd2) { (t, value, flags) throws(Errno) in try t.eventfd(value, flags) },
        implement(Linux.poll) { (t, entries, count, timeout) throws(Errno) in
            try t.poll(entries.address, count, milliseconds: timeout)
        },
        implement(Linux.ppoll) { (t, entries, count, timeout, mask, size) throws(Errno) in
            try t.ppoll(entries.address, count, timeout, mask.address, size)
        },
        implement(Linux.select) { (t, count, readers, writers, exceptions, timeout) throws(Errno) in
            try t.select(count, [readers.address, writers.address, exceptions.address], timeval: timeout.address)
        },
        implement(Linux.pselect6) { (t, count, readers, writers, exceptions, timeout, mask) throws(Errno) in
            try t.pselect(count, [readers.address, writers.address, exceptions.address], timeout, mask.address)
        },
        implement(Linux.epoll_create) { (t, size) throws(Errno) in
            guard size > 0 else { throw .EINVAL }
            return try t.epollCreate(0)
        },
        implement(Linux.epoll_create1) { (t, flags) throws(Errno) in try t.epollCreate(flags) },
        implement(Linux.epoll_ctl) { (t, fd, operation, target, event) throws(Errno) in
            try t.epollControl(fd, operation, target, event.address)
        },
        implement(Linux.epoll_wait) { (t, fd, events, limit, timeout) throws(Errno) in
            try t.epollWait(fd, events.address, limit, milliseconds: timeout)
        },
        implement(Linux.epoll_pwait) { (t, fd, events, limit, timeout, mask, size) throws(Errno) in
            try t.epollWait(fd, events.address, limit, milliseconds: timeout, mask.address, size)
        },
    ]
}
