internal import Kernel
internal import LinuxABI
internal import VFS

/// getsockopt(2), setsockopt(2) at the level of sockets. See `socket(7)`.
extension GuestThread {
    private static let socketLevel: Int32 = 1
    /// `net.core.wmem_max`, `net.core.rmem_max`.
    private static let maximumBuffer = 212_992
    private static let minimumSendBuffer = 4608
    private static let minimumReceiveBuffer = 2304

    /// Options that are on or off and change nothing for sockets within one machine: SO_DEBUG, REUSEADDR, DONTROUTE,
    /// BROADCAST, KEEPALIVE, OOBINLINE, REUSEPORT, TIMESTAMP, PASSSEC, TIMESTAMPNS, RXQ_OVFL, NOFCS, LOCK_FILTER.
    private static let switches: Set<Int32> = [1, 2, 5, 6, 9, 10, 15, 29, 34, 35, 40, 43, 44]

    func getsockopt(
        _ number: FileNumber, _ level: Int32, _ name: Int32, _ value: UInt, _ length: UInt
    ) throws(Errno) -> Int {
        let socket = try socket(number).socket
        let room: Int32 = try copyIn(Int32.self, from: length)
        guard level == GuestThread.socketLevel else {
            let bytes = try socket.familyOption(level, name)
            try copyOut(Array(bytes.prefix(Int(max(0, room)))), to: value)
            try copyOut(integer: Int32(bytes.count), to: length)
            return 0
        }
        guard room >= 0 else { throw .EINVAL }
        let bytes = try option(name, of: socket)
        // Groups either have room or say how much they need.
        if name == 59, bytes.count > Int(room) {
            try copyOut(integer: Int32(bytes.count), to: length)
            throw .ERANGE
        }
        let stored = bytes.prefix(Int(room))
        try copyOut(Array(stored), to: value)
        try copyOut(integer: Int32(stored.count), to: length)
        return 0
    }

    private func option(_ name: Int32, of socket: any Socket) throws(Errno) -> [UInt8] {
        let options = socket.options
        if GuestThread.switches.contains(name) { return integer(options.switches.contains(name) ? 1 : 0) }
        switch name {
        case 3: return integer(socket.type.rawValue)
        case 4: return integer(socket.takeError())
        case 7: return integer(Int32(clamping: options.sendBuffer))
        case 8: return integer(Int32(clamping: options.receiveBuffer))
        case 12: return integer(options.priority)
        case 13: return integer(options.linger == nil ? 0 : 1) + integer(options.lingerSeconds)
        case 16: return integer(options.passesCredentials ? 1 : 0)
        case 17: return (socket.peerCredentials ?? .none).encoded
        case 18: return integer(options.receiveLowWater)
        case 19: return integer(1)
        case 20, 66: return timeout(options.receiveTimeout)
        case 21, 67: return timeout(options.sendTimeout)
        case 28: return try socket.peerAddress()
        case 30: return integer(socket.isListening ? 1 : 0)
        case 38: return integer(socket.protocolNumber)
        case 39: return integer(socket.domain)
        default: throw .ENOPROTOOPT
        }
    }

    private func integer(_ value: Int32) -> [UInt8] {
        var writer = ByteWriter(capacity: 4)
        writer.put(value)
        return writer.bytes
    }

    /// A `struct timeval`; zero for none.
    private func timeout(_ value: Timestamp?) -> [UInt8] { TimeValue(value ?? Timestamp()).encoded }

    func setsockopt(
        _ number: FileNumber, _ level: Int32, _ name: Int32, _ value: UInt, _ length: Int32
    ) throws(Errno) -> Int {
        guard length >= 0 else { throw .EINVAL }
        let socket = try socket(number).socket
        guard level == GuestThread.socketLevel else {
            try socket.setFamilyOption(level, name, to: try copyIn(min(Int(length), 4096), from: value))
            return 0
        }
        // SO_BINDTODEVICE takes a name.
        if name == 25 { throw .ENOPROTOOPT }
        guard length >= 4 else { throw .EINVAL }
        let number: Int32 = try copyIn(Int32.self, from: value)
        try setOption(name, to: number, value, length, of: socket)
        return 0
    }

    private func setOption(
        _ name: Int32, to number: Int32, _ value: UInt, _ length: Int32, of socket: any Socket
    ) throws(Errno) {
        if GuestThread.switches.contains(name) {
            if number != 0 { socket.options.switches.insert(name) } else { socket.options.switches.remove(name) }
            return
        }
        switch name {
        case 7, 32:
            try requireForce(name == 32)
            socket.options.sendBuffer = doubled(number, least: GuestThread.minimumSendBuffer, forced: name == 32)
            socket.waitQueue?.wake(.writable)
        case 8, 33:
            try requireForce(name == 33)
            socket.options.receiveBuffer = doubled(number, least: GuestThread.minimumReceiveBuffer, forced: name == 33)
        case 12:
            let isFree = (0...6).contains(number)
            guard isFree || credentials.has(capability: 12) else { throw .EPERM }
            socket.options.priority = number
        case 13:
            guard length >= 8 else { throw .EINVAL }
            let seconds: Int32 = try copyIn(Int32.self, from: value &+ 4)
            socket.options.linger = number != 0 ? seconds : nil
            if number != 0 { socket.options.lingerSeconds = seconds }
        case 16: socket.options.passesCredentials = number != 0
        case 18: socket.options.receiveLowWater = number < 0 ? .max : max(1, number)
        case 20, 66: socket.options.receiveTimeout = try copyInTimeout(value, length)
        case 21, 67: socket.options.sendTimeout = try copyInTimeout(value, length)
        default: throw .ENOPROTOOPT
        }
    }

    /// `SO_SNDBUFFORCE`, `SO_RCVBUFFORCE` are the administrator's.
    private func requireForce(_ isForced: Bool) throws(Errno) {
        if isForced, !credentials.has(capability: 12) { throw .EPERM }
    }

    /// The kernel doubles what is asked for, to leave room for its own needs.
    private func doubled(_ number: Int32, least: Int, forced: Bool) -> Int {
        let wanted = forced ? max(0, Int(number)) : min(Int(UInt32(bitPattern: number)), GuestThread.maximumBuffer)
        // What a forced buffer holds is memory of the kernel's.
        return max(least, min(wanted * 2, 16 << 20))
    }

    /// Throws EDOM for microseconds out of their range; zero, or less, waits for ever.
    private func copyInTimeout(_ address: UInt, _ length: Int32) throws(Errno) -> Timestamp? {
        guard length >= 16 else { throw .EINVAL }
        let time = try copyIn(TimeValue.self, from: UserPointer<Opaque>(address))
        guard (0..<1_000_000).contains(time.microseconds) else { throw .EDOM }
        // A negative time is over at once.
        if time.seconds < 0 { return Timestamp() }
        guard time.seconds != 0 || time.microseconds != 0 else { return nil }
        // Linux counts in ticks, 250 a second as Debian builds it, and rounds up.
        let ticks = (time.microseconds + 3999) / 4000
        return Timestamp(seconds: min(time.seconds, .max - 1) + ticks / 250, nanoseconds: ticks % 250 * 4_000_000)
    }
}
