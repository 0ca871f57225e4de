internal import Kernel
internal import LinuxABI
internal import VFS

/// What travels beside the bytes of a message. See `cmsg(3)`, `unix(7)`.
extension GuestThread {
    private static let socketLevel: Int32 = 1
    private static let rights: Int32 = 1
    private static let credentialsType: Int32 = 2
    /// Of a `cmsghdr`: length, level, type.
    private static let headerSize = 16
    /// `SCM_MAX_FD`.
    private static let maximumRights = 253
    /// The most control bytes of one message (`net.core.optmem_max`).
    private static let maximumControl = 131_072

    /// Reads the control messages of a `sendmsg(2)`. Throws EINVAL, EBADF, EPERM, ENOBUFS.
    func readControl(_ address: UInt, _ length: UInt, into message: inout OutgoingMessage) throws(Errno) {
        guard length <= UInt(GuestThread.maximumControl) else { throw .ENOBUFS }
        let bytes = try copyIn(Int(length), from: address)
        var start = 0
        while bytes.count - start >= GuestThread.headerSize {
            var reader = ByteReader(bytes, from: start)
            let size: UInt = reader.take()
            let level: Int32 = reader.take()
            let type: Int32 = reader.take()
            guard size >= UInt(GuestThread.headerSize), size <= UInt(bytes.count - start) else { throw .EINVAL }
            let data = reader.take(count: Int(size) - GuestThread.headerSize)
            if level == GuestThread.socketLevel {
                switch type {
                case GuestThread.rights: try readRights(data, into: &message)
                case GuestThread.credentialsType: message.credentials = try readCredentials(data)
                default: throw .EINVAL
                }
            }
            start += (Int(size) + 7) & ~7
        }
    }

    private func readRights(_ data: [UInt8], into message: inout OutgoingMessage) throws(Errno) {
        let count = data.count / 4
        guard count + message.rights.count <= GuestThread.maximumRights else { throw .EINVAL }
        var reader = ByteReader(data)
        for _ in 0..<count { message.rights.append(try files.file(FileNumber(reader.take(Int32.self)))) }
    }

    /// Nobody passes for somebody else without the right to. Throws EPERM, EINVAL.
    private func readCredentials(_ data: [UInt8]) throws(Errno) -> SocketCredentials {
        guard data.count == 12 else { throw .EINVAL }
        var reader = ByteReader(data)
        let given = SocketCredentials(
            processID: ProcessID(reader.take(Int32.self)), userID: reader.take(), groupID: reader.take())
        let own = credentials
        let mayBeAny = own.has(capability: CapabilityNumber.systemAdministration)
        guard given.processID == process.id || mayBeAny else { throw .EPERM }
        let users = [own.userID, own.effectiveUserID, own.savedUserID]
        let groups = [own.groupID, own.effectiveGroupID, own.savedGroupID]
        guard users.contains(given.userID) || own.has(capability: CapabilityNumber.setUserID),
            groups.contains(given.groupID) || own.has(capability: CapabilityNumber.setGroupID)
        else { throw .EPERM }
        guard given.processID == process.id || kernel.processes[given.processID] != nil else { throw .ESRCH }
        return given
    }

    /// Stores what came beside the bytes, installing the open files that there is room for.
    /// - Returns: how many control bytes were stored, and whether something had no room.
    func writeControl(
        _ message: ReceivedMessage, to address: UInt, room: Int, closeOnExec: Bool
    ) throws(Errno) -> (count: Int, isTruncated: Bool) {
        var used = 0
        var isTruncated = false
        defer { for file in message.rights { file.release() } }
        if let sender = message.credentials {
            let data = sender.encoded
            let size = GuestThread.headerSize + data.count
            if room >= GuestThread.headerSize {
                let stored = min(size, room)
                isTruncated = stored < size
                try copyOut(
                    Array(control(GuestThread.credentialsType, data, length: stored).prefix(stored)), to: address)
                used = min((size + 7) & ~7, room)
            } else {
                isTruncated = true
            }
        }
        guard !message.rights.isEmpty else { return (used, isTruncated) }
        let fits = max(0, room - used - GuestThread.headerSize) / 4
        var numbers: [Int32] = []
        for file in message.rights.prefix(fits) {
            let limit = process.limits.openFiles
            guard let number = try? files.install(file, closeOnExec: closeOnExec, limit: limit) else { break }
            numbers.append(number.rawValue)
        }
        if numbers.count < message.rights.count { isTruncated = true }
        guard !numbers.isEmpty else { return (used, isTruncated) }
        var writer = ByteWriter()
        for number in numbers { writer.put(number) }
        let size = GuestThread.headerSize + writer.bytes.count
        try copyOut(control(GuestThread.rights, writer.bytes, length: size), to: address &+ UInt(used))
        used += min((size + 7) & ~7, room - used)
        return (used, isTruncated)
    }

    private func control(_ type: Int32, _ data: [UInt8], length: Int) -> [UInt8] {
        var writer = ByteWriter(capacity: GuestThread.headerSize + data.count)
        writer.put(UInt64(length))
        writer.put(GuestThread.socketLevel)
        writer.put(type)
        writer.put(data)
        return writer.bytes
    }
}
