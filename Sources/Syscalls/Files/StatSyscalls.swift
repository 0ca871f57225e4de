internal import GuestMemory
internal import HostSystem
internal import Kernel
internal import LinuxABI
internal import VFS

/// stat(2) and its relatives, statx(2), access(2), readlink(2), statfs(2).
extension GuestThread {
    /// `AT_SYMLINK_NOFOLLOW`, `AT_NO_AUTOMOUNT`, `AT_EMPTY_PATH`.
    private static let statFlags: UInt32 = 0x100 | 0x800 | 0x1000

    private func walkOptions(_ flags: UInt32) -> WalkOptions {
        let follows = flags & 0x100 == 0 ? WalkOptions.followLast.rawValue : 0
        let allows = flags & 0x1000 != 0 ? WalkOptions.allowEmpty.rawValue : 0
        return WalkOptions(rawValue: follows | allows)
    }

    /// A path that may be empty when the flags allow it, with NULL standing for the empty one as newer Linux has it.
    private func path(_ pointer: UserString, flags: UInt32) throws(Errno) -> [UInt8] {
        if pointer.isNull, flags & 0x1000 != 0 { return [] }
        return try copyInPath(from: pointer)
    }

    func stat(_ pointer: UserString, _ buffer: UInt, follow: Bool) throws(Errno) -> Int {
        try statAt(.currentDirectory, pointer, buffer, follow ? 0 : 0x100)
    }

    /// See `fstatat(2)`.
    func statAt(
        _ directory: FileNumber, _ pointer: UserString, _ buffer: UInt, _ flags: UInt32
    ) throws(Errno) -> Int {
        guard flags & ~GuestThread.statFlags == 0 else { throw .EINVAL }
        memory.prepareResult(StatBuffer.size)
        let path = try path(pointer, flags: flags)
        if path.isEmpty, flags & 0x1000 != 0, directory != .currentDirectory { return try fstat(directory, buffer) }
        var walk = try walk(directory, path, walkOptions(flags))
        let dentry: Dentry
        do throws(Errno) {
            dentry = try walk.resolve(path)
        } catch {
            if error == .ENOENT, walk.isSteady {
                tellStatus(directory, path, follows: flags & 0x100 == 0, nil, StatBuffer.words)
            }
            throw error
        }
        let attributes = try dentry.inode.attributes()
        if walk.isSteady { tellStatus(directory, path, follows: flags & 0x100 == 0, dentry, StatBuffer.words) }
        return try storeStat(attributes, buffer)
    }

    func fstat(_ number: FileNumber, _ buffer: UInt) throws(Errno) -> Int {
        memory.prepareResult(StatBuffer.size)
        return try storeStat(try files.file(number).operations.inode.attributes(), buffer)
    }

    /// `struct stat`, put together where the guest's stub takes it from.
    private func storeStat(_ attributes: FileAttributes, _ buffer: UInt) throws(Errno) -> Int {
        let words = StatBuffer.words(of: attributes)
        let size = StatBuffer.size
        if try memory.produce(size, at: buffer, { output throws(Errno) in output.append(words: words.span) }) == nil {
            try copyOut([UInt8](capacity: size) { output in output.append(words: words.span) }, to: buffer)
        }
        return 0
    }

    /// `STATX_BTIME`
    private static let statxBirth: UInt32 = 0x800
    /// `STATX_ATTR_MOUNT_ROOT`
    private static let isMountRoot: UInt64 = 0x2000
    /// What could be set, and is not: STATX_ATTR_AUTOMOUNT, MOUNT_ROOT and DAX everywhere; COMPRESSED, IMMUTABLE, APPEND,
    /// NODUMP, ENCRYPTED and VERITY on a disk.
    private static let knownAttributes: UInt64 = 0x20_3000
    private static let diskAttributes: UInt64 = 0x30_3874

    /// See `statx(2)`: 256 bytes.
    func statx(
        _ directory: FileNumber, _ pointer: UserString, _ flags: UInt32, _ mask: UInt32, _ buffer: UInt
    ) throws(Errno) -> Int {
        guard mask & 0x8000_0000 == 0, flags & ~(GuestThread.statFlags | 0x6000) == 0, flags & 0x6000 != 0x6000 else {
            throw .EINVAL
        }
        memory.prepareResult(256)
        let path = try path(pointer, flags: flags)
        let attributes: FileAttributes
        let place: Dentry?
        if path.isEmpty, flags & 0x1000 != 0, directory != .currentDirectory {
            let file = try files.file(directory)
            attributes = try file.operations.inode.attributes()
            place = file.location
        } else {
            let dentry = try resolve(directory, path, walkOptions(flags))
            attributes = try dentry.inode.attributes()
            place = dentry
        }
        // What was not asked for is told all the same, but for the time of birth.
        let hasBirth = mask & GuestThread.statxBirth != 0 && attributes.birthTime != nil
        var writer = ByteWriter(capacity: 256)
        // STATX_BASIC_STATS and STATX_MNT_ID
        writer.put(0x17ff | (hasBirth ? GuestThread.statxBirth : 0))
        writer.put(UInt32(truncatingIfNeeded: attributes.blockSize))
        writer.put(place.map { $0 === $0.mount.root } ?? false ? GuestThread.isMountRoot : 0)
        writer.put(UInt32(truncatingIfNeeded: attributes.links))
        writer.put(attributes.userID)
        writer.put(attributes.groupID)
        writer.put(UInt16(truncatingIfNeeded: attributes.mode.rawValue))
        writer.pad(2)
        writer.put(attributes.inode)
        writer.put(attributes.size)
        writer.put(attributes.blocks)
        writer.put(place?.mount.type == "overlay" ? GuestThread.diskAttributes : GuestThread.knownAttributes)
        for time in [
            attributes.accessTime, hasBirth ? attributes.birthTime ?? Timestamp() : Timestamp(), attributes.changeTime,
            attributes.modificationTime,
        ] {
            writer.put(time.seconds)
            writer.put(UInt32(truncatingIfNeeded: time.nanoseconds))
            writer.pad(4)
        }
        for number in [attributes.representedDevice, attributes.device] {
            writer.put(DeviceNumber(rawValue: number).major)
            writer.put(DeviceNumber(rawValue: number).minor)
        }
        writer.put(UInt64(place?.mount.id ?? 0))
        writer.pad(to: 256)
        try copyOut(writer.bytes, to: buffer)
        return 0
    }

    /// See `faccessat2(2)`.
    func accessAt(
        _ directory: FileNumber, _ pointer: UserString, _ mode: UInt32, _ flags: UInt32 = 0
    ) throws(Errno) -> Int {
        guard mode & ~7 == 0, flags & ~0x1300 == 0 else { throw .EINVAL }
        let path = try path(pointer, flags: flags)
        let credentials = flags & 0x200 != 0 ? fileCredentials : realFileCredentials
        guard !path.isEmpty || flags & 0x1000 != 0 else { throw .ENOENT }
        var walk = PathWalk(
            root: fileSystem.root, start: try start(directory, for: path, allowsFile: flags & 0x1000 != 0),
            credentials: credentials, options: walkOptions(flags))
        let dentry = try walk.resolve(path)
        guard mode != 0 else { return 0 }
        let attributes = try dentry.inode.attributes()
        let access = Access(rawValue: mode)
        if access.contains(.write), dentry.mount.isReadOnly,
            [.regular, .directory, .symbolicLink].contains(dentry.inode.kind)
        {
            throw .EROFS
        }
        try credentials.check(access, attributes)
        return 0
    }

    /// See `readlinkat(2)`.
    func readLinkAt(
        _ directory: FileNumber, _ pointer: UserString, _ buffer: UserPointer<UInt8>, _ size: Int32
    ) throws(Errno) -> Int {
        guard size > 0 else { throw .EINVAL }
        let path = try copyInPath(from: pointer)
        let dentry = try resolve(directory, path, path.isEmpty ? [.allowEmpty] : [])
        guard dentry.inode.kind == .symbolicLink else { throw path.isEmpty ? .ENOENT : .EINVAL }
        let target = try dentry.inode.readLink().prefix(Int(size))
        try copyOut(Array(target), to: buffer.address)
        return target.count
    }

    // MARK: File systems

    func statFS(_ pointer: UserString, _ buffer: UInt) throws(Errno) -> Int {
        try storeStatistics(try resolve(.currentDirectory, try copyInPath(from: pointer)).inode, buffer)
    }

    func fstatFS(_ number: FileNumber, _ buffer: UInt) throws(Errno) -> Int {
        try storeStatistics(try files.file(number).operations.inode, buffer)
    }

    /// `struct statfs`, 120 bytes.
    private func storeStatistics(_ inode: any Inode, _ buffer: UInt) throws(Errno) -> Int {
        let statistics = inode.fileSystemStatistics()
        var writer = ByteWriter(capacity: 120)
        writer.put(statistics.type)
        writer.put(statistics.blockSize)
        writer.put(statistics.blocks)
        writer.put(statistics.freeBlocks)
        writer.put(statistics.freeBlocks)
        writer.put(statistics.files)
        writer.put(statistics.freeFiles)
        writer.put(UInt64(0))
        writer.put(UInt64(255))
        writer.put(statistics.blockSize)
        writer.put(statistics.flags)
        writer.pad(to: 120)
        try copyOut(writer.bytes, to: buffer)
        return 0
    }
}

extension StatBuffer {
    /// The buffer that tells these, as 18 words.
    static func words(of attributes: FileAttributes) -> InlineArray<18, UInt64> {
        [
            attributes.device, attributes.inode, attributes.links,
            UInt64(attributes.mode.rawValue) | UInt64(attributes.userID) << 32, UInt64(attributes.groupID),
            attributes.representedDevice, UInt64(bitPattern: attributes.size), UInt64(bitPattern: attributes.blockSize),
            UInt64(bitPattern: attributes.blocks), UInt64(bitPattern: attributes.accessTime.seconds),
            UInt64(bitPattern: attributes.accessTime.nanoseconds),
            UInt64(bitPattern: attributes.modificationTime.seconds),
            UInt64(bitPattern: attributes.modificationTime.nanoseconds),
            UInt64(bitPattern: attributes.changeTime.seconds), UInt64(bitPattern: attributes.changeTime.nanoseconds),
            0, 0, 0,
        ]
    }
}
