/// The flags of `open(2)` and the status flags of an open file description.
package struct OpenFlags: OptionSet, SyscallArgument, Hashable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package init(register: UInt) { rawValue = UInt32(truncatingIfNeeded: register) }

    package static let writeOnly = OpenFlags(rawValue: 0o1)
    package static let readWrite = OpenFlags(rawValue: 0o2)
    package static let create = OpenFlags(rawValue: 0o100)
    package static let exclusive = OpenFlags(rawValue: 0o200)
    package static let noControllingTerminal = OpenFlags(rawValue: 0o400)
    package static let truncate = OpenFlags(rawValue: 0o1000)
    package static let append = OpenFlags(rawValue: 0o2000)
    package static let nonBlocking = OpenFlags(rawValue: 0o4000)
    package static let dataSync = OpenFlags(rawValue: 0o10000)
    package static let async = OpenFlags(rawValue: 0o20000)
    package static let direct = OpenFlags(rawValue: 0o40000)
    package static let largeFile = OpenFlags(rawValue: 0o100000)
    package static let directory = OpenFlags(rawValue: 0o200000)
    package static let noFollow = OpenFlags(rawValue: 0o400000)
    package static let noAccessTime = OpenFlags(rawValue: 0o1000000)
    package static let closeOnExec = OpenFlags(rawValue: 0o2000000)
    package static let sync = OpenFlags(rawValue: 0o4010000)
    package static let pathOnly = OpenFlags(rawValue: 0o10000000)
    /// `__O_TMPFILE` without the `O_DIRECTORY` that user space always sets with it.
    package static let temporaryFileBit = OpenFlags(rawValue: 0o20000000)

    /// `O_ACCMODE`: 0 read only, 1 write only, 2 both, 3 neither (ioctl only).
    package var accessMode: UInt32 { rawValue & 3 }
    package var mayRead: Bool { (accessMode == 0 || accessMode == 2) && !contains(.pathOnly) }
    package var mayWrite: Bool { (accessMode == 1 || accessMode == 2) && !contains(.pathOnly) }

    package var description: String { "0" + String(rawValue, radix: 8) }
}

/// The type and permission bits of a file (`st_mode`). See `inode(7)`.
package struct FileMode: RawRepresentable, SyscallArgument, Hashable {
    package var rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package init(register: UInt) { rawValue = UInt32(truncatingIfNeeded: register) }
    package init(_ kind: FileKind, _ permissions: UInt32) {
        rawValue = kind.rawValue | (permissions & 0o7777)
    }

    /// `S_IFMT`'s part, if it is one of Linux's seven.
    package var kind: FileKind? { FileKind(rawValue: rawValue & 0o170000) }
    /// Permission, set-id and sticky bits.
    package var permissions: UInt32 { rawValue & 0o7777 }

    package var description: String { "0" + String(rawValue, radix: 8) }
}

/// The seven kinds of file, by their `S_IFMT` value.
package enum FileKind: UInt32, Sendable {
    case fifo = 0o010000
    case characterDevice = 0o020000
    case directory = 0o040000
    case blockDevice = 0o060000
    case regular = 0o100000
    case symbolicLink = 0o120000
    case socket = 0o140000

    /// The `d_type` of a directory entry.
    package var directoryEntryType: UInt8 { UInt8(rawValue >> 12) }
}

/// What `poll(2)` and `epoll(7)` wait for; the values are those of both.
package struct PollEvents: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let `in` = PollEvents(rawValue: 0x1)
    package static let priority = PollEvents(rawValue: 0x2)
    package static let out = PollEvents(rawValue: 0x4)
    package static let error = PollEvents(rawValue: 0x8)
    package static let hangUp = PollEvents(rawValue: 0x10)
    package static let invalid = PollEvents(rawValue: 0x20)
    package static let readNormal = PollEvents(rawValue: 0x40)
    package static let readBand = PollEvents(rawValue: 0x80)
    package static let writeNormal = PollEvents(rawValue: 0x100)
    package static let writeBand = PollEvents(rawValue: 0x200)
    package static let readHangUp = PollEvents(rawValue: 0x2000)

    package static let readable: PollEvents = [.in, .readNormal]
    package static let writable: PollEvents = [.out, .writeNormal]
    package static let all = PollEvents(rawValue: ~0)
}
