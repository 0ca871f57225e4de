internal import Kernel
internal import LinuxABI
internal import Platform
internal import VFS

/// shmget(2), shmat(2), shmdt(2), shmctl(2).
extension GuestThread {
    /// `SHM_RDONLY`, `SHM_RND`, `SHM_REMAP`, `SHM_EXEC`
    private static let readOnly: Int32 = 0o10000
    private static let rounds: Int32 = 0o20000
    private static let replaces: Int32 = 0o40000
    private static let executable: Int32 = 0o100000
    private static let hugePages: Int32 = 0o4000
    /// `kernel.shmmax`
    private static let largest: UInt = 18_446_744_073_692_774_399

    func shmget(_ key: Int32, _ size: UInt, _ flags: Int32) throws(Errno) -> Int {
        kernel.pruneSegments()
        let segments = kernel.sharedSegments
        let id = try segments.get(
            key: key, flags: flags, for: credentials,
            check: { (segment) throws(Errno) in guard size <= segment.size else { throw .EINVAL } }
        ) { () throws(Errno) in
            guard size > 0, size <= GuestThread.largest else { throw .EINVAL }
            guard segments.count < SharedSegment.most else { throw .ENOSPC }
            // There are no huge pages set aside.
            guard flags & GuestThread.hugePages == 0, let length = MemoryMap.pageUp(size),
                length <= GuestLayout.taskSize
            else { throw .ENOMEM }
            let (inode, mount) = try kernel.newMemoryFile(flags: 0, credentials: fileCredentials)
            try inode.truncate(to: Int64(length))
            let digits = String(UInt32(bitPattern: key), radix: 16)
            let name = "SYSV" + String(repeating: "0", count: 8 - digits.utf8.count) + digits
            let place = Dentry(
                name: FileName(Array(name.utf8)), parent: nil, inode: inode, mount: mount, isDeleted: true)
            let open: OpenFlags = [.readWrite, .largeFile]
            return SharedSegment(
                IPCPermission(key: key, mode: UInt32(flags & 0o777), creator: credentials), size: size,
                file: OpenFile(try inode.open(open), flags: open, location: place), creator: process.id.rawValue,
                now: seconds)
        }
        return Int(id)
    }

    func shmat(_ id: Int32, _ address: UInt, _ flags: Int32) throws(Errno) -> Int {
        kernel.pruneSegments()
        guard id >= 0 else { throw .EINVAL }
        var address = address
        if !MemoryMap.isAligned(address) {
            guard flags & GuestThread.rounds != 0 else { throw .EINVAL }
            address &= ~(GuestLayout.pageSize - 1)
            if address == 0, flags & GuestThread.replaces != 0 { throw .EINVAL }
        } else if address == 0, flags & GuestThread.replaces != 0 {
            throw .EINVAL
        }
        guard let segment = kernel.sharedSegments.find(id) else { throw .EINVAL }
        let mayWrite = flags & GuestThread.readOnly == 0
        let mayExecute = flags & GuestThread.executable != 0
        try segment.permission.check((mayWrite ? 0o666 : 0o444) | (mayExecute ? 0o111 : 0), for: credentials)
        let map = try changeableMap()
        let length = MemoryMap.pageUp(segment.size) ?? segment.size
        var start = address
        if address == 0 {
            start = try map.place(length, hint: 0)
        } else {
            let (end, overflow) = address.addingReportingOverflow(length)
            guard !overflow, end <= GuestLayout.taskSize else { throw .EINVAL }
            let isFree = !map.areas.overlaps(address..<end)
            guard isFree || flags & GuestThread.replaces != 0 else { throw .EINVAL }
        }
        // Whoever only reads gets a descriptor for reading: the protection of its mapping is its own to change.
        let view = mayWrite ? segment.file : OpenFile(segment.file.operations, flags: [])
        guard case .host(let descriptor, let canWriteShared) = try segment.file.operations.mapping(view) else {
            throw .ENOMEM
        }
        var protection: Protection = mayWrite ? [.read, .write] : .read
        if mayExecute { protection.formUnion(.execute) }
        let object = MappedObject(
            file: segment.file, descriptor: descriptor, ownsDescriptor: false,
            canWriteShared: canWriteShared && mayWrite)
        let range = start..<start + length
        let area = VMA(
            start: range.lowerBound, end: range.upperBound, protection: protection, isShared: true, object: object,
            offset: 0)
        try append(contentsOf: map.add(area, limit: process.limits.addressSpace.soft))
        afterFailure { $0.map?.forget(range) }
        segment.attachTime = seconds
        segment.lastProcess = process.id.rawValue
        return Int(bitPattern: start)
    }

    func shmdt(_ address: UInt) throws(Errno) -> Int {
        guard MemoryMap.isAligned(address) else { throw .EINVAL }
        let map = try changeableMap()
        func begins(_ area: VMA) -> Bool { area.start >= address && area.start - address == area.offset }
        let segments = kernel.sharedSegments.objects
        guard let first = map.areas.areas.first(where: { begins($0) && $0.object?.file != nil }),
            let segment = segments.first(where: { $0.file === first.object?.file })
        else { throw .EINVAL }
        for area in map.areas.areas where begins(area) && area.object?.file === segment.file {
            append(contentsOf: map.remove(area.start..<area.end))
        }
        segment.detachTime = seconds
        segment.lastProcess = process.id.rawValue
        kernel.pruneSegments()
        return 0
    }

    func shmctl(_ id: Int32, _ command: Int32, _ address: UInt) throws(Errno) -> Int {
        guard id >= 0, command >= 0 else { throw .EINVAL }
        kernel.pruneSegments()
        let segments = kernel.sharedSegments
        switch command {
        // IPC_RMID, SHM_LOCK, SHM_UNLOCK
        case 0, 11, 12:
            guard let segment = segments.find(id) else { throw .EINVAL }
            try segment.permission.checkOwner(credentials)
            if command == 0, !segment.isDoomed { kernel.remove(segment, id) }
            return 0
        // IPC_SET
        case 1:
            var reader = ByteReader(try copyIn(112, from: address))
            guard let segment = segments.find(id) else { throw .EINVAL }
            try segment.permission.checkOwner(credentials)
            readOwner(&reader, into: &segment.permission)
            segment.changeTime = seconds
            return 0
        // IPC_STAT, SHM_STAT, SHM_STAT_ANY
        case 2, 13, 15:
            let found = command == 2 ? segments.find(id).map { (id: id, object: $0) } : segments.object(at: id)
            guard let found else { throw .EINVAL }
            let segment = found.object
            if command != 15 { try segment.permission.check(0o444, for: credentials) }
            var shown = segment.permission
            // SHM_DEST
            if segment.isDoomed { shown.mode |= 0o1000 }
            var writer = ByteWriter(capacity: 112)
            write(shown, id: found.id, to: &writer)
            writer.put(segment.size)
            for time in [segment.attachTime, segment.detachTime, segment.changeTime] { writer.put(time) }
            writer.put(segment.creator)
            writer.put(segment.lastProcess)
            writer.put(UInt64(kernel.attachments(of: segment)))
            writer.pad(to: 112)
            try copyOut(writer.bytes, to: address)
            return command == 2 ? 0 : Int(found.id)
        // IPC_INFO, SHM_INFO
        case 3, 14:
            let all = segments.objects
            var writer = ByteWriter(capacity: 72)
            if command == 3 {
                for number in [GuestThread.largest, 1, 4096, 4096, GuestThread.largest] { writer.put(number) }
                writer.pad(to: 72)
            } else {
                let pages = all.reduce(UInt(0)) { $0 &+ $1.size.advanced(by: 4095) / 4096 }
                writer.put(UInt64(all.count))
                writer.put(pages)
                writer.pad(to: 48)
            }
            try copyOut(writer.bytes, to: address)
            return max(0, segments.highest)
        default: throw .EINVAL
        }
    }
}
