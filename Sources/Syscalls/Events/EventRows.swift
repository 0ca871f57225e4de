internal import Kernel
internal import LinuxABI

extension SyscallRow {
    /// inotify(7).
    static let inotify: [SyscallRow] = [
        implement(Linux.inotify_init) { (t) throws(Errno) in try t.inotifyInit(0) },
        implement(Linux.inotify_init1) { (t, flags) throws(Errno) in try t.inotifyInit(flags) },
        implement(Linux.inotify_add_watch, .partial("a file that is open when its last name goes counts as gone")) {
            (t, fd, path, mask) throws(Errno) in
            try t.inotifyAddWatch(fd, path, mask)
        },
        implement(Linux.inotify_rm_watch) { (t, fd, watch) throws(Errno) in try t.inotifyRemoveWatch(fd, watch) },
    ]

    /// Files that stand for events and processes, and moving bytes between pipes.
    static let events: [SyscallRow] = [
        implement(Linux.signalfd) { (t, fd, mask, size) throws(Errno) in try t.signalfd(fd, mask.address, size, 0) },
        implement(Linux.signalfd4) { (t, fd, mask, size, flags) throws(Errno) in
            try t.signalfd(fd, mask.address, size, flags)
        },
        implement(Linux.timerfd_create, .partial("nothing is cancelled when the clock is set, and no host is woken")) {
            (t, clock, flags) throws(Errno) in
            try t.timerfdCreate(clock, flags)
        },
        implement(Linux.timerfd_settime) { (t, fd, flags, new, old) throws(Errno) in
            try t.timerfdSettime(fd, flags, new.address, old.address)
        },
        implement(Linux.timerfd_gettime) { (t, fd, setting) throws(Errno) in
            try t.timerfdGettime(fd, setting.address)
        },
        implement(Linux.epoll_pwait2) { (t, fd, events, limit, timeout, mask, size) throws(Errno) in
            try t.epollWait2(fd, events.address, limit, timeout, mask.address, size)
        },
        implement(Linux.pidfd_open, .partial("no PIDFD_THREAD")) { (t, id, flags) throws(Errno) in
            try t.pidfdOpen(id, flags)
        },
        implement(Linux.pidfd_send_signal) { (t, fd, signal, info, flags) throws(Errno) in
            try t.pidfdSendSignal(fd, signal, info.address, flags)
        },
        implement(Linux.pidfd_getfd) { (t, fd, target, flags) throws(Errno) in
            try t.pidfdGetfd(fd, target, flags)
        },
        implement(Linux.process_vm_readv) { (t, id, local, localCount, remote, remoteCount, flags) throws(Errno) in
            try t.processMemory(
                id, local.address, localCount, remote.address, remoteCount, flags, writes: false)
        },
        implement(Linux.process_vm_writev) { (t, id, local, localCount, remote, remoteCount, flags) throws(Errno) in
            try t.processMemory(
                id, local.address, localCount, remote.address, remoteCount, flags, writes: true)
        },
        implement(Linux.splice) { (t, input, inputOffset, output, outputOffset, count, flags) throws(Errno) in
            try t.splice(input, inputOffset.address, output, outputOffset.address, count, flags)
        },
        implement(Linux.tee) { (t, input, output, count, flags) throws(Errno) in try t.tee(input, output, count, flags)
        },
        implement(Linux.vmsplice) { (t, fd, vector, count, flags) throws(Errno) in
            try t.vmsplice(fd, vector.address, count, flags)
        },
    ]
}
