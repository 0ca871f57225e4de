internal import Kernel
internal import LinuxABI
internal import VFS

/// `/proc/pid/status`, `stat` and `limits`.
extension SandboxInformation {
    /// One letter, as `ps` shows it, with its word.
    private func state(_ process: Process, _ thread: GuestThread?) -> (letter: String, word: String) {
        guard let thread, thread.state != .dead else { return ("Z", "Z (zombie)") }
        switch thread.state {
        case .running where thread.isAsleep: return ("S", "S (sleeping)")
        case .running, .runnable: return ("R", "R (running)")
        case .stopped: return ("T", "T (stopped)")
        default: return ("S", "S (sleeping)")
        }
    }

    /// Number 1 has none; who has no other has that.
    private func parent(of process: Process) -> ProcessID {
        process === kernel.initProcess ? ProcessID(0) : process.parent?.id ?? Kernel.sandboxID
    }

    /// Signals that the process ignores and catches.
    private func dispositions(_ process: Process) -> (ignored: UInt64, caught: UInt64) {
        var ignored: UInt64 = 0
        var caught: UInt64 = 0
        for number in 1...64 as ClosedRange<Int32> {
            let bit = UInt64(1) << UInt64(number - 1)
            switch process.actions[SignalNumber(number)].handler {
            case SignalAction.defaultHandler: break
            case SignalAction.ignore: ignored |= bit
            default: caught |= bit
            }
        }
        return (ignored, caught)
    }

    /// The processors that a thread may use: a mask in hexadecimal, and as a list.
    private func processors(_ thread: GuestThread?) -> (mask: String, list: String) {
        let count = host.processorCount
        var words = thread?.settings.affinity ?? []
        if words.isEmpty { words = count >= 64 ? [.max] : [(1 << UInt64(count)) - 1] }
        let allowed = (0..<count).filter { $0 / 64 < words.count && words[$0 / 64] >> UInt64($0 % 64) & 1 == 1 }
        var mask: [String] = []
        for base in stride(from: 0, to: max(1, count), by: 32) {
            let bits = allowed.reduce(UInt32(0)) { bits, cpu in
                cpu >= base && cpu < base + 32 ? bits | 1 << UInt32(cpu - base) : bits
            }
            mask.insert(count > 32 ? bits.hex(8) : bits.hex(), at: 0)
        }
        return (mask.joined(separator: ","), HostFacts.list(allowed))
    }

    func status(_ process: Process, _ thread: GuestThread?) -> String {
        let any = thread ?? process.threads.first
        let credentials = any?.credentials ?? Credentials()
        let parent = parent(of: process)
        let id = thread?.id ?? process.id
        let escaped = (any?.name ?? process.lastName).escaped("\n\\")
        var text = "Name:\t" + String(decoding: escaped, as: UTF8.self) + "\n"
        if let any { text += "Umask:\t0\(any.fileSystem.umask.octal(3))\n" }
        text += "State:\t\(state(process, thread).word)\nTgid:\t\(process.id)\nNgid:\t0\nPid:\t\(id)\n"
        text += "PPid:\t\(parent)\nTracerPid:\t0\n"
        text += "Uid:\t\(credentials.userID)\t\(credentials.effectiveUserID)\t\(credentials.savedUserID)"
        text += "\t\(credentials.fileSystemUserID)\n"
        text += "Gid:\t\(credentials.groupID)\t\(credentials.effectiveGroupID)\t\(credentials.savedGroupID)"
        text += "\t\(credentials.fileSystemGroupID)\n"
        text += "FDSize:\t\(any?.files.room ?? 0)\nGroups:\t"
        text += credentials.groups.map { "\($0) " }.joined() + (credentials.groups.isEmpty ? " " : "") + "\n"
        text += "NStgid:\t\(process.id)\nNSpid:\t\(id)\nNSpgid:\t\(process.group)\nNSsid:\t\(process.session)\n"
        text += "Kthread:\t0\n"
        if thread != nil, let map = any?.map { text += memoryStatus(map, process) }
        text += "Threads:\t\(process.threads.count)\n"
        text +=
            "SigQ:\t\(kernel.signalAccounts.queued(for: credentials.userID))/\(limit(process.limits.values[11].soft))\n"
        let signals = dispositions(process)
        let sets: [(String, UInt64)] = [
            ("SigPnd", any?.signals.pending.set.rawValue ?? 0), ("ShdPnd", process.pendingSignals.set.rawValue),
            ("SigBlk", any?.blockedSignals.rawValue ?? 0), ("SigIgn", signals.ignored), ("SigCgt", signals.caught),
            ("CapInh", credentials.inheritableCapabilities), ("CapPrm", credentials.permittedCapabilities),
            ("CapEff", credentials.effectiveCapabilities), ("CapBnd", credentials.boundingCapabilities),
            ("CapAmb", credentials.ambientCapabilities),
        ]
        for (name, bits) in sets { text += "\(name):\t\(bits.hex(16))\n" }
        text += "NoNewPrivs:\t\(credentials.noNewPrivileges ? 1 : 0)\nSeccomp:\t0\nSeccomp_filters:\t0\n"
        text += "Speculation_Store_Bypass:\tthread vulnerable\nSpeculationIndirectBranch:\tconditional enabled\n"
        let allowed = processors(any)
        text += "Cpus_allowed:\t\(allowed.mask)\nCpus_allowed_list:\t\(allowed.list)\n"
        // Room for 1024 nodes of memory, as distributions build their kernels; there is one.
        let nodes = String(repeating: "00000000,", count: 31) + "00000001"
        text += "Mems_allowed:\t\(nodes)\nMems_allowed_list:\t0\n"
        return text + "voluntary_ctxt_switches:\t0\nnonvoluntary_ctxt_switches:\t0\n"
    }

    /// 52 numbers on a line.
    func stat(_ process: Process, _ thread: GuestThread?) -> [UInt8] {
        let any = thread ?? process.threads.first
        let time = thread?.cpuTime ?? process.cpuTime
        let parent = parent(of: process)
        // Nobody sits at a terminal of the sandbox's own: the first session's belongs to the programs.
        let terminal = process === kernel.initProcess ? nil : kernel.terminal(of: process.session)
        let map = thread == nil ? nil : any?.map
        let maySee = reader.map { reader in any.map(reader.mayInspect) ?? false } ?? true
        let signals = dispositions(process)
        let code = map.map { codeRange($0, process) } ?? 0..<0
        func tick(_ nanoseconds: Int64) -> Int64 { nanoseconds / 10_000_000 }
        let settings = any?.settings ?? ThreadSettings()
        let isAsleep = thread.map { $0.isAsleep || $0.state == .stopped } ?? false
        let isRealTime = settings.policy == 1 || settings.policy == 2
        // PF_RANDOMIZE, PF_FORKNOEXEC, PF_EXITING
        let flags = 0x40_0000 | (process.hasExecuted ? 0 : 0x40) | (thread == nil ? 0x4 : 0)
        var numbers: [String] = [
            "\(parent)", "\(process.group)", "\(process.session)", "\(terminal?.device.rawValue ?? 0)",
            "\(terminal?.foreground?.rawValue ?? -1)", "\(flags)", "0", "0", "0", "0",
            "\(tick(time.user))", "\(tick(time.system))", "\(tick(process.childrenUserTime))",
            "\(tick(process.childrenSystemTime))", isRealTime ? "\(-1 - settings.priority)" : "\(20 + settings.nice)",
            "\(settings.nice)", "\(process.threads.count)", "0", "\(tick(process.startTime.nanoseconds))",
            "\(map?.areas.totalLength ?? 0)", "\(map.map(residentPages) ?? 0)", "\(process.limits.values[5].soft)",
        ]
        for place in [code.lowerBound, code.upperBound] { numbers.append(map == nil ? "0" : maySee ? "\(place)" : "1") }
        numbers += [maySee ? "\(map?.stackStart ?? 0)" : "0", "0", "0"]
        numbers += [
            "\((any?.signals.pending.set.rawValue ?? 0) & 0x7fff_ffff)",
            "\((any?.blockedSignals.rawValue ?? 0) & 0x7fff_ffff)",
            "\(signals.ignored & 0x7fff_ffff)", "\(signals.caught & 0x7fff_ffff)", maySee && isAsleep ? "1" : "0", "0",
            "0",
            "\(thread?.id == process.id || thread == nil ? process.exitSignal.rawValue : -1)", "0",
            "\(settings.priority)", "\(settings.policy)", "0", "0", "0",
        ]
        let data = map.map { dataRange($0, process) } ?? 0..<0
        let later: [UInt] = [
            data.lowerBound, data.upperBound, map?.heap.lowerBound ?? 0, process.argumentRange.lowerBound,
            process.argumentRange.upperBound, process.environmentRange.lowerBound, process.environmentRange.upperBound,
        ]
        numbers += map != nil && maySee ? later.map { "\($0)" } : later.map { _ in "0" }
        numbers.append(maySee && process.isZombie ? "\(process.waitStatus)" : "0")
        let name = (any?.name ?? process.lastName).escaped("\n")
        let head = Array("\(thread?.id ?? process.id) (".utf8) + name
        return head + Array(") \(state(process, thread).letter) \(numbers.joined(separator: " "))\n".utf8)
    }

    // MARK: Limits

    private func limit(_ value: UInt64) -> String { value == .max ? "unlimited" : "\(value)" }

    private static let limitRows: [(name: String, unit: String)] = [
        ("Max cpu time", "seconds"), ("Max file size", "bytes"), ("Max data size", "bytes"),
        ("Max stack size", "bytes"), ("Max core file size", "bytes"), ("Max resident set", "bytes"),
        ("Max processes", "processes"), ("Max open files", "files"), ("Max locked memory", "bytes"),
        ("Max address space", "bytes"), ("Max file locks", "locks"), ("Max pending signals", "signals"),
        ("Max msgqueue size", "bytes"), ("Max nice priority", ""), ("Max realtime priority", ""),
        ("Max realtime timeout", "us"),
    ]

    func limits(_ process: Process) -> String {
        var text = "Limit                     Soft Limit           Hard Limit           Units     \n"
        for (row, value) in zip(SandboxInformation.limitRows, process.limits.values) {
            text += "\(row.name.left(25)) \(limit(value.soft).left(20)) \(limit(value.hard).left(20)) "
            text += (row.unit.isEmpty ? "" : row.unit.left(10)) + "\n"
        }
        return text
    }
}
