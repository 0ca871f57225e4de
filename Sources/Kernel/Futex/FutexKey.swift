internal import GuestMemory
package import LinuxABI
internal import VFS

/// Which word a futex is: the same for every address under which the word is mapped.
package struct FutexKey: Hashable {
    /// The address space, or the object whose pages are shared. Kept alive, so that no other takes its place.
    private let space: AnyObject
    /// The address, or the offset in the object.
    private let offset: UInt

    package init(space: AnyObject, offset: UInt) {
        self.space = space
        self.offset = offset
    }

    package static func == (left: FutexKey, right: FutexKey) -> Bool {
        left.space === right.space && left.offset == right.offset
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(space))
        hasher.combine(offset)
    }
}

extension GuestThread {
    /// The futex at the address; `isPrivate` is `FUTEX_PRIVATE_FLAG`: only threads of this address space use it. Throws
    /// EINVAL where the address is not a multiple of 4, EFAULT where no memory is.
    package func futexKey(_ address: UInt, isPrivate: Bool) throws(Errno) -> FutexKey {
        guard address % 4 == 0 else { throw .EINVAL }
        guard address < GuestThread.futexAddressLimit else { throw .EFAULT }
        guard let map else { return FutexKey(space: memory, offset: address) }
        guard !isPrivate else { return FutexKey(space: map, offset: address) }
        // The page itself is what such a futex goes by: there has to be one that may be looked at.
        guard let area = map.areas.area(at: address), !area.protection.isEmpty else { throw .EFAULT }
        // Nobody ever changes a word of anonymous memory that cannot be written.
        guard area.object != nil || area.protection.contains(.write) else { throw .EFAULT }
        guard area.isShared, let object = area.object else { return FutexKey(space: map, offset: address) }
        return FutexKey(
            space: object.file?.operations.inode ?? object, offset: area.offset &+ (address - area.start))
    }

    private static let futexAddressLimit: UInt = 0x7fff_ffff_f000

    /// Reads the futex word. Throws EFAULT.
    package func futexWord(_ address: UInt) throws(Errno) -> UInt32 { try copyIn(UInt32.self, from: address) }
}
