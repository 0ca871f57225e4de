internal import Kernel
internal import LinuxABI
internal import VFS

/// semget(2), semop(2), semtimedop(2), semctl(2).
extension GuestThread {
    private static let noWait: UInt16 = 0o4000
    private static let undo: UInt16 = 0x1000
    /// `SEMMSL`, `SEMOPM`
    private static let mostSemaphores: Int32 = 32000
    private static let mostOperations: UInt32 = 500
    /// Of all sets together: they lie in the kernel's own memory.
    private static let mostTogether: UInt64 = 1 << 20

    func semget(_ key: Int32, _ count: Int32, _ flags: Int32) throws(Errno) -> Int {
        guard (0...GuestThread.mostSemaphores).contains(count) else { throw .EINVAL }
        let sets = kernel.semaphoreSets
        let id = try sets.get(
            key: key, flags: flags, for: credentials,
            check: { (set) throws(Errno) in guard Int(count) <= set.values.count else { throw .EINVAL } }
        ) { () throws(Errno) in
            guard count > 0 else { throw .EINVAL }
            guard sets.weight + UInt64(count) <= GuestThread.mostTogether else { throw .ENOSPC }
            sets.weight += UInt64(count)
            let permission = IPCPermission(key: key, mode: UInt32(flags & 0o777), creator: credentials)
            return SemaphoreSet(permission, count: Int(count), now: seconds)
        }
        return Int(id)
    }

    private func set(_ id: Int32) throws(Errno) -> SemaphoreSet {
        guard let set = kernel.semaphoreSets.find(id) else { throw restart.isAgain ? .EIDRM : .EINVAL }
        return set
    }

    func semop(_ id: Int32, _ address: UInt, _ count: UInt32, timeout: UInt) throws(Errno) -> Int {
        if timeout != 0, !restart.isAgain {
            let span = try copyIn(Timestamp.self, from: UserPointer<Opaque>(timeout))
            guard span.isValidInterval else { throw .EINVAL }
            restart.deadline = kernel.clock.now.advanced(by: span)
        }
        guard count >= 1, id >= 0 else { throw .EINVAL }
        guard count <= GuestThread.mostOperations else { throw .E2BIG }
        var reader = ByteReader(try copyIn(Int(count) * 6, from: address))
        var operations: [SemaphoreSet.Operation] = []
        for _ in 0..<count {
            let index: UInt16 = reader.take()
            let change: Int16 = reader.take()
            let flags: UInt16 = reader.take()
            operations.append(
                SemaphoreSet.Operation(
                    index: Int(index), change: Int32(change), waits: flags & GuestThread.noWait == 0,
                    isUndone: flags & GuestThread.undo != 0))
        }
        let set = try set(id)
        set.wakes(self)
        guard operations.allSatisfy({ $0.index < set.values.count }) else { throw .EFBIG }
        let alters = operations.contains { $0.change != 0 }
        try set.permission.check(alters ? 0o222 : 0o444, for: credentials)
        switch set.perform(operations, for: process) {
        case nil:
            set.operationTime = seconds
            return 0
        case .error(let error): throw error
        case .wait(let operation):
            guard operation.waits else { throw .EAGAIN }
            if let deadline = restart.deadline, deadline <= kernel.clock.now { throw .EAGAIN }
            let error = park(on: [set.changes], until: restart.deadline, interrupted: .EINTR)
            if error == .parked { set.sleeps(self, on: operation) }
            throw error
        }
    }

    func semctl(_ id: Int32, _ index: Int32, _ command: Int32, _ argument: UInt) throws(Errno) -> Int {
        guard id >= 0 else { throw .EINVAL }
        let sets = kernel.semaphoreSets
        switch command {
        // IPC_RMID
        case 0:
            let set = try set(id)
            try set.permission.checkOwner(credentials)
            sets.remove(id)
            sets.weight -= UInt64(set.values.count)
            set.changes.wakeAll()
            return 0
        // IPC_SET
        case 1:
            var reader = ByteReader(try copyIn(104, from: argument))
            let set = try set(id)
            try set.permission.checkOwner(credentials)
            readOwner(&reader, into: &set.permission)
            set.changeTime = seconds
            return 0
        // IPC_STAT, SEM_STAT, SEM_STAT_ANY
        case 2, 18, 20:
            let found = command == 2 ? sets.find(id).map { (id: id, object: $0) } : sets.object(at: id)
            guard let found else { throw .EINVAL }
            if command != 20 { try found.object.permission.check(0o444, for: credentials) }
            var writer = ByteWriter(capacity: 104)
            write(found.object.permission, id: found.id, to: &writer)
            for number in [found.object.operationTime, 0, found.object.changeTime, 0, Int64(found.object.values.count)]
            {
                writer.put(number)
            }
            writer.pad(to: 104)
            try copyOut(writer.bytes, to: argument)
            return command == 2 ? 0 : Int(found.id)
        // IPC_INFO, SEM_INFO
        case 3, 19:
            let used = sets.objects.reduce(0) { $0 + $1.values.count }
            var writer = ByteWriter(capacity: 40)
            for number in [
                1_024_000_000, 32000, 1_024_000_000, 1_024_000_000, GuestThread.mostSemaphores,
                Int32(GuestThread.mostOperations), 500, command == 3 ? 20 : Int32(clamping: sets.objects.count),
                SemaphoreSet.highest, command == 3 ? SemaphoreSet.highest : Int32(clamping: used),
            ] as [Int32] {
                writer.put(number)
            }
            try copyOut(writer.bytes, to: argument)
            return max(0, sets.highest)
        case 11...17: return try values(of: try set(id), index, command, argument)
        default: throw .EINVAL
        }
    }

    /// The commands that look at values or set them.
    private func values(
        of set: SemaphoreSet, _ index: Int32, _ command: Int32, _ argument: UInt
    ) throws(Errno) -> Int {
        // GETALL, SETALL
        if command == 13 || command == 17 {
            try set.permission.check(command == 13 ? 0o444 : 0o222, for: credentials)
            if command == 13 {
                var writer = ByteWriter(capacity: set.values.count * 2)
                for value in set.values { writer.put(UInt16(clamping: value)) }
                try copyOut(writer.bytes, to: argument)
                return 0
            }
            var reader = ByteReader(try copyIn(set.values.count * 2, from: argument))
            var new: [Int: Int32] = [:]
            for place in set.values.indices {
                let value = Int32(reader.take(UInt16.self))
                guard value <= SemaphoreSet.highest else { throw .ERANGE }
                new[place] = value
            }
            set.set(new, by: process)
            set.changeTime = seconds
            return 0
        }
        let value = Int32(truncatingIfNeeded: argument)
        if command == 16 { guard (0...SemaphoreSet.highest).contains(value) else { throw .ERANGE } }
        guard index >= 0, index < set.values.count else { throw .EINVAL }
        let place = Int(index)
        try set.permission.check(command == 16 ? 0o222 : 0o444, for: credentials)
        switch command {
        // GETPID, GETVAL, GETNCNT, GETZCNT, SETVAL
        case 11: return Int(set.processes[place])
        case 12: return Int(set.values[place])
        case 14: return set.waiting(at: place, forZero: false)
        case 15: return set.waiting(at: place, forZero: true)
        default:
            set.set([place: value], by: process)
            set.changeTime = seconds
            return 0
        }
    }
}
