internal import Kernel
internal import LinuxABI
internal import VFS

/// chmod(2), chown(2), utimensat(2), truncate(2), fallocate(2) and the extended attributes.
extension GuestThread {
    private func writable(_ dentry: Dentry?) throws(Errno) {
        if let dentry, dentry.mount.isReadOnly { throw .EROFS }
    }

    // MARK: Mode

    func chmodAt(
        _ directory: FileNumber, _ pointer: UserString, _ mode: FileMode, _ flags: UInt32 = 0
    ) throws(Errno) -> Int {
        guard flags & ~0x1100 == 0 else { throw .EINVAL }
        var options: WalkOptions = flags & 0x100 == 0 ? [.followLast] : []
        if flags & 0x1000 != 0 { options.insert(.allowEmpty) }
        let dentry = try resolve(directory, try copyInPath(from: pointer), options)
        try writable(dentry)
        guard dentry.inode.kind != .symbolicLink else { throw .EOPNOTSUPP }
        return try chmod(dentry.inode, dentry, mode)
    }

    func fchmod(_ number: FileNumber, _ mode: FileMode) throws(Errno) -> Int {
        let file = try file(number)
        try writable(file.location)
        return try chmod(file.operations.inode, file.location, mode)
    }

    private func chmod(_ inode: any Inode, _ place: Dentry?, _ mode: FileMode) throws(Errno) -> Int {
        let attributes = try inode.attributes()
        let credentials = fileCredentials
        guard credentials.owns(attributes) else { throw .EPERM }
        var permissions = mode.permissions
        // Nobody gives a set-group-id bit for a group that is not theirs, be it to a program or to a directory.
        if !credentials.isIn(attributes.groupID), !credentials.has(.keepSetID) {
            permissions &= ~0o2000
        }
        var change = AttributeChange()
        change.permissions = permissions
        try inode.setAttributes(change)
        place?.notify(.attributes)
        return 0
    }

    // MARK: Owner

    func chownAt(
        _ directory: FileNumber, _ pointer: UserString, _ user: UInt32, _ group: UInt32, _ flags: UInt32
    ) throws(Errno) -> Int {
        guard flags & ~0x1100 == 0 else { throw .EINVAL }
        var options: WalkOptions = flags & 0x100 == 0 ? [.followLast] : []
        if flags & 0x1000 != 0 { options.insert(.allowEmpty) }
        let dentry = try resolve(directory, try copyInPath(from: pointer), options)
        try writable(dentry)
        return try chown(dentry.inode, dentry, user, group)
    }

    func fchown(_ number: FileNumber, _ user: UInt32, _ group: UInt32) throws(Errno) -> Int {
        let file = try file(number)
        try writable(file.location)
        return try chown(file.operations.inode, file.location, user, group)
    }

    private func chown(_ inode: any Inode, _ place: Dentry?, _ user: UInt32, _ group: UInt32) throws(Errno) -> Int {
        let attributes = try inode.attributes()
        let credentials = fileCredentials
        if !credentials.has(.changeOwner) {
            if user != .max, user != attributes.userID || credentials.userID != attributes.userID { throw .EPERM }
            if group != .max {
                guard credentials.userID == attributes.userID else { throw .EPERM }
                guard group == attributes.groupID || credentials.isIn(group) else { throw .EPERM }
            }
        }
        var change = AttributeChange()
        if user != .max { change.userID = user }
        if group != .max { change.groupID = group }
        // Asking for a change of owner takes the set-id bits of programs away, for root too and even if nothing changes.
        if attributes.mode.kind != .directory {
            var permissions = attributes.mode.permissions & ~0o4000
            if permissions & 0o010 != 0 { permissions &= ~0o2000 }
            change.permissions = permissions
        }
        try inode.setAttributes(change)
        place?.notify(.attributes)
        return 0
    }

    // MARK: Times

    private static let now: Int64 = 0x3fff_ffff
    private static let omit: Int64 = 0x3fff_fffe

    /// See `utimensat(2)`; NULL for the path means the descriptor itself.
    func utimensAt(
        _ directory: FileNumber, _ pointer: UserString, _ times: UInt, _ flags: UInt32
    ) throws(Errno) -> Int {
        guard flags & ~0x1100 == 0 else { throw .EINVAL }
        var pair: [Timestamp]?
        if times != 0 {
            var reader = ByteReader(try copyIn(32, from: times))
            pair = [Timestamp(from: &reader), Timestamp(from: &reader)]
        }
        return try setTimes(directory, pointer, pair, flags)
    }

    /// utime(2), utimes(2), futimesat(2): seconds, or seconds and microseconds.
    func utimes(
        _ directory: FileNumber, _ pointer: UserString, _ times: UInt, microseconds: Bool
    ) throws(Errno) -> Int {
        var pair: [Timestamp]?
        if times != 0, microseconds {
            var reader = ByteReader(try copyIn(32, from: times))
            var read: [Timestamp] = []
            for _ in 0..<2 {
                let seconds: Int64 = reader.take()
                let micro: Int64 = reader.take()
                guard micro >= 0, micro < 1_000_000 else { throw .EINVAL }
                read.append(Timestamp(seconds: seconds, nanoseconds: micro * 1000))
            }
            pair = read
        } else if times != 0 {
            var reader = ByteReader(try copyIn(16, from: times))
            pair = [Timestamp(seconds: reader.take()), Timestamp(seconds: reader.take())]
        }
        return try setTimes(directory, pointer, pair, 0)
    }

    private func setTimes(
        _ directory: FileNumber, _ pointer: UserString, _ pair: [Timestamp]?, _ flags: UInt32
    ) throws(Errno) -> Int {
        if let pair, pair.allSatisfy({ $0.nanoseconds == GuestThread.omit }) { return 0 }
        let inode: any Inode
        let place: Dentry?
        if pointer.isNull, directory != .currentDirectory {
            guard flags == 0 else { throw .EINVAL }
            let file = try file(directory)
            try writable(file.location)
            inode = file.operations.inode
            place = file.location
        } else {
            var options: WalkOptions = flags & 0x100 == 0 ? [.followLast] : []
            if flags & 0x1000 != 0 { options.insert(.allowEmpty) }
            let dentry = try resolve(directory, try copyInPath(from: pointer), options)
            try writable(dentry)
            inode = dentry.inode
            place = dentry
        }
        // Only now: what is wrong with the file is told first.
        for time in pair ?? [] {
            let special = time.nanoseconds == GuestThread.now || time.nanoseconds == GuestThread.omit
            guard special || (time.nanoseconds >= 0 && time.nanoseconds < 1_000_000_000) else { throw .EINVAL }
        }
        let attributes = try inode.attributes()
        let credentials = fileCredentials
        let allNow = pair?.allSatisfy { $0.nanoseconds == GuestThread.now } ?? true
        if !credentials.owns(attributes) {
            guard allNow else { throw .EPERM }
            try credentials.check(.write, attributes)
        }
        let current = kernel.clock.realTime
        func chosen(_ index: Int) -> Timestamp? {
            guard let time = pair?[index] else { return current }
            if time.nanoseconds == GuestThread.omit { return nil }
            return time.nanoseconds == GuestThread.now ? current : time
        }
        var change = AttributeChange()
        change.accessTime = chosen(0)
        change.modificationTime = chosen(1)
        try inode.setAttributes(change)
        // One time alone passes for what would have changed it.
        place?.notify(
            change.accessTime == nil ? .modify : change.modificationTime == nil ? .access : .attributes)
        return 0
    }

    // MARK: Extended attributes

    /// The name of an attribute. Throws ERANGE, EOPNOTSUPP for a namespace that Linux has not, but EACCES if the file's
    /// mode does not even allow the access.
    private func attributeName(
        _ pointer: UserString, _ inode: any Inode, for access: Access
    ) throws(Errno) -> [UInt8] {
        let name = try copyInString(from: pointer.address, limit: 256, tooLong: .ERANGE)
        guard !name.isEmpty else { throw .ERANGE }
        let spaces = ["user.", "trusted.", "security.", "system."]
        let text = String(decoding: name, as: UTF8.self)
        guard let space = spaces.first(where: { text.hasPrefix($0) }) else {
            try fileCredentials.check(access, try inode.attributes())
            throw .EOPNOTSUPP
        }
        guard text.count > space.count else { throw .EINVAL }
        return name
    }

    private static let systemSpace = Array("system.".utf8)
    private static let accessLists = [Array("system.posix_acl_access".utf8), Array("system.posix_acl_default".utf8)]

    /// Who may change an attribute: `user.` ones belong to files and directories and follow their permissions, `trusted.`
    /// ones are the administrator's. See `xattr(7)`.
    private func checkUserSpace(_ inode: any Inode, _ name: [UInt8]) throws(Errno) {
        let credentials = fileCredentials
        if name.starts(with: Array("user.".utf8)) {
            guard inode.kind == .regular || inode.kind == .directory else { throw .EPERM }
            let attributes = try inode.attributes()
            if inode.kind == .directory, attributes.mode.permissions & 0o1000 != 0, !credentials.owns(attributes) {
                throw .EPERM
            }
            try credentials.check(.write, attributes)
        } else if !credentials.has(.systemAdministrator) {
            throw .EPERM
        }
    }

    private func checkReading(_ inode: any Inode, _ name: [UInt8]) throws(Errno) {
        if name.starts(with: Array("trusted.".utf8)), !fileCredentials.has(.systemAdministrator) { throw .ENODATA }
        guard name.starts(with: Array("user.".utf8)), inode.kind == .regular || inode.kind == .directory else { return }
        try fileCredentials.check(.read, try inode.attributes())
    }

    func setAttribute(
        _ inode: any Inode, _ place: Dentry?, _ pointer: UserString, _ value: UInt, _ size: UInt, _ flags: Int32
    ) throws(Errno) -> Int {
        guard flags & ~3 == 0 else { throw .EINVAL }
        let name = try attributeName(pointer, inode, for: .write)
        guard size <= 65536 else { throw .E2BIG }
        let bytes = try copyIn(Int(size), from: value)
        if name.starts(with: GuestThread.systemSpace) { return try setAccessList(inode, place, name, bytes) }
        try writable(place)
        try checkUserSpace(inode, name)
        try inode.setExtendedAttribute(name, to: bytes, flags: flags)
        place?.notify(.attributes)
        return 0
    }

    /// A list that says no more than permission bits do becomes just these, as Linux's `posix_acl_equiv_mode` has it: it is
    /// how cp(1) and sed(1) keep a file's mode. Throws EOPNOTSUPP for longer ones, which no file here can have.
    private func setAccessList(
        _ inode: any Inode, _ place: Dentry?, _ name: [UInt8], _ bytes: [UInt8]
    ) throws(Errno) -> Int {
        guard name == GuestThread.accessLists[0], inode.kind != .symbolicLink, bytes.count == 28 else {
            throw .EOPNOTSUPP
        }
        var reader = ByteReader(bytes)
        let version: UInt32 = reader.take()
        guard version == 2 else { throw .EOPNOTSUPP }
        var permissions = try inode.attributes().mode.permissions & 0o7000
        // ACL_USER_OBJ, ACL_GROUP_OBJ, ACL_OTHER
        for (tag, shift) in [(1, 6), (4, 3), (0x20, 0)] as [(UInt16, UInt32)] {
            let (found, bits): (UInt16, UInt16) = (reader.take(), reader.take())
            reader.skip(4)
            guard found == tag, bits <= 7 else { throw .EINVAL }
            permissions |= UInt32(bits) << shift
        }
        try writable(place)
        return try chmod(inode, place, FileMode(rawValue: permissions))
    }

    /// No file has a list to lose, and losing it anyway succeeds.
    private func removeAccessList(_ inode: any Inode, _ place: Dentry?, _ name: [UInt8]) throws(Errno) -> Int {
        guard GuestThread.accessLists.contains(name), inode.kind != .symbolicLink else { throw .EOPNOTSUPP }
        try writable(place)
        guard fileCredentials.owns(try inode.attributes()) else { throw .EPERM }
        return 0
    }

    func getAttribute(_ inode: any Inode, _ pointer: UserString, _ value: UInt, _ size: UInt) throws(Errno) -> Int {
        let name = try attributeName(pointer, inode, for: .read)
        // Files have no access control lists, and could have some.
        if name.starts(with: GuestThread.systemSpace) {
            throw GuestThread.accessLists.contains(name) && inode.kind != .symbolicLink ? .ENODATA : .EOPNOTSUPP
        }
        try checkReading(inode, name)
        if name.starts(with: Array("user.".utf8)), inode.kind != .regular, inode.kind != .directory { throw .ENODATA }
        let bytes = try inode.extendedAttribute(name)
        guard size > 0 else { return bytes.count }
        guard UInt(bytes.count) <= size else { throw .ERANGE }
        try copyOut(bytes, to: value)
        return bytes.count
    }

    func listAttributes(_ inode: any Inode, _ buffer: UInt, _ size: UInt) throws(Errno) -> Int {
        var bytes: [UInt8] = []
        for name in try inode.extendedAttributeNames() {
            if name.starts(with: Array("trusted.".utf8)), !fileCredentials.has(.systemAdministrator) { continue }
            bytes += name + [0]
        }
        guard size > 0 else { return bytes.count }
        guard UInt(bytes.count) <= size else { throw .ERANGE }
        try copyOut(bytes, to: buffer)
        return bytes.count
    }

    func removeAttribute(_ inode: any Inode, _ place: Dentry?, _ pointer: UserString) throws(Errno) -> Int {
        let name = try attributeName(pointer, inode, for: .write)
        if name.starts(with: GuestThread.systemSpace) { return try removeAccessList(inode, place, name) }
        try writable(place)
        try checkUserSpace(inode, name)
        try inode.removeExtendedAttribute(name)
        place?.notify(.attributes)
        return 0
    }
}
