internal import GuestMemory
internal import Kernel
internal import LinuxABI
internal import VFS

/// pipe(2), eventfd(2) and epoll(7).
extension GuestThread {
    /// See `pipe2(2)`.
    func pipe(_ pointer: UserPointer<Int32>, _ flags: OpenFlags) throws(Errno) -> Int {
        guard flags.subtracting([.closeOnExec, .nonBlocking, .direct]).isEmpty else { throw .EINVAL }
        let node = PipeNode(
            number: kernel.newAnonymousInode(), userID: credentials.fileSystemUserID,
            groupID: credentials.fileSystemGroupID, now: kernel.clock.realTime)
        let pipe = Pipe()
        let status = flags.subtracting(.closeOnExec)
        // Packets are a matter of the writing end.
        let reader = OpenFile(
            PipeEnd(pipe, node: node, reads: true, writes: false), flags: status.subtracting(.direct))
        let writer = OpenFile(
            PipeEnd(pipe, node: node, reads: false, writes: true), flags: status.union(.writeOnly))
        return try installPair(reader, writer, closeOnExec: flags.contains(.closeOnExec), pointer.address)
    }

    /// Installs two files and stores their numbers; neither stays when the second cannot be installed or stored.
    func installPair(
        _ first: OpenFile, _ second: OpenFile, closeOnExec: Bool, _ address: UInt
    ) throws(Errno) -> Int {
        let limit = process.limits.openFiles
        let one: FileNumber
        do throws(Errno) {
            one = try files.install(first, closeOnExec: closeOnExec, limit: limit)
        } catch {
            discard(first)
            discard(second)
            throw error
        }
        var two: FileNumber?
        do throws(Errno) {
            let number = try files.install(second, closeOnExec: closeOnExec, limit: limit)
            two = number
            var writer = ByteWriter(capacity: 8)
            writer.put(one.rawValue)
            writer.put(number.rawValue)
            try copyOut(writer.bytes, to: address)
        } catch {
            if let file = try? files.remove(one) { file.release() }
            if let two, let file = try? files.remove(two) { file.release() } else { discard(second) }
            throw error
        }
        return 0
    }

    private func discard(_ file: OpenFile) {
        file.retain()
        file.release()
    }

    func eventfd(_ value: UInt32, _ flags: Int32) throws(Errno) -> Int {
        guard flags & ~0o2_004_001 == 0 else { throw .EINVAL }
        let node = AnonymousNode(kernel.newAnonymousInode(), label: "[eventfd]")
        let file = OpenFile(
            EventFile(UInt64(value), isSemaphore: flags & 1 != 0, node: node),
            flags: OpenFlags([.readWrite]).union(flags & 0o4000 != 0 ? .nonBlocking : []))
        return try install(file, closeOnExec: flags & 0o2_000_000 != 0)
    }

    // MARK: epoll

    func epollCreate(_ flags: Int32) throws(Errno) -> Int {
        guard flags & ~0o2_000_000 == 0 else { throw .EINVAL }
        let node = AnonymousNode(kernel.newAnonymousInode(), label: "[eventpoll]")
        return try install(OpenFile(Epoll(node: node), flags: [.readWrite]), closeOnExec: flags != 0)
    }

    private func epoll(_ number: FileNumber) throws(Errno) -> Epoll {
        guard let epoll = try file(number).operations as? Epoll else { throw .EINVAL }
        return epoll
    }

    /// See `epoll_ctl(2)`: the event is 12 bytes, packed.
    func epollControl(
        _ number: FileNumber, _ operation: Int32, _ target: FileNumber, _ event: UInt
    ) throws(Errno) -> Int {
        var events: UInt32 = 0
        var data: UInt64 = 0
        if operation != 2 {
            var reader = ByteReader(try copyIn(12, from: event))
            events = reader.take()
            data = reader.take()
        }
        let holder = try file(number)
        let watched = try file(target)
        guard watched.operations.waitQueue != nil else { throw .EPERM }
        guard holder !== watched, let epoll = holder.operations as? Epoll else { throw .EINVAL }
        let exclusiveAllowed: UInt32 = 0x1 | 0x4 | 0x8 | 0x10 | 1 << 28 | 1 << 29 | 1 << 31
        if events & Epoll.exclusive != 0, operation == 1, events & ~exclusiveAllowed != 0 { throw .EINVAL }
        switch operation {
        case 1: try epoll.add(target, watched, events: events, data: data)
        case 2: try epoll.remove(target, watched)
        case 3: try epoll.modify(target, watched, events: events, data: data)
        default: throw .EINVAL
        }
        return 0
    }

    /// `isPlain` without a mask of its own.
    func epollWait(
        _ number: FileNumber, _ events: UInt, _ limit: Int32, _ deadline: MonotonicTime?, isPlain: Bool
    ) throws(Errno) -> Int {
        guard limit > 0, limit <= Int32.max / 12 else { throw .EINVAL }
        let epoll = try epoll(number)
        let taken = try take(from: epoll, min(Int(limit), 4096), to: events)
        guard taken > 0 || isOver(deadline) else {
            guard let queue = epoll.waitQueue else { throw .EINVAL }
            throw park(on: [queue], until: deadline, interrupted: .EINTR, exclusive: true)
        }
        if isPlain { tellReadiness(of: epoll, at: number) }
        return taken
    }

    /// Without looking at the clock for who does not wait.
    private func isOver(_ deadline: MonotonicTime?) -> Bool {
        guard let deadline else { return false }
        return deadline.nanoseconds == 0 || deadline <= kernel.clock.now
    }

    private func take(from epoll: Epoll, _ limit: Int, to address: UInt) throws(Errno) -> Int {
        let most = min(limit, epoll.mostEvents)
        guard most > 0 else { return 0 }
        let size = most * Epoll.eventSize
        let produced = try memory.produce(size, at: address) { output throws(Errno) in
            _ = epoll.take(most, into: &output)
        }
        if let produced { return produced / Epoll.eventSize }
        let bytes = [UInt8](capacity: size) { output in _ = epoll.take(most, into: &output) }
        try copyOut(bytes, to: address)
        return bytes.count / Epoll.eventSize
    }

    func epollWait(
        _ number: FileNumber, _ events: UInt, _ limit: Int32, milliseconds: Int32, _ mask: UInt = 0, _ size: UInt = 0
    ) throws(Errno) -> Int {
        var timeout: Timestamp?
        if milliseconds >= 0 {
            timeout = Timestamp(
                seconds: Int64(milliseconds / 1000), nanoseconds: Int64(milliseconds % 1000) * 1_000_000)
        }
        let end = try deadline(after: timeout)
        try swapMask(mask, size)
        return try epollWait(number, events, limit, end, isPlain: mask == 0)
    }
}
