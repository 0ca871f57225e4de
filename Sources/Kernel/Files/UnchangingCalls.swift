internal import LinuxABI
internal import Platform
internal import VFS

/// Calls from which no name can come to give something else, nor a file to have other attributes but its time of access,
/// which ends the epoch: what stubs were told of names holds on. All others take it back.
extension Kernel {
    /// By number on x86-64, as a set of bits: each was looked at.
    private static let unchanging: InlineArray<8, UInt64> = {
        var bits = InlineArray<8, UInt64>(repeating: 0)
        for number in [
            // read, close, stat, fstat, lstat, lseek: a number that is closed tells `LocalNames`.
            0, 3, 4, 5, 6, 8,
            // mprotect, munmap, brk, rt_sigprocmask, pread64, access, sched_yield, madvise
            10, 11, 12, 14, 17, 21, 24, 28,
            // getpid, uname, getcwd, readlink, gettimeofday, getrusage, times
            39, 63, 79, 89, 96, 98, 100,
            // getuid, getgid, geteuid, getegid, getppid, getpgrp, getgroups
            102, 104, 107, 108, 110, 111, 115,
            // statfs, fstatfs, gettid, time, getdents64, clock_gettime, clock_getres
            137, 138, 186, 201, 217, 228, 229,
            // newfstatat, readlinkat, faccessat, getrandom, statx, faccessat2
            262, 267, 269, 318, 332, 439,
        ] { bits[number / 64] |= 1 << UInt64(number % 64) }
        return bits
    }()

    /// True if nothing of what stubs were told of names can change by it. `thread`: whose it is.
    @inline(__always)
    func keepsNames(_ event: StubEvent, of thread: GuestThread) -> Bool {
        guard case .syscall(let number, let arguments) = event, number >= 0, number < 512 else { return false }
        if Kernel.unchanging[number / 64] & 1 << UInt64(number % 64) != 0 { return true }
        switch number {
        // write, writev
        case 1, 20: return thread.isStream(FileNumber(Int32(truncatingIfNeeded: arguments[0])))
        // open, openat: to read what is there. O_ACCMODE, O_CREAT, O_TRUNC, O_TMPFILE.
        case 2: return arguments[1] & Kernel.openingChanges == 0
        case 257: return arguments[2] & Kernel.openingChanges == 0
        // mmap, not shared
        case 9: return arguments[3] & 3 == 2
        // ioctl: TCGETS
        case 16: return UInt32(truncatingIfNeeded: arguments[1]) == 0x5401
        // fcntl: F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC
        case 72: return [0, 1, 2, 3, 1030].contains(UInt32(truncatingIfNeeded: arguments[1]))
        default: return false
        }
    }

    private static let openingChanges: UInt = 0o3 | 0o100 | 0o1000 | 0o20_000_000
}

extension GuestThread {
    /// True if what is written there changes nothing that is told of names: a file's attributes are, those of what only passes
    /// bytes on are not.
    fileprivate func isStream(_ number: FileNumber) -> Bool {
        guard let kind = (try? files.file(number))?.operations.inode.kind else { return false }
        return kind == .fifo || kind == .socket || kind == .characterDevice
    }
}
