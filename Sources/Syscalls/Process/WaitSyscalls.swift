internal import Kernel
internal import LinuxABI
internal import VFS

/// wait4(2), waitid(2).
extension GuestThread {
    /// Which children a call waits for.
    enum WaitTarget {
        case any
        case process(ProcessID)
        case group(ProcessID)

        func includes(_ child: Process) -> Bool {
            switch self {
            case .any: true
            case .process(let id): child.id == id
            case .group(let id): child.group == id
            }
        }
    }

    /// What a wait found.
    struct ChildEvent {
        let child: Process
        /// As `wait4(2)` stores it.
        let status: Int32
        /// `CLD_EXITED` 1, `CLD_KILLED` 2, `CLD_DUMPED` 3, `CLD_STOPPED` 5, `CLD_CONTINUED` 6.
        let code: Int32
        /// As `siginfo_t` has it: the exit code or the signal.
        let value: Int32
    }

    private static let noHang: UInt32 = 1
    private static let untraced: UInt32 = 2
    private static let exited: UInt32 = 4
    private static let continued: UInt32 = 8
    private static let noWait: UInt32 = 0x0100_0000
    private static let noThread: UInt32 = 0x2000_0000
    private static let all: UInt32 = 0x4000_0000
    private static let clone: UInt32 = 0x8000_0000

    /// Looks for an event; nil if children may still have one. Throws ECHILD when there is no such child.
    private func findChild(_ target: WaitTarget, _ options: UInt32) throws(Errno) -> ChildEvent? {
        var isAny = false
        for child in process.children where target.includes(child) {
            let isClone = child.exitSignal.rawValue != 17
            if options & GuestThread.all == 0, isClone != (options & GuestThread.clone != 0) { continue }
            if options & GuestThread.noThread != 0, !isOwn(child) { continue }
            // Nothing but its end is left to hear of a zombie: for another wait it is no child.
            if child.isZombie, options & GuestThread.exited == 0 { continue }
            isAny = true
            if let event = event(of: child, options) { return event }
        }
        guard isAny else { throw .ECHILD }
        return nil
    }

    /// Whether the child is this very thread's: made by it, or by one that is gone, whose children the first one inherits.
    private func isOwn(_ child: Process) -> Bool {
        guard let maker = child.parentThread, kernel.threads[maker]?.process === process else {
            return process.threads.first === self
        }
        return maker == id
    }

    private func event(of child: Process, _ options: UInt32) -> ChildEvent? {
        let keeps = options & GuestThread.noWait != 0
        if child.isZombie, options & GuestThread.exited != 0 {
            let status = child.waitStatus
            let signal = status & 0x7f
            let event = ChildEvent(
                child: child, status: status, code: signal == 0 ? 1 : status & 0x80 != 0 ? 3 : 2,
                value: signal == 0 ? status >> 8 & 0xff : signal)
            if !keeps { kernel.reap(child) }
            return event
        }
        if let signal = child.unreportedStop, options & GuestThread.untraced != 0 {
            if !keeps { child.unreportedStop = nil }
            return ChildEvent(child: child, status: signal.rawValue << 8 | 0x7f, code: 5, value: signal.rawValue)
        }
        if child.unreportedContinue, options & GuestThread.continued != 0 {
            if !keeps { child.unreportedContinue = false }
            return ChildEvent(child: child, status: 0xffff, code: 6, value: 18)
        }
        return nil
    }

    /// `mayWait` is false where a pidfd says `PIDFD_NONBLOCK`: then EAGAIN is thrown.
    private func waitForChild(
        _ target: WaitTarget, _ options: UInt32, mayWait: Bool = true
    ) throws(Errno) -> ChildEvent? {
        if let event = try findChild(target, options) { return event }
        if options & GuestThread.noHang != 0 { return nil }
        guard mayWait else { throw .EAGAIN }
        throw park(on: [process.childEvents])
    }

    /// See `wait4(2)`.
    func wait4(
        _ id: ProcessID, _ status: UserPointer<Int32>, _ options: UInt32, _ usage: UInt
    ) throws(Errno) -> Int {
        let allowed =
            GuestThread.noHang | GuestThread.untraced | GuestThread.continued | GuestThread.noThread
            | GuestThread.clone | GuestThread.all
        guard options & ~allowed == 0 else { throw .EINVAL }
        guard id.rawValue != .min else { throw .ESRCH }
        if usage != 0 { kernel.isAskedForPeaks = true }
        let target: WaitTarget =
            switch id.rawValue {
            case -1: .any
            case 0: .group(process.group)
            case ..<0: .group(ProcessID(-id.rawValue))
            default: .process(id)
            }
        guard let event = try waitForChild(target, options | GuestThread.exited) else { return 0 }
        if !status.isNull { try copyOut(integer: event.status, to: status.address) }
        if usage != 0 { try copyOut(resourceUsage(of: event.child), to: usage) }
        return Int(event.child.id.rawValue)
    }

    /// `struct rusage` of a child and of its children.
    private func resourceUsage(of child: Process) -> [UInt8] {
        ResourceUsage(child.lastCPUTime + child.childrenTime, resident: child.lastPeak).encoded
    }

    /// See `waitid(2)`. Where it fails it says so in the siginfo as where nothing has happened: its fields are zero.
    func waitid(
        _ kind: Int32, _ id: ProcessID, _ info: UInt, _ options: UInt32, _ usage: UInt
    ) throws(Errno) -> Int {
        let event: ChildEvent?
        if usage != 0 { kernel.isAskedForPeaks = true }
        do throws(Errno) {
            event = try waitForEvent(kind, id, options)
        } catch {
            if error != .parked, info != 0 { try copyOut(nil, toInfo: info) }
            throw error
        }
        if usage != 0, let event { try copyOut(resourceUsage(of: event.child), to: usage) }
        if info != 0 { try copyOut(event, toInfo: info) }
        return 0
    }

    private func waitForEvent(_ kind: Int32, _ id: ProcessID, _ options: UInt32) throws(Errno) -> ChildEvent? {
        let kinds = GuestThread.exited | GuestThread.untraced | GuestThread.continued
        let allowed =
            kinds | GuestThread.noHang | GuestThread.noWait | GuestThread.noThread | GuestThread.clone
            | GuestThread.all
        guard options & ~allowed == 0, options & kinds != 0 else { throw .EINVAL }
        switch kind {
        case 0: return try waitForChild(.any, options)
        case 1:
            guard id.rawValue > 0 else { throw .EINVAL }
            return try waitForChild(.process(id), options)
        case 2:
            guard id.rawValue >= 0 else { throw .EINVAL }
            return try waitForChild(.group(id.rawValue == 0 ? process.group : id), options)
        case 3:
            guard id.rawValue >= 0 else { throw .EINVAL }
            let file = try files.file(FileNumber(id.rawValue))
            guard let pidFile = file.operations as? any ProcessFile else { throw .EBADF }
            return try waitForChild(.process(pidFile.processID), options, mayWait: !file.isNonBlocking)
        default: throw .EINVAL
        }
    }

    /// The fields of a `siginfo_t` that `waitid(2)` fills; what lies between and behind them it leaves alone.
    private func copyOut(_ event: ChildEvent?, toInfo info: UInt) throws(Errno) {
        var head = ByteWriter(capacity: 12)
        head.put(event == nil ? Int32(0) : SignalNumber.child.rawValue)
        head.put(Int32(0))
        head.put(event?.code ?? 0)
        var child = ByteWriter(capacity: 12)
        child.put(event?.child.id.rawValue ?? 0)
        let living = event.flatMap { $0.child.leader ?? $0.child.threads.first }
        child.put(living?.credentials.userID ?? event?.child.lastUserID ?? 0)
        child.put(event?.value ?? 0)
        try copyOut(head.bytes, to: info)
        try copyOut(child.bytes, to: info &+ 16)
    }
}
