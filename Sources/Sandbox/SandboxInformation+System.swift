internal import HostSystem
internal import Kernel
internal import LinuxABI

/// The files of `/proc` that belong to no process.
extension SandboxInformation {
    func systemText(_ path: String) throws(Errno) -> [UInt8] {
        switch path {
        case "cpuinfo": return host.processors
        case "filesystems": return host.fileSystems
        case "meminfo": return Array(memoryInformation().utf8)
        case "stat": return Array(systemStatistics().utf8)
        case "uptime": return Array(uptime().utf8)
        case "loadavg": return Array(loadAverage().utf8)
        case "version":
            let text =
                "\(SystemIdentity.name) version \(SystemIdentity.release) (apus@localhost) (swift) "
                + "\(SystemIdentity.version)\n"
            return Array(text.utf8)
        case "sys/kernel/hostname": return kernel.system.hostName + [0x0a]
        case "sys/kernel/domainname": return kernel.system.domainName + [0x0a]
        case "sys/kernel/random/boot_id": return bootID + [0x0a]
        case "sys/kernel/random/uuid": return SandboxInformation.randomID() + [0x0a]
        case "sys/fs/file-nr": return Array("\(openFiles)\t0\t9223372036854775807\n".utf8)
        case "locks": return Array(lockLines().utf8)
        case "net/unix": return unixSockets()
        case "net/sockstat": return Array("sockets: used \(openSockets.count)\n".utf8)
        default: break
        }
        if path.hasPrefix("net/"), let table = SandboxInformation.emptyTables[path] {
            return Array((table + "\n").utf8)
        }
        if let changed = settings[path] { return changed + [0x0a] }
        guard let text = SandboxInformation.systemConstants[path] else { throw .ENOENT }
        return Array((text + "\n").utf8)
    }

    /// Settings that the kernel does not act on can still be read and written by root.
    func storeSystem(_ bytes: [UInt8], to path: String) throws(Errno) {
        guard reader?.credentials.effectiveUserID == 0 else { throw .EACCES }
        let line = Array(bytes.prefix { $0 != 0x0a && $0 != 0 })
        switch path {
        case "sys/kernel/hostname", "sys/kernel/domainname":
            guard line.count <= SystemIdentity.maximumName else { throw .EINVAL }
            if path.hasSuffix("hostname") { kernel.system.hostName = line } else { kernel.system.domainName = line }
        // Kept for who asks: no core is written.
        case "sys/kernel/core_pattern": settings[path] = Array(line.prefix(127))
        case _ where SandboxInformation.changeable.contains(path):
            guard Int64(SandboxInformation.word(bytes)) != nil else { throw .EINVAL }
            settings[path] = Array(SandboxInformation.word(bytes).utf8)
        // The rest follows from what the kernel does, and does not change by being told.
        default: throw .EACCES
        }
    }

    private static let changeable: Set<String> = [
        "sys/kernel/core_uses_pid", "sys/kernel/dmesg_restrict", "sys/kernel/kptr_restrict", "sys/vm/swappiness",
        "sys/kernel/perf_event_paranoid", "sys/fs/suid_dumpable", "sys/fs/protected_fifos",
        "sys/fs/protected_regular", "sys/vm/overcommit_memory", "sys/vm/overcommit_ratio", "sys/vm/overcommit_kbytes",
        "sys/kernel/threads-max", "sys/fs/leases-enable", "sys/fs/lease-break-time",
    ]

    /// What Linux 6.12 has when nobody has changed it, and what the sandbox does.
    private static let systemConstants: [String: String] = [
        "cgroups": "#subsys_name\thierarchy\tnum_cgroups\tenabled", "cmdline": "apus",
        "devices": "Character devices:\n  1 mem\n  5 /dev/tty\n\nBlock devices:",
        "partitions": "major minor  #blocks  name\n",
        "swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority", "vmstat": "nr_free_pages 0",
        "sys/fs/aio-max-nr": "65536", "sys/fs/aio-nr": "0", "sys/fs/epoll/max_user_watches": "5055283",
        "sys/fs/file-max": "9223372036854775807",
        "sys/fs/inotify/max_queued_events": "\(Inotify.mostEvents)",
        "sys/fs/inotify/max_user_instances": "\(Inotify.mostInstances)",
        "sys/fs/inotify/max_user_watches": "\(Inotify.mostWatches)", "sys/fs/lease-break-time": "45",
        "sys/fs/leases-enable": "0",
        "sys/fs/nr_open": "1048576", "sys/fs/overflowgid": "65534", "sys/fs/overflowuid": "65534",
        "sys/fs/pipe-max-size": "1048576", "sys/fs/pipe-user-pages-hard": "0", "sys/fs/pipe-user-pages-soft": "16384",
        "sys/fs/protected_fifos": "0", "sys/fs/protected_hardlinks": "1", "sys/fs/protected_regular": "0",
        "sys/fs/protected_symlinks": "0", "sys/fs/suid_dumpable": "0", "sys/kernel/arch": "x86_64",
        "sys/kernel/cap_last_cap": "40", "sys/kernel/core_pattern": "core", "sys/kernel/core_uses_pid": "0",
        "sys/kernel/dmesg_restrict": "1", "sys/kernel/kptr_restrict": "0", "sys/kernel/msgmax": "8192",
        "sys/kernel/msgmnb": "16384", "sys/kernel/msgmni": "32000", "sys/kernel/ngroups_max": "65536",
        "sys/kernel/osrelease": SystemIdentity.release, "sys/kernel/ostype": SystemIdentity.name,
        "sys/kernel/overflowgid": "65534", "sys/kernel/overflowuid": "65534", "sys/kernel/perf_event_paranoid": "2",
        "sys/kernel/pid_max": "\(Kernel.maximumID)", "sys/kernel/random/entropy_avail": "256",
        "sys/kernel/random/poolsize": "256", "sys/kernel/random/urandom_min_reseed_secs": "60",
        "sys/kernel/randomize_va_space": "2", "sys/kernel/sem": "32000\t1024000000\t500\t32000",
        "sys/kernel/shmall": "18446744073692774399", "sys/kernel/shmmax": "18446744073692774399",
        "sys/kernel/shmmni": "4096", "sys/kernel/tainted": "0", "sys/kernel/threads-max": "192729",
        "sys/kernel/version": SystemIdentity.version, "sys/net/core/somaxconn": "4096", "sys/vm/legacy_va_layout": "0",
        "sys/vm/max_map_count": "65530", "sys/vm/mmap_min_addr": "65536", "sys/vm/overcommit_kbytes": "0",
        "sys/vm/overcommit_memory": "0", "sys/vm/overcommit_ratio": "50", "sys/vm/swappiness": "60",
    ]

    private var openFiles: Int {
        var seen: Set<ObjectIdentifier> = []
        for thread in kernel.threads.values {
            for number in thread.files.numbers {
                if let file = try? thread.files.file(number) { seen.insert(ObjectIdentifier(file)) }
            }
        }
        return seen.count
    }

    // MARK: Memory

    /// With a limit the sandbox is a machine with that much memory; without one it is the host.
    private func memoryInformation() -> String {
        var rows = host.memory
        if let memoryLimit {
            let total = memoryLimit >> 10
            let used =
                UInt64(
                    kernel.threads.values.reduce(into: [ObjectIdentifier: UInt]()) { sums, thread in
                        guard let map = thread.map else { return }
                        sums[ObjectIdentifier(map)] = residentPages(map)
                    }.values.reduce(0, +)) * 4
            let free = total > used ? total - used : 0
            let known: [String: UInt64] = ["MemTotal": total, "MemFree": free, "MemAvailable": free, "AnonPages": used]
            rows = rows.map { row in (row.name, known[row.name] ?? 0, row.unit) }
        }
        var text = ""
        for row in rows { text += "\((row.name + ":").left(16))\(row.value.right(8))\(row.unit)\n" }
        return text
    }

    // MARK: Time

    private func seconds(_ nanoseconds: Int64) -> String {
        let hundredths = nanoseconds / 10_000_000
        return "\(hundredths / 100).\(String(hundredths % 100).padded(to: 2, with: "0"))"
    }

    /// How long guests have run, in nanoseconds.
    private var busy: Int64 {
        kernel.processes.values.reduce(0) { $0 &+ $1.cpuTime.total &+ $1.childrenUserTime &+ $1.childrenSystemTime }
    }

    private func uptime() -> String {
        let now = kernel.clock.now.nanoseconds
        return "\(seconds(now)) \(seconds(max(0, now * Int64(host.processorCount) - busy)))\n"
    }

    /// Nothing is averaged: one minute, five and fifteen show what runs now.
    private func loadAverage() -> String {
        let running = kernel.threads.values.lazy.filter { $0.state == .running || $0.state == .runnable }.count
        let load = "\(running).00"
        let last = kernel.threads.keys.max()?.rawValue ?? 1
        return "\(load) \(load) \(load) \(running)/\(kernel.threads.count) \(last)\n"
    }

    private func systemStatistics() -> String {
        let count = host.processorCount
        let now = kernel.clock.now.nanoseconds / 10_000_000
        let user = busy / 10_000_000
        var text = "cpu  \(user) 0 0 \(max(0, now * Int64(count) - user)) 0 0 0 0 0 0\n"
        for cpu in 0..<count {
            let share = user / Int64(count)
            text += "cpu\(cpu) \(share) 0 0 \(max(0, now - share)) 0 0 0 0 0 0\n"
        }
        let running = kernel.threads.values.lazy.filter { $0.state == .running || $0.state == .runnable }.count
        let began = kernel.clock.realTime.seconds - kernel.clock.now.nanoseconds / 1_000_000_000
        text += "intr 0\nctxt 0\nbtime \(began)\nprocesses \(kernel.threads.keys.max()?.rawValue ?? 1)\n"
        return text + "procs_running \(running)\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n"
    }

    /// A random UUID in text.
    static func randomID() -> [UInt8] {
        var bytes = Host.random(16)
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        var text = ""
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text += "-" }
            text += byte.hex(2)
        }
        return Array(text.utf8)
    }
}
