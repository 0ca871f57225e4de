internal import HostSystem
internal import Kernel
internal import LinuxABI
internal import Platform
internal import VFS

/// mremap(2), madvise(2), msync(2), mincore(2).
extension GuestThread {
    /// See `mremap(2)`.
    func mremap(
        _ old: UInt, _ oldLength: UInt, _ newLength: UInt, _ flags: UInt, _ target: UInt
    ) throws(Errno) -> Int {
        let mayMove = flags & 1 != 0
        let isFixed = flags & 2 != 0
        let keepsOld = flags & 4 != 0
        guard flags & ~7 == 0, !isFixed || mayMove, !keepsOld || mayMove, MemoryMap.isAligned(old) else {
            throw .EINVAL
        }
        guard let oldLength = MemoryMap.pageUp(oldLength), let newLength = MemoryMap.pageUp(newLength), newLength > 0,
            oldLength <= GuestLayout.taskSize, newLength <= GuestLayout.taskSize, !keepsOld || oldLength == newLength
        else { throw .EINVAL }
        let map = try changeableMap()
        guard let area = map.areas.area(at: old) else { throw .EFAULT }
        if oldLength == 0 {
            // A second mapping of shared pages; only shared ones have them.
            guard area.isShared, mayMove else { throw .EINVAL }
        }
        guard old + oldLength <= area.end else { throw .EFAULT }
        try map.checkSplit(old..<old + oldLength)
        if isFixed {
            let new = try MemoryMap.range(target, newLength)
            guard new.upperBound <= old || target >= old + oldLength else { throw .EINVAL }
            return try move(map, area, old, oldLength, newLength, to: target, keepsOld: keepsOld)
        }
        if newLength <= oldLength, !keepsOld, oldLength != 0 {
            if newLength < oldLength { append(contentsOf: map.remove(old + newLength..<old + oldLength)) }
            return Int(bitPattern: old)
        }
        let grown = old + oldLength..<old + newLength
        if !keepsOld, oldLength != 0, old + oldLength == area.end, grown.upperBound <= GuestLayout.taskSize,
            map.isFree(grown)
        {
            try checkGrowth(map, by: newLength - oldLength)
            if area.isLocked { try checkLockLimit(map, adding: newLength - oldLength) }
            var part = area.part(from: old, to: area.end)
            part.end = grown.upperBound
            map.replace(old..<area.end, with: part)
            append(.remap(address: old, oldLength: oldLength, newLength: newLength, flags: 0, target: 0))
            afterFailure { $0.map?.forget(grown) }
            return Int(bitPattern: old)
        }
        guard mayMove else { throw .ENOMEM }
        let place = try map.place(newLength, hint: 0)
        return try move(map, area, old, oldLength, newLength, to: place, keepsOld: keepsOld)
    }

    private func checkGrowth(_ map: MemoryMap, by more: UInt) throws(Errno) {
        guard UInt64(map.areas.totalLength) + UInt64(more) <= process.limits.addressSpace.soft else { throw .ENOMEM }
    }

    private func move(
        _ map: MemoryMap, _ area: VMA, _ old: UInt, _ oldLength: UInt, _ newLength: UInt, to target: UInt,
        keepsOld: Bool
    ) throws(Errno) -> Int {
        if newLength > oldLength {
            try checkGrowth(map, by: newLength - oldLength)
            if area.isLocked { try checkLockLimit(map, adding: newLength - oldLength) }
        }
        var moved = area.part(from: old, to: old + min(oldLength, newLength))
        moved.start = target
        moved.end = target + newLength
        if keepsOld || oldLength == 0 {
            // Jumps would go with the pages, and lead back to where they were made.
            map.patches.restore(old..<old + oldLength, in: map.stub)
            map.replace(target..<target + newLength, with: moved)
        } else {
            map.replace(old..<old + oldLength, with: nil)
            map.replace(target..<target + newLength, with: moved)
        }
        // MREMAP_MAYMOVE | MREMAP_FIXED, MREMAP_DONTUNMAP
        append(
            .remap(address: old, oldLength: oldLength, newLength: newLength, flags: keepsOld ? 7 : 3, target: target))
        let range = target..<target + newLength
        afterFailure { $0.map?.forget(range) }
        return Int(bitPattern: target)
    }

    /// See `madvise(2)`. Advice that only the host could follow and that changes nothing a guest can see is accepted.
    func madvise(_ address: UInt, _ length: UInt, _ advice: Int32) throws(Errno) -> Int {
        guard [0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 25].contains(advice) else {
            throw .EINVAL
        }
        let range = try MemoryMap.range(address, length)
        guard !range.isEmpty else { return 0 }
        let map = try changeableMap()
        if advice == 10 || advice == 11 { try map.checkSplit(range) }
        var next = range.lowerBound
        for part in map.areas.parts(in: range) {
            // MADV_POPULATE_READ and MADV_POPULATE_WRITE go no further than the first hole.
            if advice == 22 || advice == 23, part.start != next { break }
            next = part.end
            switch advice {
            case 20, 21: if part.isLocked { throw .EINVAL }
            case 4, 8, 14, 15, 22, 23, 3:
                if advice == 8, part.isShared || part.object != nil { throw .EINVAL }
                if advice == 4 || advice == 8, part.isLocked { throw .EINVAL }
                // Private copies of a file's pages go.
                if advice == 4 { map.patches.forget(part.start..<part.end, in: map.stub) }
                if advice == 4 || advice == 8 { kernel.tellPrivateRange(around: part.start, of: map) }
                append(.advise(address: part.start, length: part.length, advice: advice))
            case 9: try remove(part)
            case 18, 19:
                // The host's fork gives the child zeros, as it is told here.
                if advice == 18, part.isShared || part.object != nil { throw .EINVAL }
                append(.advise(address: part.start, length: part.length, advice: advice))
            default: break
            }
        }
        if advice == 10 || advice == 11 { map.change(range) { $0.isKeptFromChildren = advice == 10 } }
        guard map.areas.covers(range) else { throw .ENOMEM }
        return 0
    }

    /// `MADV_REMOVE`: a hole in the file behind a shared mapping.
    private func remove(_ part: VMA) throws(Errno) {
        guard !part.isLocked, let object = part.object else { throw .EINVAL }
        guard part.isShared, object.canWriteShared else { throw .EACCES }
        let offset = Int64(clamping: part.offset)
        let count = Int64(clamping: part.length)
        guard let file = object.file else { return try Host.punchHole(object.descriptor, at: offset, count: count) }
        guard let inode = file.operations.inode as? any HolePunching else { throw .EOPNOTSUPP }
        try inode.punch(at: offset, count: count)
    }

    /// See `msync(2)`.
    func msync(_ address: UInt, _ length: UInt, _ flags: Int32) throws(Errno) -> Int {
        guard flags & ~7 == 0, flags & 5 != 5, MemoryMap.isAligned(address) else { throw .EINVAL }
        let range = try MemoryMap.range(address, length, error: .ENOMEM)
        guard let map else { throw .ENOSYS }
        guard map.areas.covers(range) else { throw .ENOMEM }
        if flags & 2 != 0, map.areas.parts(in: range).contains(where: \.isLocked) { throw .EBUSY }
        return 0
    }

    /// See `mincore(2)`: what the host has given the guest of memory without a file; pages of files are told as present,
    /// which they are as soon as anybody looks.
    func mincore(_ address: UInt, _ length: UInt, _ vector: UserPointer<UInt8>) throws(Errno) -> Int {
        guard MemoryMap.isAligned(address) else { throw .EINVAL }
        let range = try MemoryMap.range(address, length, error: .ENOMEM)
        guard let map, map.areas.covers(range) else { throw .ENOMEM }
        let pages = Int((range.upperBound - range.lowerBound) / GuestLayout.pageSize)
        while restart.bytesDone < pages {
            let done = restart.bytesDone
            let count = min(pages - done, 1 << 16)
            let start = address + UInt(done) * GuestLayout.pageSize
            var present = Host.residentPages(of: map.stub.hostProcess, at: start, count: count)
            for part in map.areas.parts(in: start..<start + UInt(count) * GuestLayout.pageSize)
            where part.object?.file != nil {
                let first = Int((part.start - start) / GuestLayout.pageSize)
                for index in first..<first + Int(part.length / GuestLayout.pageSize) where index < present.count {
                    present[index] = 1
                }
            }
            try copyOut(present, to: vector.address &+ UInt(done))
            restart.bytesDone += count
            if restart.bytesDone < pages { throw giveWay(interrupted: .ERESTARTNOINTR) }
        }
        return 0
    }
}
