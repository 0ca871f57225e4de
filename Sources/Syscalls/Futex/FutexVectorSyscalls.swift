internal import Kernel
internal import LinuxABI

/// futex_waitv(2) and the calls that take `futex(2)` apart: futex_wake, futex_wait, futex_requeue.
extension GuestThread {
    /// `FUTEX_WAITV_MAX`.
    private static let longestFutexVector: UInt32 = 128
    /// `FUTEX2_SIZE_U32`, the only size there is.
    private static let futexSize32: UInt32 = 2
    private static let futexPrivateFlag: UInt32 = 128

    /// - Returns: true for a private futex. Throws EINVAL for other sizes and flags.
    private func isPrivateFutex(_ flags: UInt32) throws(Errno) -> Bool {
        guard flags & ~(3 | GuestThread.futexPrivateFlag) == 0, flags & 3 == GuestThread.futexSize32 else {
            throw .EINVAL
        }
        return flags & GuestThread.futexPrivateFlag != 0
    }

    private func prepareDeadline(_ timeout: UInt, clock: Int32) throws(Errno) {
        guard timeout != 0 else { return }
        guard clock == 0 || clock == 1 else { throw .EINVAL }
        guard !restart.isAgain else { return }
        restart.deadline = try futexDeadline(timeout, isRelative: false, usesRealTime: clock == 0)
    }

    func futexWaitv(
        _ waiters: UInt, _ count: UInt32, _ flags: UInt32, _ timeout: UInt, _ clock: Int32
    ) throws(Errno) -> Int {
        guard flags == 0, count > 0, count <= GuestThread.longestFutexVector, waiters != 0 else { throw .EINVAL }
        try prepareDeadline(timeout, clock: clock)
        if restart.isAgain { return try futexWait(onAnyOf: [], until: restart.deadline) }
        var reader = ByteReader(try copyIn(24 * Int(count), from: waiters))
        var entries: [FutexVectorEntry] = []
        for _ in 0..<count {
            let value: UInt64 = reader.take()
            let address: UInt = reader.take()
            let flags: UInt32 = reader.take()
            guard reader.take(UInt32.self) == 0 else { throw .EINVAL }
            let isPrivate = try isPrivateFutex(flags)
            entries.append(
                FutexVectorEntry(address: address, value: UInt32(truncatingIfNeeded: value), isPrivate: isPrivate))
        }
        return try futexWait(onAnyOf: entries, until: restart.deadline)
    }

    /// See `futex_wake(2)`: unlike `FUTEX_WAKE` it wakes nobody when asked for none.
    func futex2Wake(_ address: UInt, _ mask: UInt, _ count: Int32, _ flags: UInt32) throws(Errno) -> Int {
        let isPrivate = try isPrivateFutex(flags)
        guard mask != 0, mask <= UInt(UInt32.max) else { throw .EINVAL }
        _ = try futexKey(address, isPrivate: isPrivate)
        guard count != 0 else { return 0 }
        return try futexWake(address, isPrivate: isPrivate, count: count, bits: UInt32(truncatingIfNeeded: mask))
    }

    func futex2Wait(
        _ address: UInt, _ value: UInt, _ mask: UInt, _ flags: UInt32, _ timeout: UInt, _ clock: Int32
    ) throws(Errno) -> Int {
        let isPrivate = try isPrivateFutex(flags)
        guard value <= UInt(UInt32.max), mask <= UInt(UInt32.max) else { throw .EINVAL }
        try prepareDeadline(timeout, clock: clock)
        return try futexWait(
            address, isPrivate: isPrivate, while: UInt32(truncatingIfNeeded: value),
            bits: UInt32(truncatingIfNeeded: mask), until: restart.deadline)
    }

    func futex2Requeue(_ waiters: UInt, _ flags: UInt32, _ wake: Int32, _ move: Int32) throws(Errno) -> Int {
        guard flags == 0, waiters != 0 else { throw .EINVAL }
        var reader = ByteReader(try copyIn(48, from: waiters))
        var values: [UInt64] = []
        var addresses: [UInt] = []
        var sharing: [Bool] = []
        for _ in 0..<2 {
            values.append(reader.take())
            addresses.append(reader.take())
            let flags: UInt32 = reader.take()
            guard reader.take(UInt32.self) == 0 else { throw .EINVAL }
            sharing.append(try isPrivateFutex(flags))
        }
        guard sharing[0] == sharing[1] else { throw .EINVAL }
        return try futexRequeue(
            from: addresses[0], to: addresses[1], isPrivate: sharing[0], wake: wake, move: move,
            ifValue: UInt32(truncatingIfNeeded: values[0]))
    }
}
