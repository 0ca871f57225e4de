internal import Kernel
internal import LinuxABI

/// msgget(2), msgsnd(2), msgrcv(2), msgctl(2).
extension GuestThread {
    private static let noWait: Int32 = 0o4000
    /// `MSG_NOERROR`, `MSG_EXCEPT`, `MSG_COPY`
    private static let cutsOff: Int32 = 0o10000
    private static let except: Int32 = 0o20000
    private static let copy: Int32 = 0o40000
    /// Bytes of all messages together: they lie in the kernel's own memory.
    private static let mostBytes: UInt64 = 64 << 20

    func msgget(_ key: Int32, _ flags: Int32) throws(Errno) -> Int {
        let id = try kernel.messageQueues.get(
            key: key, flags: flags, for: credentials, check: { (_) throws(Errno) in }
        ) { () throws(Errno) in
            MessageQueue(IPCPermission(key: key, mode: UInt32(flags & 0o777), creator: credentials), now: seconds)
        }
        return Int(id)
    }

    /// A queue that was there when the call began is EIDRM when it has gone, another EINVAL.
    private func queue(_ id: Int32) throws(Errno) -> MessageQueue {
        guard let queue = kernel.messageQueues.find(id) else { throw restart.isAgain ? .EIDRM : .EINVAL }
        return queue
    }

    func msgsnd(_ id: Int32, _ address: UInt, _ size: UInt, _ flags: Int32) throws(Errno) -> Int {
        let type: Int = try copyIn(Int.self, from: address)
        guard id >= 0, size <= UInt(MessageQueue.longest), type > 0 else { throw .EINVAL }
        let bytes = try copyIn(Int(size), from: address &+ 8)
        let queue = try queue(id)
        try queue.permission.check(0o222, for: credentials)
        guard kernel.messageQueues.weight < GuestThread.mostBytes else { throw .ENOMEM }
        guard queue.send(MessageQueue.Message(type: type, bytes: bytes)) else {
            guard flags & GuestThread.noWait == 0 else { throw .EAGAIN }
            throw park(on: [queue.departures], interrupted: .ERESTARTNOHAND)
        }
        kernel.messageQueues.weight += UInt64(size) + MessageQueue.overhead
        queue.lastSender = process.id.rawValue
        queue.sendTime = seconds
        return 0
    }

    func msgrcv(_ id: Int32, _ address: UInt, _ size: UInt, _ type: Int, _ flags: Int32) throws(Errno) -> Int {
        guard id >= 0, Int(bitPattern: size) >= 0 else { throw .EINVAL }
        let copies = flags & GuestThread.copy != 0
        if copies { guard flags & GuestThread.except == 0, flags & GuestThread.noWait != 0 else { throw .EINVAL } }
        let queue = try queue(id)
        try queue.permission.check(0o444, for: credentials)
        let found =
            copies
            ? queue.messages.indices.contains(type) ? type : nil
            : queue.index(ofType: type, except: flags & GuestThread.except != 0)
        guard let found else {
            guard flags & GuestThread.noWait == 0 else { throw .ENOMSG }
            throw park(on: [queue.arrivals], interrupted: .ERESTARTNOHAND)
        }
        let length = queue.messages[found].bytes.count
        guard UInt(length) <= size || flags & GuestThread.cutsOff != 0 else { throw .E2BIG }
        let message = copies ? queue.messages[found] : queue.take(at: found)
        if !copies {
            kernel.messageQueues.weight -= UInt64(length) + MessageQueue.overhead
            queue.lastReceiver = process.id.rawValue
            queue.receiveTime = seconds
        }
        try copyOut(integer: message.type, to: address)
        let part = Array(message.bytes.prefix(Int(min(size, UInt(length)))))
        try copyOut(part, to: address &+ 8)
        return part.count
    }

    func msgctl(_ id: Int32, _ command: Int32, _ address: UInt) throws(Errno) -> Int {
        guard id >= 0, command >= 0 else { throw .EINVAL }
        let queues = kernel.messageQueues
        switch command {
        // IPC_RMID
        case 0:
            let queue = try queue(id)
            try queue.permission.checkOwner(credentials)
            queues.remove(id)
            queues.weight -= queue.weight
            queue.wakeAll()
            return 0
        // IPC_SET
        case 1:
            var reader = ByteReader(try copyIn(120, from: address))
            let queue = try queue(id)
            try queue.permission.checkOwner(credentials)
            readOwner(&reader, into: &queue.permission)
            reader.skip(24 + 24 + 16)
            let capacity: UInt64 = reader.take()
            guard capacity <= MessageQueue.room || credentials.has(capability: CapabilityNumber.resource) else {
                throw .EPERM
            }
            queue.capacity = min(capacity, 1 << 31 - 1)
            queue.changeTime = seconds
            queue.wakeAll()
            return 0
        // IPC_STAT, MSG_STAT, MSG_STAT_ANY
        case 2, 11, 13:
            let found =
                command == 2 ? kernel.messageQueues.find(id).map { (id: id, object: $0) } : queues.object(at: id)
            guard let found else { throw .EINVAL }
            let queue = found.object
            if command != 13 { try queue.permission.check(0o444, for: credentials) }
            var writer = ByteWriter(capacity: 120)
            write(queue.permission, id: found.id, to: &writer)
            for time in [queue.sendTime, queue.receiveTime, queue.changeTime] { writer.put(time) }
            for number in [queue.byteCount, UInt64(queue.messages.count), queue.capacity] { writer.put(number) }
            writer.put(queue.lastSender)
            writer.put(queue.lastReceiver)
            writer.pad(to: 120)
            try copyOut(writer.bytes, to: address)
            return command == 2 ? 0 : Int(found.id)
        // IPC_INFO, MSG_INFO: what there may be, or what there is
        case 3, 12:
            let all = queues.objects
            let messages = all.reduce(0) { $0 + $1.messages.count }
            let bytes = all.reduce(UInt64(0)) { $0 + $1.byteCount }
            var writer = ByteWriter(capacity: 32)
            writer.put(command == 3 ? 512_000 : Int32(clamping: all.count))
            writer.put(command == 3 ? 16384 : Int32(clamping: messages))
            for number in [Int32(MessageQueue.longest), Int32(MessageQueue.room), 32000, 16] { writer.put(number) }
            writer.put(command == 3 ? 16384 : Int32(clamping: bytes))
            writer.put(UInt16.max)
            writer.pad(to: 32)
            try copyOut(writer.bytes, to: address)
            return max(0, queues.highest)
        default: throw .EINVAL
        }
    }
}
