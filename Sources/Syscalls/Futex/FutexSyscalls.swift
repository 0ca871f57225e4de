internal import Kernel
internal import LinuxABI

/// The commands of `futex(2)`, without their flags.
private enum FutexCommand: UInt32 {
    case wait = 0
    case wake = 1
    case requeue = 3
    case compareRequeue = 4
    case wakeOperation = 5
    case lock = 6
    case unlock = 7
    case tryLock = 8
    case waitBits = 9
    case wakeBits = 10
    case waitForRequeue = 11
    case requeueToLock = 12
    case lockMonotonic = 13

    var hasTimeout: Bool {
        switch self {
        case .wait, .lock, .waitBits, .waitForRequeue, .lockMonotonic: true
        default: false
        }
    }

    var mayUseRealTime: Bool {
        switch self {
        case .waitBits, .waitForRequeue, .lockMonotonic: true
        default: false
        }
    }
}

/// futex(2).
extension GuestThread {
    private static let futexPrivate: UInt32 = 128
    private static let futexRealTime: UInt32 = 256

    func futex(
        _ address: UInt, _ operation: Int32, _ value: UInt32, _ timeoutOrCount: UInt, _ other: UInt, _ value3: UInt32
    ) throws(Errno) -> Int {
        let bits = UInt32(bitPattern: operation)
        let usesRealTime = bits & GuestThread.futexRealTime != 0
        guard let command = FutexCommand(rawValue: bits & ~(GuestThread.futexPrivate | GuestThread.futexRealTime))
        else { throw .ENOSYS }
        let isPrivate = bits & GuestThread.futexPrivate != 0
        if command.hasTimeout, timeoutOrCount != 0, !restart.isAgain {
            restart.deadline = try futexDeadline(
                timeoutOrCount, isRelative: command == .wait, usesRealTime: usesRealTime || command == .lock)
        }
        guard !usesRealTime || command.mayUseRealTime else { throw .ENOSYS }
        let count = Int32(bitPattern: value)
        let count2 = Int32(truncatingIfNeeded: timeoutOrCount)
        let deadline = restart.deadline
        switch command {
        case .wait: return try futexWait(address, isPrivate: isPrivate, while: value, until: deadline)
        case .waitBits:
            return try futexWait(address, isPrivate: isPrivate, while: value, bits: value3, until: deadline)
        case .wake: return try futexWake(address, isPrivate: isPrivate, count: count)
        case .wakeBits: return try futexWake(address, isPrivate: isPrivate, count: count, bits: value3)
        case .requeue:
            return try futexRequeue(
                from: address, to: other, isPrivate: isPrivate, wake: count, move: count2, ifValue: nil)
        case .compareRequeue:
            return try futexRequeue(
                from: address, to: other, isPrivate: isPrivate, wake: count, move: count2, ifValue: value3)
        case .wakeOperation:
            return try futexWakeOperation(
                address, other, isPrivate: isPrivate, wake: count, wakeOther: count2, operation: value3)
        case .lock, .lockMonotonic: return try futexLock(address, isPrivate: isPrivate, until: deadline)
        case .unlock: return try futexUnlock(address, isPrivate: isPrivate)
        case .tryLock: return try futexTryLock(address, isPrivate: isPrivate)
        case .waitForRequeue:
            return try futexWaitForRequeue(
                address, lock: other, isPrivate: isPrivate, while: value, bits: value3, until: deadline)
        case .requeueToLock:
            return try futexRequeueToLock(
                from: address, to: other, isPrivate: isPrivate, wake: count, move: count2, ifValue: value3)
        }
    }

    /// When a wait ends, from the timespec at the address. Throws EFAULT, EINVAL.
    func futexDeadline(_ address: UInt, isRelative: Bool, usesRealTime: Bool) throws(Errno) -> MonotonicTime {
        let time = try copyIn(Timestamp.self, from: UserPointer<Opaque>(address))
        guard time.isValidInterval else { throw .EINVAL }
        if isRelative { return kernel.clock.now.advanced(by: time) }
        guard usesRealTime else { return MonotonicTime(nanoseconds: time.saturatingNanoseconds) }
        return kernel.monotonic(atRealTime: time)
    }
}
