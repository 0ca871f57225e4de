package import LinuxABI

/// Guest memory whose words the kernel can change without losing what the guest's threads write meanwhile.
package protocol AtomicGuestMemory: GuestMemory {
    /// Stores `new` in the 32-bit word at the address, a multiple of 4, if `old` stands there.
    /// - Returns: what stood there. Throws EFAULT.
    func compareExchange(at address: UInt, _ old: UInt32, with new: UInt32) throws(Errno) -> UInt32
}

extension FlatMemory: AtomicGuestMemory {
    package func compareExchange(at address: UInt, _ old: UInt32, with new: UInt32) throws(Errno) -> UInt32 {
        let bytes = try [UInt8](capacity: 4) { output throws(Errno) in try read(4, at: address, into: &output) }
        var reader = ByteReader(bytes)
        let found: UInt32 = reader.take()
        guard found == old else { return found }
        var writer = ByteWriter(capacity: 4)
        writer.put(new)
        try write(writer.bytes.span, at: address)
        return found
    }
}
