internal import HostSystem
package import VFS

/// `PROT_*` of `mmap(2)`.
package struct Protection: OptionSet, Hashable, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    package static let read = Protection(rawValue: 1)
    package static let write = Protection(rawValue: 2)
    package static let execute = Protection(rawValue: 4)
}

/// `MAP_*` of `mmap(2)`.
package struct MapFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let shared = MapFlags(rawValue: 0x01)
    package static let `private` = MapFlags(rawValue: 0x02)
    package static let typeMask: UInt32 = 0x0f
    package static let sharedValidate: UInt32 = 0x03
    /// What `MAP_SHARED_VALIDATE` knows for every file: Linux's `LEGACY_MAP_MASK`, which has no MAP_FIXED_NOREPLACE.
    package static let validated: UInt32 = 0x7c07_f9f3
    package static let fixed = MapFlags(rawValue: 0x10)
    package static let anonymous = MapFlags(rawValue: 0x20)
    package static let growsDown = MapFlags(rawValue: 0x100)
    /// Means nothing, and loaders ask for it.
    package static let denyWrite = MapFlags(rawValue: 0x800)
    package static let locked = MapFlags(rawValue: 0x2000)
    package static let noReserve = MapFlags(rawValue: 0x4000)
    package static let populate = MapFlags(rawValue: 0x8000)
    package static let stack = MapFlags(rawValue: 0x20000)
    package static let hugeTLB = MapFlags(rawValue: 0x40000)
    package static let fixedNoReplace = MapFlags(rawValue: 0x100000)
}

/// What stands behind the pages of a mapping.
package final class MappedObject {
    /// The open file that was mapped, kept open by the mapping; nil for shared anonymous memory.
    package let file: OpenFile?
    /// The host descriptor that the stub maps.
    package let descriptor: Int32
    private let ownsDescriptor: Bool
    package let canWriteShared: Bool

    package init(file: OpenFile?, descriptor: Int32, ownsDescriptor: Bool, canWriteShared: Bool) {
        self.file = file
        self.descriptor = descriptor
        self.ownsDescriptor = ownsDescriptor
        self.canWriteShared = canWriteShared
        file?.retain()
    }

    deinit {
        file?.release()
        guard ownsDescriptor else { return }
        // Whatever a guest has kept of it, the memory goes.
        try? Host.truncate(descriptor, to: 0)
        Host.close(descriptor)
    }
}

/// One stretch of a guest's address space with one set of properties. Linux's `vm_area_struct`.
package struct VMA {
    package var start: UInt
    /// Past the last byte.
    package var end: UInt
    package var protection: Protection {
        didSet { isAccounted = isAccounted || isPrivatelyWritable }
    }
    package var isShared: Bool
    package var object: MappedObject?
    /// Where in the object `start` is.
    package var offset: UInt
    package var isGrowable = false
    /// `[heap]`, `[stack]`, `[vdso]` and the like, as `/proc/pid/maps` shows them.
    package var label: StaticString?
    /// `MADV_DONTFORK`.
    package var isKeptFromChildren = false
    package var isLocked = false
    /// Whether it counts as memory that may be used: what once was private and writable stays so (`VM_ACCOUNT`), and does
    /// not join what never was.
    private var isAccounted = false

    private var isPrivatelyWritable: Bool { protection.contains(.write) && !isShared }

    package var length: UInt { end - start }

    /// Private memory without a file, which its thread may read or write and nothing else.
    var isPlain: Bool { object == nil && isPrivateData }

    /// The same, or with one.
    var isPrivateData: Bool {
        !isShared && !isGrowable && !isLocked && label == nil && !isKeptFromChildren
            && !protection.contains(.execute)
    }

    package init(
        start: UInt, end: UInt, protection: Protection, isShared: Bool, object: MappedObject?, offset: UInt
    ) {
        self.start = start
        self.end = end
        self.protection = protection
        self.isShared = isShared
        self.object = object
        self.offset = offset
        isAccounted = isPrivatelyWritable
    }

    /// The part of this area from `from` to `to`, which lie inside.
    package func part(from: UInt, to: UInt) -> VMA {
        var part = self
        part.offset = offset + (from - start)
        part.start = from
        part.end = to
        return part
    }

    /// True if `next` continues this area and both can be one.
    func continues(in next: VMA) -> Bool {
        guard end == next.start, protection == next.protection, isShared == next.isShared,
            isGrowable == next.isGrowable, isKeptFromChildren == next.isKeptFromChildren, isLocked == next.isLocked,
            isAccounted == next.isAccounted, object === next.object
        else { return false }
        if label?.description != next.label?.description { return false }
        return object == nil || offset + length == next.offset
    }
}
