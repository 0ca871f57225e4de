internal import Kernel
internal import LinuxABI

extension SyscallRow {
    /// The life of processes and threads.
    static let processes: [SyscallRow] = [
        implement(Linux.fork) { (t) throws(Errno) in try t.fork() },
        implement(Linux.vfork) { (t) throws(Errno) in try t.vfork() },
        implement(Linux.clone, .partial("no namespaces")) {
            (t, flags, stack, parent, child, tls) throws(Errno) in
            try t.clone(flags, stack, parent.address, child.address, tls)
        },
        implement(Linux.clone3, .partial("no namespaces, no set_tid, no cgroup")) {
            (t, arguments, size) throws(Errno) in
            try t.clone3(arguments.address, size)
        },
        implement(Linux.execve) { (t, path, arguments, environment) throws(Errno) in
            try t.execve(.currentDirectory, path, arguments.address, environment.address, 0)
        },
        implement(Linux.execveat) { (t, directory, path, arguments, environment, flags) throws(Errno) in
            try t.execve(directory, path, arguments.address, environment.address, UInt32(bitPattern: flags))
        },
        implement(Linux.exit) { (t, status) throws(Errno) in try t.exit(status) },
        implement(Linux.exit_group) { (t, status) throws(Errno) in try t.exitGroup(status) },
        implement(Linux.wait4, .partial("of the resource usage only the times are counted")) {
            (t, id, status, options, usage) throws(Errno) in
            try t.wait4(id, status, UInt32(bitPattern: options), usage.address)
        },
        implement(Linux.waitid, .partial("of the resource usage only the times are counted")) {
            (t, kind, id, info, options, usage) throws(Errno) in
            try t.waitid(kind, id, info.address, UInt32(bitPattern: options), usage.address)
        },
        implement(Linux.set_tid_address) { (t, pointer) throws(Errno) in try t.setThreadIDAddress(pointer.address) },
        implement(Linux.arch_prctl, .partial("no tags, no CPUID faulting")) { (t, code, address) throws(Errno) in
            try t.archPrctl(code, address)
        },
    ]

    /// Address spaces.
    static let memory: [SyscallRow] = [
        implement(Linux.mmap, .partial("no huge TLB pages")) {
            (t, address, length, protection, flags, fd, offset) throws(Errno) in
            try t.mmap(
                address, length, Int(bitPattern: protection), UInt32(truncatingIfNeeded: flags), fd, offset)
        },
        implement(Linux.munmap) { (t, address, length) throws(Errno) in try t.munmap(address, length) },
        implement(Linux.mprotect) { (t, address, length, protection) throws(Errno) in
            try t.mprotect(address, length, protection)
        },
        implement(Linux.brk) { (t, end) throws(Errno) in try t.brk(end) },
        implement(Linux.mremap) { (t, old, oldLength, newLength, flags, target) throws(Errno) in
            try t.mremap(old, oldLength, newLength, flags, target)
        },
        implement(Linux.madvise, .partial("MADV_REMOVE is refused")) { (t, address, length, advice) throws(Errno) in
            try t.madvise(address, length, advice)
        },
        implement(Linux.msync) { (t, address, length, flags) throws(Errno) in try t.msync(address, length, flags) },
        implement(Linux.mincore, .partial("every mapped page counts as present")) {
            (t, address, length, vector) throws(Errno) in
            try t.mincore(address, length, vector)
        },
        implement(Linux.mlock, .partial("nothing is pinned")) { (t, address, length) throws(Errno) in
            try t.lockMemory(address, length, lock: true)
        },
        implement(Linux.mlock2, .partial("nothing is pinned")) { (t, address, length, flags) throws(Errno) in
            guard flags & ~1 == 0 else { throw .EINVAL }
            return try t.lockMemory(address, length, lock: true, onFault: flags & 1 != 0)
        },
        implement(Linux.munlock) { (t, address, length) throws(Errno) in
            try t.lockMemory(address, length, lock: false)
        },
        implement(Linux.mlockall, .partial("nothing is pinned")) { (t, flags) throws(Errno) in
            try t.lockAll(UInt32(truncatingIfNeeded: flags))
        },
        implement(Linux.munlockall) { (t) throws(Errno) in try t.unlockAll() },
    ]
}
