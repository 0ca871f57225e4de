internal import Kernel
internal import LinuxABI

/// capget(2), capset(2).
extension GuestThread {
    private static let firstVersion: UInt32 = 0x1998_0330
    private static let secondVersion: UInt32 = 0x2007_1026
    private static let thirdVersion: UInt32 = 0x2008_0522

    /// Reads `__user_cap_header_struct`: how many 32-bit words each set has, and whose they are. An unknown version is
    /// answered with the one that this kernel prefers. Throws EFAULT, EINVAL.
    private func capabilityHeader(_ address: UInt) throws(Errno) -> (words: Int, id: ProcessID) {
        var reader = ByteReader(try copyIn(8, from: address))
        let version: UInt32 = reader.take()
        let id = ProcessID(reader.take(Int32.self))
        switch version {
        case GuestThread.firstVersion: return (1, id)
        case GuestThread.secondVersion, GuestThread.thirdVersion: return (2, id)
        default:
            try copyOut(integer: GuestThread.thirdVersion, to: address)
            throw .EINVAL
        }
    }

    func capget(_ header: UInt, _ data: UInt) throws(Errno) -> Int {
        let words: Int
        let id: ProcessID
        do throws(Errno) {
            (words, id) = try capabilityHeader(header)
        } catch {
            // Without a place for the sets this only asks for the version.
            guard data == 0, error == .EINVAL else { throw error }
            return 0
        }
        guard data != 0 else { return 0 }
        guard id.rawValue >= 0 else { throw .EINVAL }
        var target = credentials
        if id.rawValue != 0, id != self.id {
            guard let other = kernel.threads[id] else { throw .ESRCH }
            target = other.credentials
        }
        var writer = ByteWriter(capacity: words * 12)
        for word in 0..<words {
            for set in [target.effectiveCapabilities, target.permittedCapabilities, target.inheritableCapabilities] {
                writer.put(UInt32(truncatingIfNeeded: set >> UInt64(32 * word)))
            }
        }
        try copyOut(writer.bytes, to: data)
        return 0
    }

    func capset(_ header: UInt, _ data: UInt) throws(Errno) -> Int {
        let (words, id) = try capabilityHeader(header)
        guard id.rawValue == 0 || id == self.id else { throw .EPERM }
        var reader = ByteReader(try copyIn(words * 12, from: data))
        var sets: [UInt64] = [0, 0, 0]
        for word in 0..<words {
            for index in sets.indices { sets[index] |= UInt64(reader.take(UInt32.self)) << UInt64(32 * word) }
        }
        var new = credentials
        try new.setCapabilities(effective: sets[0], permitted: sets[1], inheritable: sets[2])
        commit(new)
        return 0
    }
}
