/// The reviewed list: what the kernel process may ask of the host once guests run. Everything else ends it.
///
/// A line needs a reason that a stranger accepts. Calls with conditions come first, the most frequent at the top: the host
/// goes through the filter for them each time, and knows of all others without looking that they pass (see `SealFilter`).
extension AllowedCall {
    package static let all: [AllowedCall] = conditional + unconditional

    /// Allowed as well where the kernel traces its stubs, and nowhere else.
    package static let tracing: [AllowedCall] = [
        AllowedCall(
            101, "ptrace",
            .argument(
                0, is: 31, 0x4204, 0x4205, 24, 0x420e, 0x4201, 0x4208,
                meaning: "SYSEMU, GETREGSET, SETREGSET, SYSCALL, GET_SYSCALL_INFO, GETEVENTMSG, LISTEN"),
            for: "with `--platform ptrace` only: what stubs have stopped for, and how they go on"),
        AllowedCall(
            203, "sched_setaffinity",
            for: "with `--platform ptrace` only: which processors the kernel's thread and stubs' threads run on"),
    ]

    private static let conditional: [AllowedCall] = [
        AllowedCall(
            9, "mmap", .argument(2, without: 4, meaning: "nothing executable"),
            for: "memory of the kernel's own; memory files that it shares with stubs"),
        AllowedCall(
            28, "madvise",
            .argument(2, is: 3, 4, 8, 14, 15, 21, meaning: "WILLNEED, DONTNEED, FREE, huge pages, POPULATE_READ"),
            for: "the C library gives memory back"),
        AllowedCall(
            46, "sendmsg", .argument(2, is: 0x4040, meaning: "without waiting and SIGPIPE"),
            for: "descriptors for a stub"),
        AllowedCall(
            319, "memfd_create", .argument(1, is: 1, meaning: "close-on-exec"), for: "shared regions and memory files"),
        AllowedCall(
            53, "socketpair", .argument(0, is: 1, meaning: "AF_UNIX"),
            .argument(1, is: 0x8_0005, meaning: "SEQPACKET, close-on-exec"),
            for: "the socket over which a stub is handed descriptors"),
        AllowedCall(
            257, "openat", .argument(0, is: 0xffff_ff9c, meaning: "from where the process stands"),
            // O_ACCMODE, NOCTTY, NONBLOCK, DIRECTORY, NOATIME, CLOEXEC.
            .argument(
                2, without: ~(0o3 | 0o400 | 0o4000 | 0o20_0000 | 0o100_0000 | 0o200_0000),
                meaning: "nothing is created or truncated"),
            for: "in `/proc`: about stubs; `self/fd/N`, for bound files whose name is gone"),
        AllowedCall(
            72, "fcntl", .argument(1, is: 3, 1030, meaning: "F_GETFL, F_DUPFD_CLOEXEC"),
            for: "status flags of inherited streams; duplicates"),
        AllowedCall(
            16, "ioctl",
            .argument(
                1, is: 0x5401, 0x5413, 0x541b, 0x5411, 0x5402, 0x5403, 0x5404, 0x5414, 0x5428, 0x540b, 0xc050_2100,
                0xc018_2101,
                meaning: "TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGWINSZ, TIOCSWINSZ, FIONREAD, TIOCOUTQ, "
                    + "TIOCCBRK, TCFLSH, SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND"),
            for: "terminals among the inherited streams (no TIOCSTI, no change of the session); stubs' clones"),
        AllowedCall(
            62, "kill", .argument(1, is: 9, meaning: "SIGKILL"),
            .argument(0, without: 1 << 31, meaning: "one process, not a group"), for: "ends a stub"),
        AllowedCall(
            234, "tgkill", .argument(2, is: 17, 6, meaning: "SIGCHLD, SIGABRT"),
            for: "interrupts a stub's thread; abort(3)"),
        AllowedCall(
            10, "mprotect", .argument(2, without: 4, meaning: "nothing executable"), for: "the C library's heaps grow"),
        AllowedCall(
            259, "mknodat",
            .argument(2, masked: 0o17_0000, is: 0o1_0000, 0o14_0000, meaning: "FIFOs and sockets, no devices"),
            for: "bound directories"),
        AllowedCall(
            285, "fallocate", .argument(1, is: 1, 3, meaning: "KEEP_SIZE, and PUNCH_HOLE with it"),
            for: "bound files; holes in memory files"),
        AllowedCall(
            203, "sched_setaffinity", .argument(0, is: 0, meaning: "the kernel's own thread"),
            for: "leaves the processor of a stub that keeps it busy"),
        AllowedCall(324, "membarrier", .argument(0, is: 1, meaning: "GLOBAL"), for: "`membarrier(2)` of guests"),
        AllowedCall(318, "getrandom", .argument(2, without: ~1, meaning: "the usual pool"), for: "random bytes"),
    ]

    private static let unconditional: [AllowedCall] = [
        AllowedCall(24, "sched_yield", for: "gives way to the stub that it has answered, on the same processor"),
        AllowedCall(202, "futex", for: "sleeps on the doorbell, wakes stubs"),
        AllowedCall(437, "openat2", for: "files, by relative path below the descriptors that the sandbox was given"),
        AllowedCall(0, "read", for: "inherited streams, and bound files"),
        AllowedCall(1, "write", for: "inherited streams, bound files, the trace, messages"),
        AllowedCall(17, "pread64", for: "files of the root"),
        AllowedCall(18, "pwrite64", for: "bound files"),
        AllowedCall(3, "close", for: "what was opened"),
        AllowedCall(8, "lseek", for: "inherited streams, and holes of files"),
        AllowedCall(332, "statx", for: "what a file is"),
        AllowedCall(217, "getdents64", for: "directories"),
        AllowedCall(267, "readlinkat", for: "links, which the kernel resolves itself"),
        AllowedCall(138, "fstatfs", for: "`statfs(2)` of guests"),
        AllowedCall(74, "fsync", for: "`fsync(2)` of guests, for bound files"),
        AllowedCall(77, "ftruncate", for: "bound files, and the sandbox's memory files"),
        AllowedCall(258, "mkdirat", for: "bound directories"),
        AllowedCall(263, "unlinkat", for: "bound directories"),
        AllowedCall(265, "linkat", for: "bound directories"),
        AllowedCall(266, "symlinkat", for: "bound directories"),
        AllowedCall(316, "renameat2", for: "bound directories"),
        AllowedCall(260, "fchownat", for: "bound files"),
        AllowedCall(91, "fchmod", for: "bound files"),
        AllowedCall(452, "fchmodat2", for: "bound files"),
        AllowedCall(280, "utimensat", for: "bound files"),
        AllowedCall(188, "setxattr", for: "attributes of bound files, by `/proc/self/fd/N`"),
        AllowedCall(191, "getxattr", for: "the same"),
        AllowedCall(194, "listxattr", for: "the same"),
        AllowedCall(197, "removexattr", for: "the same"),
        AllowedCall(7, "poll", for: "whether an inherited stream is ready"),
        AllowedCall(232, "epoll_wait", for: "the thread that watches host descriptors"),
        AllowedCall(233, "epoll_ctl", for: "what that thread watches"),
        AllowedCall(230, "clock_nanosleep", for: "that thread, while nobody takes what it reports"),
        AllowedCall(310, "process_vm_readv", for: "copies from guest memory"),
        AllowedCall(311, "process_vm_writev", for: "copies to guest memory"),
        AllowedCall(61, "wait4", for: "reaps stubs"),
        AllowedCall(247, "waitid", for: "whether a number is an unclaimed child"),
        AllowedCall(11, "munmap", for: "memory of the kernel's own, and what it shared"),
        AllowedCall(25, "mremap", for: "the C library's large blocks grow"),
        AllowedCall(12, "brk", for: "the C library's heap"),
        AllowedCall(228, "clock_gettime", for: "the clocks that the vDSO does not know"),
        AllowedCall(99, "sysinfo", for: "memory and uptime, for `sysinfo(2)` of guests"),
        AllowedCall(204, "sched_getaffinity", for: "which processors there are"),
        AllowedCall(39, "getpid", for: "abort(3)"),
        AllowedCall(186, "gettid", for: "abort(3)"),
        AllowedCall(14, "rt_sigprocmask", for: "abort(3)"),
        AllowedCall(15, "rt_sigreturn", for: "the end of a signal's handler"),
        AllowedCall(219, "restart_syscall", for: "the host goes on with a sleep that a stop has interrupted"),
        AllowedCall(231, "exit_group", for: "ends with the guest's status"),
    ]

    /// What the wrappers of this target call before the seal, and never after.
    package static let onlyBefore: Set<Int> = [
        // The given paths, and the names of the given descriptors.
        89,
        // Who the caller is, and what it allows: what a guest begins with.
        13, 63, 95, 97, 102, 104, 115, 125, 135, 140, 143, 145, 252,
        // Namespaces, limits, capabilities and the seal itself.
        126, 157, 160, 272, 317, 462,
        // The template's listener.
        434, 438,
        // Leaving the host's file system, or Landlock.
        80, 81, 161, 428, 430, 431, 432, 436, 442, 444, 445, 446,
    ]
}
