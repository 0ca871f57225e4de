internal import Kernel
internal import LinuxABI
internal import Platform

/// sched(7): policies, priorities and processors. They are kept, checked and shown; the host schedules as it does.
extension GuestThread {
    private static let resetOnFork: Int32 = 0x4000_0000
    private static let realTimePolicies: [Int32] = [1, 2]
    private static let policies: [Int32] = [0, 1, 2, 3, 5]

    /// Throws ESRCH.
    private func threadNamed(_ id: ProcessID) throws(Errno) -> GuestThread {
        if id.rawValue == 0 { return self }
        guard let found = kernel.threads[id] else { throw .ESRCH }
        return found
    }

    private var mayNice: Bool { credentials.has(capability: CapabilityNumber.nice) }

    /// Linux's `check_same_owner`.
    private func owns(_ other: GuestThread) -> Bool {
        credentials.effectiveUserID == other.credentials.effectiveUserID
            || credentials.effectiveUserID == other.credentials.userID
    }

    /// `RLIMIT_NICE` allows a nice value down to 20 minus the limit.
    private func mayTake(nice: Int32, _ target: GuestThread) -> Bool {
        UInt64(max(0, 20 - nice)) <= target.process.limits.values[ResourceNumber.nice].soft || mayNice
    }

    // MARK: Policies

    func schedSetscheduler(_ id: ProcessID, _ policy: Int32, _ parameters: UInt) throws(Errno) -> Int {
        guard policy >= 0 else { throw .EINVAL }
        return try setPolicy(id, policy, parameters)
    }

    func schedSetparam(_ id: ProcessID, _ parameters: UInt) throws(Errno) -> Int {
        try setPolicy(id, nil, parameters)
    }

    private func setPolicy(_ id: ProcessID, _ policy: Int32?, _ parameters: UInt) throws(Errno) -> Int {
        guard parameters != 0, id.rawValue >= 0 else { throw .EINVAL }
        let priority: Int32 = try copyIn(Int32.self, from: parameters)
        let target = try threadNamed(id)
        let reset = policy.map { $0 & GuestThread.resetOnFork != 0 } ?? target.settings.resetsOnFork
        let plain = policy.map { $0 & ~GuestThread.resetOnFork } ?? target.settings.policy
        try apply(plain, priority: priority, nice: nil, resetsOnFork: reset, to: target)
        return 0
    }

    /// Checks and takes over a policy. Throws EINVAL, EPERM.
    private func apply(
        _ policy: Int32, priority: Int32, nice: Int32?, resetsOnFork: Bool, to target: GuestThread
    ) throws(Errno) {
        let isRealTime = GuestThread.realTimePolicies.contains(policy)
        guard GuestThread.policies.contains(policy), (0...99).contains(priority), isRealTime == (priority > 0) else {
            throw .EINVAL
        }
        let old = target.settings
        if !mayNice {
            let limit = target.process.limits.values[ResourceNumber.realTimePriority].soft
            if isRealTime {
                if policy != old.policy, limit == 0 { throw .EPERM }
                if priority > old.priority, UInt64(priority) > limit { throw .EPERM }
            } else if let nice, nice < old.nice, !mayTake(nice: nice, target) {
                throw .EPERM
            }
            if old.policy == 5, policy != 5, !mayTake(nice: old.nice, target) { throw .EPERM }
            guard owns(target) else { throw .EPERM }
            if old.resetsOnFork, !resetsOnFork { throw .EPERM }
        }
        target.settings.policy = policy
        target.settings.priority = priority
        target.settings.resetsOnFork = resetsOnFork
        if let nice, !isRealTime { target.settings.nice = nice }
    }

    func schedGetscheduler(_ id: ProcessID) throws(Errno) -> Int {
        guard id.rawValue >= 0 else { throw .EINVAL }
        let settings = try threadNamed(id).settings
        return Int(settings.policy | (settings.resetsOnFork ? GuestThread.resetOnFork : 0))
    }

    func schedGetparam(_ id: ProcessID, _ parameters: UInt) throws(Errno) -> Int {
        guard parameters != 0, id.rawValue >= 0 else { throw .EINVAL }
        try copyOut(integer: try threadNamed(id).settings.priority, to: parameters)
        return 0
    }

    /// See `sched_setattr(2)`: 48 bytes at least, of which those past the known 56 must be zero.
    func schedSetattr(_ id: ProcessID, _ attributes: UInt, _ flags: UInt32) throws(Errno) -> Int {
        guard attributes != 0, id.rawValue >= 0, flags == 0 else { throw .EINVAL }
        let given: UInt32 = try copyIn(UInt32.self, from: attributes)
        let size = given == 0 ? 48 : given
        guard size >= 48, size <= 4096 else {
            try? copyOut(integer: UInt32(56), to: attributes)
            throw .E2BIG
        }
        let bytes = try copyIn(Int(size), from: attributes)
        guard bytes.dropFirst(56).allSatisfy({ $0 == 0 }) else {
            try? copyOut(integer: UInt32(56), to: attributes)
            throw .E2BIG
        }
        var reader = ByteReader(bytes, from: 4)
        let policy: Int32 = reader.take()
        let bits: UInt64 = reader.take()
        let nice: Int32 = reader.take()
        let priority: UInt32 = reader.take()
        guard policy >= 0, priority <= 99, bits & ~0x7f == 0 else { throw .EINVAL }
        let target = try threadNamed(id)
        // SCHED_FLAG_KEEP_POLICY, SCHED_FLAG_KEEP_PARAMS. Deadlines and utilisation clamps nobody would honour.
        guard bits & 0x66 == 0 else { throw .EOPNOTSUPP }
        let keepsPolicy = bits & 8 != 0
        let keepsParameters = bits & 16 != 0
        try apply(
            keepsPolicy ? target.settings.policy : policy,
            priority: keepsParameters ? target.settings.priority : Int32(priority),
            nice: keepsParameters ? nil : max(-20, min(19, nice)), resetsOnFork: bits & 1 != 0, to: target)
        return 0
    }

    func schedGetattr(_ id: ProcessID, _ attributes: UInt, _ size: UInt32, _ flags: UInt32) throws(Errno) -> Int {
        guard attributes != 0, id.rawValue >= 0, (48...4096).contains(size), flags == 0 else { throw .EINVAL }
        let settings = try threadNamed(id).settings
        let isRealTime = GuestThread.realTimePolicies.contains(settings.policy)
        var writer = ByteWriter(capacity: 56)
        writer.put(min(size, 56))
        writer.put(settings.policy)
        writer.put(UInt64(settings.resetsOnFork ? 1 : 0))
        writer.put(isRealTime ? 0 : settings.nice)
        writer.put(settings.priority)
        writer.pad(to: 56)
        try copyOut(Array(writer.bytes.prefix(Int(size))), to: attributes)
        return 0
    }

    func schedPriorityBound(_ policy: Int32, highest: Bool) throws(Errno) -> Int {
        switch policy {
        case 1, 2: return highest ? 99 : 1
        case 0, 3, 5, 6, 7: return 0
        default: throw .EINVAL
        }
    }

    /// See `sched_rr_get_interval(2)`.
    func schedInterval(_ id: ProcessID, _ address: UInt) throws(Errno) -> Int {
        guard id.rawValue >= 0 else { throw .EINVAL }
        let policy = try threadNamed(id).settings.policy
        // RR_TIMESLICE; the ordinary policies have a slice of two and a bit more, FIFO has none.
        let nanoseconds: Int64 = policy == 2 ? 100_000_000 : policy == 1 ? 0 : 2_800_000
        try copyOut(Timestamp(totalNanoseconds: nanoseconds), to: UserPointer<Opaque>(address))
        return 0
    }

    // MARK: Processors

    func schedGetaffinity(_ id: ProcessID, _ length: UInt32, _ address: UInt) throws(Errno) -> Int {
        let all = kernel.processors
        // Room for the processors that there are will do; the set itself may be larger.
        let highest = all.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 1
        guard length % 8 == 0, Int(length) >= highest * 8 else { throw .EINVAL }
        let mask = try threadNamed(id).settings.affinity ?? all
        var writer = ByteWriter(capacity: all.count * 8)
        for word in mask { writer.put(word) }
        let bytes = Array(writer.bytes.prefix(Int(length)))
        try copyOut(bytes, to: address)
        return bytes.count
    }

    func schedSetaffinity(_ id: ProcessID, _ length: UInt32, _ address: UInt) throws(Errno) -> Int {
        let all = kernel.processors
        var bytes = try copyIn(min(Int(length), all.count * 8), from: address)
        bytes.append(contentsOf: repeatElement(0, count: all.count * 8 - bytes.count))
        let target = try threadNamed(id)
        guard owns(target) || mayNice else { throw .EPERM }
        var reader = ByteReader(bytes)
        let mask = all.map { $0 & reader.take(UInt64.self) }
        guard mask.contains(where: { $0 != 0 }) else { throw .EINVAL }
        target.settings.affinity = mask
        if mask != all { kernel.platform?.askForProcessor() }
        return 0
    }

    func getcpu(_ processor: UInt, _ node: UInt) throws(Errno) -> Int {
        let mask = settings.affinity ?? kernel.processors
        // The host knows nothing of the processors that guests are bound to: where it runs this one counts only inside.
        let now = Int(stub?.processor ?? 0)
        let isInside = now / 64 < mask.count && mask[now / 64] >> UInt64(now % 64) & 1 != 0
        let word = mask.firstIndex { $0 != 0 } ?? 0
        let first = word * 64 + (mask.isEmpty ? 0 : mask[word].trailingZeroBitCount)
        let number = UInt32(isInside ? now : first)
        if processor != 0 { try copyOut(integer: number, to: processor) }
        if node != 0 { try copyOut(integer: UInt32(0), to: node) }
        return 0
    }

    // MARK: Nice values and I/O priorities

    /// The threads that a `which` and a `who` of `setpriority(2)` name. Throws EINVAL, ESRCH.
    private func targets(_ which: Int32, _ who: Int32, first: Int32) throws(Errno) -> [GuestThread] {
        let found: [GuestThread]
        switch which &- first {
        case 0: found = who == 0 ? [self] : kernel.threads[ProcessID(who)].map { [$0] } ?? []
        case 1:
            let group = who == 0 ? process.group : ProcessID(who)
            found = kernel.members(ofGroup: group).flatMap { $0.threads }
        case 2:
            let user = who == 0 ? credentials.userID : UInt32(bitPattern: who)
            found = kernel.threads.values.filter { $0.credentials.userID == user }
        default: throw .EINVAL
        }
        guard !found.isEmpty else { throw .ESRCH }
        return found
    }

    /// - Returns: 20 minus the lowest nice value, so that no result looks like an error.
    func getpriority(_ which: Int32, _ who: Int32) throws(Errno) -> Int {
        Int(20 - (try targets(which, who, first: 0).map(\.settings.nice).min() ?? 0))
    }

    func setpriority(_ which: Int32, _ who: Int32, _ nice: Int32) throws(Errno) -> Int {
        let nice = max(-20, min(19, nice))
        var failure: Errno?
        for target in try targets(which, who, first: 0) {
            let isOwn =
                owns(target) || credentials.effectiveUserID == target.credentials.userID
                || target.credentials.userID == credentials.userID
            if !isOwn, !mayNice {
                failure = .EPERM
            } else if nice < target.settings.nice, !mayTake(nice: nice, target) {
                failure = .EACCES
            } else {
                target.settings.nice = nice
            }
        }
        if let failure { throw failure }
        return 0
    }

    func ioprioSet(_ which: Int32, _ who: Int32, _ priority: Int32) throws(Errno) -> Int {
        let level = priority & 7
        switch priority >> 13 & 7 {
        case 0: guard level == 0 else { throw .EINVAL }
        case 1:
            let isAdministrator = credentials.has(capability: CapabilityNumber.systemAdministration)
            guard mayNice || isAdministrator else { throw .EPERM }
        case 2, 3: break
        default: throw .EINVAL
        }
        for target in try targets(which, who, first: 1) {
            guard owns(target) || mayNice else { throw .EPERM }
            target.settings.ioPriority = priority
        }
        return 0
    }

    func ioprioGet(_ which: Int32, _ who: Int32) throws(Errno) -> Int {
        Int(try targets(which, who, first: 1).map(\.settings.ioPriority).max() ?? 0)
    }
}
