internal import Kernel
internal import LinuxABI

extension SyscallRow {
    /// signal(7).
    static let signals: [SyscallRow] = [
        implement(Linux.rt_sigaction) { (thread, signal, new, old, size) throws(Errno) in
            try thread.rtSigaction(signal, new.address, old.address, size)
        },
        implement(Linux.rt_sigprocmask) { (thread, how, new, old, size) throws(Errno) in
            try thread.rtSigprocmask(how, new.address, old.address, size)
        },
        implement(Linux.rt_sigpending) { (thread, set, size) throws(Errno) in
            try thread.rtSigpending(set.address, size)
        },
        implement(Linux.rt_sigsuspend) { (thread, set, size) throws(Errno) in
            try thread.rtSigsuspend(set.address, size)
        },
        implement(Linux.rt_sigtimedwait) { (thread, set, info, timeout, size) throws(Errno) in
            try thread.rtSigtimedwait(set.address, info.address, timeout.address, size)
        },
        implement(Linux.rt_sigreturn) { (thread) throws(Errno) in try thread.rtSigreturn() },
        implement(Linux.sigaltstack) { (thread, new, old) throws(Errno) in
            try thread.sigaltstack(new.address, old.address)
        },
        implement(Linux.kill) { (thread, id, signal) throws(Errno) in try thread.kill(id, signal) },
        implement(Linux.tkill) { (thread, id, signal) throws(Errno) in try thread.tkill(id, signal) },
        implement(Linux.tgkill) { (thread, group, id, signal) throws(Errno) in try thread.tgkill(group, id, signal) },
        implement(Linux.rt_sigqueueinfo) { (thread, id, signal, info) throws(Errno) in
            try thread.rtSigqueueinfo(id, signal, info.address)
        },
        implement(Linux.rt_tgsigqueueinfo) { (thread, group, id, signal, info) throws(Errno) in
            try thread.rtTgsigqueueinfo(group, id, signal, info.address)
        },
        implement(Linux.pause) { (thread) throws(Errno) in try thread.pause() },
        implement(Linux.restart_syscall) { (thread) throws(Errno) in try thread.restartSyscall() },
    ]
}
