internal import Kernel
internal import LinuxABI
internal import ProcFS
internal import VFS

/// What `/proc` shows, taken from the kernel when it is asked for. See `proc(5)`.
final class SandboxInformation: ProcessInformation {
    unowned let kernel: Kernel
    let mounts: MountTable
    let host: HostFacts
    let startTime: Timestamp
    /// `/proc/sys` as far as a guest has changed it.
    var settings: [String: [UInt8]] = [:]
    let bootID: [UInt8]
    let memoryLimit: UInt64?

    init(kernel: Kernel, mounts: MountTable, host: HostFacts, memoryLimit: UInt64?) {
        self.kernel = kernel
        self.mounts = mounts
        self.host = host
        self.memoryLimit = memoryLimit
        startTime = kernel.clock.realTime
        bootID = SandboxInformation.randomID()
    }

    // MARK: Who there is

    var processIDs: [ProcessID] { kernel.processes.keys.sorted() }

    /// The thread whose call is being handled.
    var reader: GuestThread? { kernel.currentThread }
    var currentProcess: ProcessID { reader?.process.id ?? Kernel.sandboxID }
    var currentThread: ProcessID { reader?.id ?? Kernel.sandboxID }

    func threadIDs(of process: ProcessID) -> [ProcessID] {
        guard let process = kernel.processes[process] else { return [] }
        let threads = process.threads.map(\.id).sorted()
        // The leader stays until the process is reaped.
        return threads.contains(process.id) ? threads : [process.id] + threads
    }

    func process(ofThread thread: ProcessID) -> ProcessID? {
        kernel.threads[thread]?.process.id ?? kernel.processes[thread]?.id
    }

    /// The children of number 1: the first program and what others have left behind.
    private var orphans: [Process] {
        kernel.processes.values.filter { $0.parent == nil && $0 !== kernel.initProcess }.sorted { $0.id < $1.id }
    }

    func exists(_ process: ProcessID) -> Bool { kernel.processes[process] != nil }

    func start(of process: ProcessID) -> MonotonicTime? { kernel.processes[process]?.startTime }

    func owner(of process: ProcessID) -> (user: UInt32, group: UInt32, since: Timestamp) {
        guard let process = kernel.processes[process], let thread = process.threads.first else {
            return (0, 0, startTime)
        }
        let since = time(of: process.startTime)
        // What may not be looked into belongs to root.
        guard process.dumpable else { return (0, 0, since) }
        return (thread.credentials.effectiveUserID, thread.credentials.effectiveGroupID, since)
    }

    /// A point of the monotonic clock as the real-time clock had it.
    private func time(of moment: MonotonicTime) -> Timestamp {
        let age = moment.interval(to: kernel.clock.now)
        let now = kernel.clock.realTime
        let nanoseconds = now.nanoseconds - age.nanoseconds
        return Timestamp(
            seconds: now.seconds - age.seconds - (nanoseconds < 0 ? 1 : 0),
            nanoseconds: nanoseconds < 0 ? nanoseconds + 1_000_000_000 : nanoseconds)
    }

    func mayInspect(_ process: ProcessID) -> Bool {
        guard let reader, let target = kernel.processes[process] else { return true }
        guard let thread = target.threads.first else {
            return target === reader.process || reader.credentials.userID == 0
        }
        return reader.mayInspect(thread)
    }

    /// A process with the thread that stands for it; nil for a thread that has ended.
    func find(_ process: ProcessID, _ thread: ProcessID) throws(Errno) -> (process: Process, thread: GuestThread?) {
        guard let found = kernel.processes[process] else { throw .ESRCH }
        if let exact = found.threads.first(where: { $0.id == thread }) { return (found, exact) }
        return (found, nil)
    }

    // MARK: Texts

    func text(_ file: String, of process: ProcessID, thread: ProcessID) throws(Errno) -> [UInt8] {
        let (process, thread) = try find(process, thread)
        // What all threads share is there as long as one of them is.
        let any = thread ?? process.threads.first
        switch file {
        case "status": return Array(status(process, thread).utf8)
        case "stat": return stat(process, thread)
        case "statm": return Array(memorySummary(any?.map).utf8)
        case "maps": return maps(any)
        case "smaps": return sharesOfMaps(any)
        case "smaps_rollup": return sumOfMaps(any)
        case "cmdline": return commandLine(process, any)
        case "environ": return try memory(any, process.environmentRange)
        case "auxv": return any?.map?.auxiliaryVector ?? []
        case "comm": return (any?.name ?? process.lastName) + [0x0a]
        case "limits": return Array(limits(process).utf8)
        case "mounts": return mountLines()
        case "mountinfo": return mountInformation()
        case "children":
            guard thread?.id == process.id else { return [] }
            let children = process === kernel.initProcess ? orphans : process.children
            return Array(children.map { "\($0.id) " }.joined().utf8)
        case "schedstat": return Array("\(any?.cpuTime.total ?? 0) 0 0\n".utf8)
        case "coredump_filter": return Array((process.coreFilter.hex(8) + "\n").utf8)
        case "timerslack_ns": return Array("\(any?.settings.timerSlack ?? 0)\n".utf8)
        case "io":
            process.countLocalTransfers()
            return Array(transfers(process.transfers).utf8)
        case "personality": return Array(((any?.settings.personality ?? 0).hex(8) + "\n").utf8)
        case "oom_score_adj": return Array("\(process.oomScoreAdjustment)\n".utf8)
        case "oom_adj": return Array("\(SandboxInformation.oldAdjustment(process.oomScoreAdjustment))\n".utf8)
        // Two thirds of a thousand, more or less the adjustment: see `oom_badness`.
        case "oom_score": return Array("\((1000 + Int(process.oomScoreAdjustment)) * 2 / 3)\n".utf8)
        default: break
        }
        if file.hasPrefix("fdinfo/"), let number = Int32(file.dropFirst(7)) {
            return Array(try descriptorInformation(number, any).utf8)
        }
        guard let constant = SandboxInformation.constants[file] else { throw .ENOENT }
        return Array(constant.utf8)
    }

    /// What is the same for all: one control group, one user name space, no audit, nothing known of where threads wait.
    private static let constants = [
        "cgroup": "0::/\n", "cpuset": "/\n", "loginuid": "4294967295", "sessionid": "4294967295",
        "setgroups": "allow\n",
        "uid_map": "         0          0 4294967295\n", "gid_map": "         0          0 4294967295\n", "wchan": "0",
    ]

    /// The old scale of -17...15.
    private static func oldAdjustment(_ adjustment: Int32) -> Int32 {
        adjustment == 1000 ? 15 : adjustment * 17 / 1000
    }

    // MARK: Changes

    func store(_ bytes: [UInt8], to file: String, of process: ProcessID, thread: ProcessID) throws(Errno) {
        let (process, found) = try find(process, thread)
        switch file {
        case "comm":
            guard let found, let reader, found.process === reader.process else { throw .EINVAL }
            found.name = Array(bytes.prefix { $0 != 0 && $0 != 0x0a }.prefix(15))
        case "oom_score_adj", "oom_adj":
            guard let value = Int32(SandboxInformation.word(bytes)) else { throw .EINVAL }
            let isOld = file == "oom_adj"
            guard isOld ? (-17...15).contains(value) : (-1000...1000).contains(value) else { throw .EINVAL }
            let adjustment = isOld ? (value == 15 ? 1000 : value * 1000 / 17) : value
            if adjustment < process.oomScoreAdjustment, let reader, !reader.credentials.has(capability: 24) {
                throw .EACCES
            }
            process.oomScoreAdjustment = adjustment
        case "coredump_filter":
            guard let value = SandboxInformation.unsigned(bytes) else { throw .EINVAL }
            process.coreFilter = UInt32(truncatingIfNeeded: value)
        case "timerslack_ns":
            guard let value = SandboxInformation.unsigned(bytes) else { throw .EINVAL }
            guard let found else { throw .ESRCH }
            let mayNice = reader?.credentials.has(capability: 23) ?? false
            guard found === reader || mayNice else { throw .EPERM }
            found.settings.timerSlack = value == 0 ? found.settings.defaultTimerSlack : UInt(value)
        default: throw .EACCES
        }
    }

    /// A number as `kstrtoull` takes it with base 0; nil for anything else.
    private static func unsigned(_ bytes: [UInt8]) -> UInt64? {
        let text = word(bytes).lowercased()
        if text.hasPrefix("0x") { return UInt64(text.dropFirst(2), radix: 16) }
        return text.count > 1 && text.hasPrefix("0") ? UInt64(text, radix: 8) : UInt64(text)
    }

    /// `/proc/pid/io`. Nothing of what a guest writes goes to a device, and what it reads comes out of the host's cache.
    private func transfers(_ counts: TransferCounts) -> String {
        "rchar: \(counts.bytesRead)\nwchar: \(counts.bytesWritten)\nsyscr: \(counts.reads)\nsyscw: \(counts.writes)\n"
            + "read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n"
    }

    /// What was written, without the white space around it.
    static func word(_ bytes: [UInt8]) -> String {
        let space: Set<UInt8> = [0x20, 0x09, 0x0a, 0]
        return String(decoding: bytes.drop { space.contains($0) }.prefix { !space.contains($0) }, as: UTF8.self)
    }
}
