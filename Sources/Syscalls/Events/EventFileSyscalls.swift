internal import Kernel
internal import LinuxABI
internal import VFS

/// signalfd(2), timerfd_create(2) and its relatives, epoll_pwait2(2).
extension GuestThread {
    private static let closeOnExec: Int32 = 0o2_000_000
    private static let nonBlocking: Int32 = 0o4000

    /// An open file without a file system, at the lowest free number.
    func installEventFile(_ operations: any FileOperations, _ flags: Int32) throws(Errno) -> Int {
        var status: OpenFlags = [.readWrite]
        if flags & GuestThread.nonBlocking != 0 { status.insert(.nonBlocking) }
        return try install(
            OpenFile(operations, flags: status), closeOnExec: flags & GuestThread.closeOnExec != 0)
    }

    func eventNode(_ label: StaticString) -> AnonymousNode {
        AnonymousNode(kernel.newAnonymousInode(), label: label)
    }

    // MARK: signalfd

    func signalfd(_ number: FileNumber, _ address: UInt, _ size: UInt, _ flags: Int32) throws(Errno) -> Int {
        guard size == GuestThread.signalSetSize else { throw .EINVAL }
        let mask = SignalSet(rawValue: try copyIn(UInt64.self, from: address)).subtracting(.unblockable)
        guard flags & ~(GuestThread.closeOnExec | GuestThread.nonBlocking) == 0 else { throw .EINVAL }
        guard number.rawValue != -1 else {
            return try installEventFile(SignalFile(mask, kernel: kernel, node: eventNode("[signalfd]")), flags)
        }
        guard let known = try file(number).operations as? SignalFile else { throw .EINVAL }
        known.mask = mask
        kernel.signalArrivals.wakeAll()
        return Int(number.rawValue)
    }

    // MARK: timerfd

    /// `CAP_WAKE_ALARM`
    private static let wakeAlarm = 35

    func timerfdCreate(_ clock: Int32, _ flags: Int32) throws(Errno) -> Int {
        guard flags & ~(GuestThread.closeOnExec | GuestThread.nonBlocking) == 0 else { throw .EINVAL }
        guard [0, 1, 7, 8, 9].contains(clock) else { throw .EINVAL }
        if clock >= 8, !credentials.has(capability: GuestThread.wakeAlarm) { throw .EPERM }
        let isRealTime = clock == 0 || clock == 8
        return try installEventFile(
            TimerFile(isRealTime: isRealTime, kernel: kernel, node: eventNode("[timerfd]")), flags)
    }

    private func timerFile(_ number: FileNumber) throws(Errno) -> TimerFile {
        guard let timer = try file(number).operations as? TimerFile else { throw .EINVAL }
        return timer
    }

    func timerfdSettime(_ number: FileNumber, _ flags: Int32, _ new: UInt, _ old: UInt) throws(Errno) -> Int {
        let wanted = try copyIn(TimerSetting<Timestamp>.self, from: UserPointer<Opaque>(new))
        guard flags & ~3 == 0, wanted.interval.isValidInterval, wanted.value.isValidInterval else { throw .EINVAL }
        let timer = try timerFile(number)
        let before = setting(of: timer)
        timer.set(
            value: wanted.value.saturatingNanoseconds, interval: wanted.interval.saturatingNanoseconds,
            isAbsolute: flags & 1 != 0)
        if old != 0 { try copyOut(before, to: UserPointer<Opaque>(old)) }
        return 0
    }

    func timerfdGettime(_ number: FileNumber, _ address: UInt) throws(Errno) -> Int {
        try copyOut(setting(of: try timerFile(number)), to: UserPointer<Opaque>(address))
        return 0
    }

    private func setting(of timer: TimerFile) -> TimerSetting<Timestamp> {
        let (value, interval) = timer.setting
        return TimerSetting(
            interval: Timestamp(totalNanoseconds: interval), value: Timestamp(totalNanoseconds: value))
    }

    // MARK: epoll

    func epollWait2(
        _ number: FileNumber, _ events: UInt, _ limit: Int32, _ timeout: UserPointer<Timestamp>, _ mask: UInt,
        _ size: UInt
    ) throws(Errno) -> Int {
        let interval = timeout.isNull ? nil : try copyIn(Timestamp.self, from: timeout)
        let end = try deadline(after: interval)
        try swapMask(mask, size)
        return try epollWait(number, events, limit, end, isPlain: mask == 0)
    }
}
