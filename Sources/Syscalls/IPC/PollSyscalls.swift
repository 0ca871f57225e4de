internal import Kernel
internal import LinuxABI
internal import VFS

/// poll(2), ppoll(2), select(2), pselect6(2).
extension GuestThread {
    /// What one descriptor is waited for.
    private struct Interest {
        let file: OpenFile
        let events: PollEvents
    }

    /// The absolute end of a relative timeout, fixed at the first try; nil waits for ever.
    func deadline(after timeout: Timestamp?) throws(Errno) -> MonotonicTime? {
        guard let timeout else { return nil }
        guard timeout.isValidInterval else { throw .EINVAL }
        // Over before it begins, whatever the clock says.
        if timeout == Timestamp() { return MonotonicTime(nanoseconds: 0) }
        if let deadline = restart.deadline { return deadline }
        let deadline = kernel.clock.now.advanced(by: timeout)
        restart.deadline = deadline
        return deadline
    }

    /// Swaps the signal mask for the time of the call; it comes back when the call returns.
    func swapMask(_ pointer: UInt, _ size: UInt) throws(Errno) {
        guard pointer != 0, !restart.isAgain else { return }
        guard size == 8 else { throw .EINVAL }
        let mask: UInt64 = try copyIn(UInt64.self, from: pointer)
        signals.savedMask = signals.blocked
        signals.blocked = SignalSet(rawValue: mask).subtracting([
            SignalSet(SignalNumber(9)), SignalSet(SignalNumber(19)),
        ])
    }

    /// Parks on everything that the interests wait for.
    private func wait(_ interests: [Interest], until deadline: MonotonicTime?, _ interrupted: Errno) -> Errno {
        // Once for each queue, however often a guest names a file.
        var queues: [ObjectIdentifier: WaitQueue] = [:]
        for interest in interests {
            if let queue = interest.file.operations.waitQueue { queues[ObjectIdentifier(queue)] = queue }
        }
        return park(on: Array(queues.values), until: deadline, interrupted: interrupted)
    }

    // MARK: poll

    /// See `poll(2)`: entries of 8 bytes.
    func poll(
        _ address: UInt, _ count: UInt32, _ deadline: MonotonicTime?, interrupted: Errno = .ERESTARTNOHAND
    ) throws(Errno) -> Int {
        guard Int(count) <= process.limits.openFiles else { throw .EINVAL }
        let bytes = try copyIn(Int(count) * 8, from: address)
        var reader = ByteReader(bytes)
        var results = ByteWriter(capacity: bytes.count)
        var interests: [Interest] = []
        var ready = 0
        for _ in 0..<count {
            let number: Int32 = reader.take()
            let raw: UInt16 = reader.take()
            reader.skip(2)
            var found: PollEvents = []
            if number >= 0 {
                if let file = try? files.file(FileNumber(number)) {
                    let wanted = PollEvents(rawValue: UInt32(raw)).union([.error, .hangUp])
                    found = file.operations.poll(file).intersection(wanted)
                    interests.append(Interest(file: file, events: wanted))
                } else {
                    found = .invalid
                }
            }
            if !found.isEmpty { ready += 1 }
            results.put(number)
            results.put(raw)
            results.put(UInt16(truncatingIfNeeded: found.rawValue))
        }
        let isOver = deadline.map { $0 <= kernel.clock.now } ?? false
        // A signal counts for more than the time being over.
        guard ready > 0 || isOver && !hasPendingSignal else {
            let error = wait(interests, until: deadline, interrupted)
            if error == .ERESTART_RESTARTBLOCK {
                signals.restartBlock = { thread throws(Errno) in
                    try thread.poll(address, count, deadline, interrupted: interrupted)
                }
            }
            throw error
        }
        try copyOut(results.bytes, to: address)
        return ready
    }

    func poll(_ address: UInt, _ count: UInt32, milliseconds: Int32) throws(Errno) -> Int {
        var timeout: Timestamp?
        if milliseconds >= 0 {
            timeout = Timestamp(
                seconds: Int64(milliseconds / 1000), nanoseconds: Int64(milliseconds % 1000) * 1_000_000)
        }
        return try poll(address, count, try deadline(after: timeout), interrupted: .ERESTART_RESTARTBLOCK)
    }

    func ppoll(
        _ address: UInt, _ count: UInt32, _ timeout: UserPointer<Timestamp>, _ mask: UInt, _ size: UInt
    ) throws(Errno) -> Int {
        let interval = timeout.isNull ? nil : try copyIn(Timestamp.self, from: timeout)
        let deadline = try deadline(after: interval)
        try swapMask(mask, size)
        do throws(Errno) {
            let ready = try poll(address, count, deadline)
            try? storeRemaining(deadline, to: timeout.address, microseconds: false)
            return ready
        } catch {
            if error != .parked { try? storeRemaining(deadline, to: timeout.address, microseconds: false) }
            throw error
        }
    }

    /// Linux writes back how much of the time was left.
    private func storeRemaining(_ deadline: MonotonicTime?, to address: UInt, microseconds: Bool) throws(Errno) {
        guard let deadline, address != 0 else { return }
        var left = kernel.clock.now.interval(to: deadline)
        if microseconds { left.nanoseconds /= 1000 }
        try copyOut(left.encoded, to: address)
    }

    // MARK: select

    private static let readSet: PollEvents = [.in, .readNormal, .readBand, .hangUp, .error]
    private static let writeSet: PollEvents = [.out, .writeNormal, .writeBand, .error]

    /// See `select(2)`: three bit sets of `count` bits. Bits of numbers that the table has no room for are neither read nor
    /// written (BUGS there).
    func select(_ count: Int32, _ sets: [UInt], _ deadline: MonotonicTime?) throws(Errno) -> Int {
        guard count >= 0 else { throw .EINVAL }
        let count = min(Int(count), files.room)
        let size = (count + 63) / 64 * 8
        var wanted: [[UInt8]] = []
        for set in sets { wanted.append(set == 0 ? [] : try copyIn(size, from: set)) }
        var found = wanted.map { [UInt8](repeating: 0, count: $0.count) }
        let kinds: [PollEvents] = [GuestThread.readSet, GuestThread.writeSet, .priority]
        var interests: [Interest] = []
        var ready = 0
        for number in 0..<count {
            let bit = UInt8(1 << (number % 8))
            var events: PollEvents = []
            for (index, set) in wanted.enumerated() where !set.isEmpty && set[number / 8] & bit != 0 {
                events.formUnion(kinds[index])
            }
            guard !events.isEmpty else { continue }
            let file = try files.file(FileNumber(Int32(number)))
            let state = file.operations.poll(file)
            for (index, set) in wanted.enumerated() where !set.isEmpty && set[number / 8] & bit != 0 {
                guard !state.isDisjoint(with: kinds[index]) else { continue }
                found[index][number / 8] |= bit
                ready += 1
            }
            interests.append(Interest(file: file, events: events))
        }
        let isOver = deadline.map { $0 <= kernel.clock.now } ?? false
        // A signal counts for more than the time being over.
        guard ready > 0 || isOver && !hasPendingSignal else {
            throw wait(interests, until: deadline, .ERESTARTNOHAND)
        }
        for (index, set) in sets.enumerated() where set != 0 { try copyOut(found[index], to: set) }
        return ready
    }

    func select(_ count: Int32, _ sets: [UInt], timeval: UInt) throws(Errno) -> Int {
        var timeout: Timestamp?
        if timeval != 0 {
            let bytes = try copyIn(16, from: timeval)
            var reader = ByteReader(bytes)
            let seconds: Int64 = reader.take()
            let micro: Int64 = reader.take()
            guard seconds >= 0, micro >= 0 else { throw .EINVAL }
            let (sum, overflow) = seconds.addingReportingOverflow(micro / 1_000_000)
            guard !overflow else { throw .EINVAL }
            timeout = Timestamp(seconds: sum, nanoseconds: micro % 1_000_000 * 1000)
        }
        let deadline = try deadline(after: timeout)
        do throws(Errno) {
            let ready = try select(count, sets, deadline)
            try? storeRemaining(deadline, to: timeval, microseconds: true)
            return ready
        } catch {
            if error != .parked { try? storeRemaining(deadline, to: timeval, microseconds: true) }
            throw error
        }
    }

    func pselect(
        _ count: Int32, _ sets: [UInt], _ timeout: UserPointer<Timestamp>, _ signals: UInt
    ) throws(Errno) -> Int {
        var mask: UInt = 0
        var size: UInt = 0
        if signals != 0 {
            mask = try copyIn(UInt.self, from: signals)
            size = try copyIn(UInt.self, from: signals &+ 8)
        }
        let interval = timeout.isNull ? nil : try copyIn(Timestamp.self, from: timeout)
        let deadline = try deadline(after: interval)
        try swapMask(mask, size)
        let ready = try select(count, sets, deadline)
        try? storeRemaining(deadline, to: timeout.address, microseconds: false)
        return ready
    }
}
