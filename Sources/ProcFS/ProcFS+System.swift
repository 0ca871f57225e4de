internal import LinuxABI
internal import VFS

/// The files of `/proc` that belong to no process.
extension ProcFS {
    /// What each directory holds, by its path below `/proc`; a slash marks directories.
    private static let system: [String: [String]] = [
        "": [
            "cgroups", "cmdline", "cpuinfo", "devices", "filesystems", "loadavg", "locks", "meminfo", "partitions",
            "stat", "swaps", "sys/", "uptime", "version", "vmstat",
        ],
        // Where `/proc/self/net` leads; without IPv6, which the guest has no sockets of.
        "net": ["arp", "dev", "netlink", "packet", "raw", "route", "sockstat", "tcp", "udp", "unix"],
        "sys": ["fs/", "kernel/", "net/", "vm/"],
        "sys/fs": [
            "aio-max-nr", "aio-nr", "epoll/", "file-max", "file-nr", "inotify/", "lease-break-time", "leases-enable",
            "nr_open", "overflowgid", "overflowuid", "pipe-max-size", "pipe-user-pages-hard", "pipe-user-pages-soft",
            "protected_fifos", "protected_hardlinks", "protected_regular", "protected_symlinks", "suid_dumpable",
        ],
        "sys/fs/epoll": ["max_user_watches"],
        "sys/fs/inotify": ["max_queued_events", "max_user_instances", "max_user_watches"],
        "sys/kernel": [
            "arch", "cap_last_cap", "core_pattern", "core_uses_pid", "domainname", "dmesg_restrict", "hostname",
            "kptr_restrict", "msgmax", "msgmnb", "msgmni", "ngroups_max", "osrelease", "ostype", "overflowgid",
            "overflowuid", "perf_event_paranoid", "pid_max", "random/", "randomize_va_space", "sem", "shmall", "shmmax",
            "shmmni", "tainted", "threads-max", "version",
        ],
        "sys/kernel/random": ["boot_id", "entropy_avail", "poolsize", "urandom_min_reseed_secs", "uuid"],
        "sys/net": ["core/"],
        "sys/net/core": ["somaxconn"],
        "sys/vm": [
            "legacy_va_layout", "max_map_count", "mmap_min_addr", "overcommit_kbytes", "overcommit_memory",
            "overcommit_ratio", "swappiness",
        ],
    ]
    private static let paths = system.keys.sorted()

    func systemDirectory(_ path: String) -> GeneratedDirectory {
        let names = ProcFS.system[path] ?? []
        let base = UInt64(0x1000 + 0x100 * (ProcFS.paths.firstIndex(of: path) ?? 0))
        return GeneratedDirectory(facts(base, 0o555), remembersNames: !path.isEmpty) { name throws(Errno) in
            let text = String(decoding: name.bytes, as: UTF8.self)
            let full = path.isEmpty ? text : path + "/" + text
            guard full != "net" else { throw .ENOENT }
            if ProcFS.system[full] != nil { return systemDirectory(full) }
            guard let index = names.firstIndex(of: text) else { throw .ENOENT }
            let isSetting = path.hasPrefix("sys")
            let store: (([UInt8]) throws(Errno) -> Void)? =
                isSetting
                ? { bytes throws(Errno) in try information.storeSystem(bytes, to: full) } : nil
            return GeneratedFile(
                facts(base + UInt64(index) + 1, isSetting ? 0o644 : 0o444), readiness: [.readable, .writable],
                store: store
            ) { () throws(Errno) in try information.systemText(full) }
        } list: { () throws(Errno) in
            names.enumerated().map { index, name in
                guard name.hasSuffix("/") else { return entry(name, base + UInt64(index) + 1, .regular) }
                let below = String(name.dropLast())
                let full = path.isEmpty ? below : path + "/" + below
                return entry(below, UInt64(0x1000 + 0x100 * (ProcFS.paths.firstIndex(of: full) ?? 0)), .directory)
            }
        }
    }
}
