internal import Kernel
internal import LinuxABI

/// What the three kinds of System V objects have in common.
extension GuestThread {
    /// What their times are told in.
    var seconds: Int64 { kernel.clock.realTime.seconds }

    /// The first 48 bytes of what the `_STAT` commands give.
    func write(_ permission: IPCPermission, id: Int32, to writer: inout ByteWriter) {
        writer.put(permission.key)
        for number in [
            permission.userID, permission.groupID, permission.creatorUserID, permission.creatorGroupID, permission.mode,
        ] {
            writer.put(number)
        }
        writer.put(UInt16(truncatingIfNeeded: id / 32768))
        writer.pad(to: 48)
    }

    /// The first 24 bytes of what `IPC_SET` takes.
    func readOwner(_ reader: inout ByteReader, into permission: inout IPCPermission) {
        reader.skip(4)
        permission.userID = reader.take()
        permission.groupID = reader.take()
        reader.skip(8)
        permission.mode = reader.take(UInt32.self) & 0o777
    }
}

extension SyscallRow {
    /// System V message queues and semaphores.
    static let systemV: [SyscallRow] = [
        implement(Linux.msgget) { (t, key, flags) throws(Errno) in try t.msgget(key, flags) },
        implement(Linux.msgsnd) { (t, id, message, size, flags) throws(Errno) in
            try t.msgsnd(id, message.address, size, flags)
        },
        implement(Linux.msgrcv) { (t, id, message, size, type, flags) throws(Errno) in
            try t.msgrcv(id, message.address, size, type, flags)
        },
        implement(Linux.msgctl) { (t, id, command, buffer) throws(Errno) in try t.msgctl(id, command, buffer.address) },
        implement(Linux.semget) { (t, key, count, flags) throws(Errno) in try t.semget(key, count, flags) },
        implement(Linux.semop) { (t, id, operations, count) throws(Errno) in
            try t.semop(id, operations.address, count, timeout: 0)
        },
        implement(Linux.semtimedop) { (t, id, operations, count, timeout) throws(Errno) in
            try t.semop(id, operations.address, count, timeout: timeout.address)
        },
        implement(Linux.semctl) { (t, id, index, command, argument) throws(Errno) in
            try t.semctl(id, index, command, argument)
        },
    ]

    /// System V shared memory.
    static let sharedMemory: [SyscallRow] = [
        implement(Linux.shmget) { (t, key, size, flags) throws(Errno) in try t.shmget(key, size, flags) },
        implement(Linux.shmat) { (t, id, address, flags) throws(Errno) in try t.shmat(id, address.address, flags) },
        implement(Linux.shmdt) { (t, address) throws(Errno) in try t.shmdt(address.address) },
        implement(Linux.shmctl) { (t, id, command, buffer) throws(Errno) in try t.shmctl(id, command, buffer.address) },
    ]
}
