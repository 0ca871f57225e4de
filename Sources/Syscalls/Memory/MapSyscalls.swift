internal import HostSystem
internal import Kernel
internal import LinuxABI
internal import Platform
internal import VFS

/// mmap(2), munmap(2), mprotect(2), brk(2).
extension GuestThread {
    /// The address space, free for changes by this thread; parks while another thread's are under way.
    func changeableMap() throws(Errno) -> MemoryMap {
        guard let map else { throw .ENOSYS }
        if map.isChanging { throw park(on: [map.changed], interrupted: .ERESTARTNOINTR) }
        return map
    }

    /// See `mmap(2)`.
    func mmap(
        _ address: UInt, _ length: UInt, _ protection: Int, _ rawFlags: UInt32, _ number: FileNumber, _ offset: UInt
    ) throws(Errno) -> Int {
        guard MemoryMap.isAligned(offset) else { throw .EINVAL }
        let flags = MapFlags(rawValue: rawFlags)
        let protection = Protection(rawValue: Int32(truncatingIfNeeded: protection & 7))
        let kind = rawFlags & MapFlags.typeMask
        let file = flags.contains(.anonymous) ? nil : try self.file(number)
        guard length > 0 else { throw .EINVAL }
        guard let length = MemoryMap.pageUp(length), length <= GuestLayout.taskSize else { throw .ENOMEM }
        let (end, overflow) = offset.addingReportingOverflow(length)
        guard !overflow, end <= UInt(Int.max) else { throw .EOVERFLOW }
        guard kind == 1 || kind == 2 || kind == 3 else { throw .EINVAL }
        let isShared = kind != 2
        let map = try changeableMap()
        let start = try place(address, length, flags, map, mayBeHuge: file == nil && !isShared)
        let isLocked = flags.contains(.locked) || map.futureLock != nil
        if flags.contains(.locked) { try checkMayLock() }
        if isLocked { try checkLockLimit(map, adding: length) }
        if kind == MapFlags.sharedValidate {
            // No file here is made of persistent memory (MAP_SYNC), and memory without a file validates nothing.
            guard file != nil else { throw .EINVAL }
            guard rawFlags & ~MapFlags.validated == 0 else { throw .EOPNOTSUPP }
        }
        // Only private memory without a file grows downwards.
        if flags.contains(.growsDown), isShared, file == nil { throw .EINVAL }
        let object = try mappedObject(file, length: length, isShared: isShared, protection)
        if flags.contains(.growsDown), file != nil { throw .EINVAL }
        var area = VMA(
            start: start, end: start + length, protection: protection, isShared: isShared, object: object,
            offset: object == nil ? 0 : (file == nil ? 0 : offset))
        area.isGrowable = flags.contains(.growsDown)
        area.isLocked = isLocked
        if !isShared, protection.contains(.write) { try checkDataLimit(map, adding: length) }
        try map.add(area, limit: process.limits.addressSpace.soft, for: self)
        let result = Int(bitPattern: start)
        restart.mapping = start..<start + length
        if flags.contains(.populate) || (isLocked && map.futureLock != .onFault), protection.contains(.read) {
            append(.advise(address: start, length: length, advice: protection.contains(.write) ? 23 : 22))
            mustReport = object != nil
        }
        if object == nil {
            countColdMapping()
        } else if !isShared {
            if protection.contains(.write) { countMappedData() }
            if let object, object.file != nil, !flags.contains(.fixed), flags.contains(.denyWrite), !mustReport {
                countMappedFile(object, of: number)
            }
        }
        return result
    }

    /// Where a new mapping goes. Throws EINVAL, ENOMEM, EPERM, EEXIST for a fixed address.
    private func place(
        _ address: UInt, _ length: UInt, _ flags: MapFlags, _ map: MemoryMap, mayBeHuge: Bool
    ) throws(Errno) -> UInt {
        guard flags.contains(.fixed) || flags.contains(.fixedNoReplace) else {
            return try map.place(length, hint: address & ~(GuestLayout.pageSize - 1), mayBeHuge: mayBeHuge)
        }
        guard MemoryMap.isAligned(address) else { throw .EINVAL }
        let (end, overflow) = address.addingReportingOverflow(length)
        guard !overflow, end <= GuestLayout.taskSize else { throw .ENOMEM }
        guard address >= MemoryMap.lowest || credentials.has(capability: 17) else { throw .EPERM }
        if flags.contains(.fixedNoReplace), map.areas.overlaps(address..<end) { throw .EEXIST }
        return address
    }

    /// What the pages of a new mapping come from; nil for private zeros. `zeros`: the device that shared zeros come from.
    private func mappedObject(
        _ file: OpenFile?, length: UInt, isShared: Bool, _ protection: Protection, zeros: OpenFile? = nil
    ) throws(Errno) -> MappedObject? {
        guard let file else {
            guard isShared else { return nil }
            let descriptor = try Host.memoryFile("apus-shared")
            do throws(Errno) {
                try Host.truncate(descriptor, to: Int(length))
            } catch {
                Host.close(descriptor)
                // Longer than the host lets this process's files be, which on Linux have nothing to do with memory.
                throw error == .EFBIG ? .ENOMEM : error
            }
            return MappedObject(
                file: nil, descriptor: descriptor, ownsDescriptor: true, canWriteShared: zeros?.flags.mayWrite ?? true)
        }
        guard file.flags.mayRead else { throw .EACCES }
        if isShared, protection.contains(.write), !file.flags.mayWrite { throw .EACCES }
        switch try file.operations.mapping(file) {
        case .anonymous:
            return isShared ? try mappedObject(nil, length: length, isShared: true, protection, zeros: file) : nil
        case .host(let descriptor, let canWriteShared):
            if isShared, protection.contains(.write), !canWriteShared {
                // F_SEAL_WRITE, F_SEAL_FUTURE_WRITE
                let seals = (file.operations.inode as? any Sealable)?.seals ?? 0
                throw seals & 0x18 != 0 ? .EPERM : .EACCES
            }
            return MappedObject(
                file: file, descriptor: descriptor, ownsDescriptor: false,
                canWriteShared: canWriteShared && file.flags.mayWrite)
        }
    }

    /// If the stub cannot do what was asked, `undo` runs and the call fails with the host's error.
    func afterFailure(_ undo: @escaping (GuestThread) -> Void) {
        afterCommands = { thread, _, failure in
            guard let failure else { return .result(thread.restart.value) }
            undo(thread)
            return .result(-Int((failure == .EAGAIN ? .ENOMEM : failure).rawValue))
        }
    }

    /// See `munmap(2)`.
    func munmap(_ address: UInt, _ length: UInt) throws(Errno) -> Int {
        guard length > 0 else { throw .EINVAL }
        let range = try MemoryMap.range(address, length)
        let map = try changeableMap()
        try map.checkSplit(range)
        map.remove(range, for: self)
        countColdMapping()
        return 0
    }

    /// See `mprotect(2)`.
    func mprotect(_ address: UInt, _ length: UInt, _ protection: UInt) throws(Errno) -> Int {
        let growsDown = protection & 0x0100_0000 != 0
        let growsUp = protection & 0x0200_0000 != 0
        guard !(growsDown && growsUp), MemoryMap.isAligned(address) else { throw .EINVAL }
        guard length > 0 else { return 0 }
        let range = try MemoryMap.range(address, length, error: .ENOMEM)
        guard protection & ~0x0300_000f == 0 else { throw .EINVAL }
        let map = try changeableMap()
        if protection & 2 != 0 {
            // What becomes private memory that may be written counts from now on.
            let more = map.areas.parts(in: range).reduce(UInt(0)) {
                $0 + ($1.isShared || $1.protection.contains(.write) ? 0 : $1.length)
            }
            if more > 0 { try checkDataLimit(map, adding: more) }
        }
        map.partial = []
        do throws(Errno) {
            try append(contentsOf: map.protect(range, Protection(rawValue: Int32(protection & 7))))
        } catch {
            append(contentsOf: map.partial)
            throw error
        }
        return 0
    }

    /// See `brk(2)`: gives back the new end of the heap, or the old one when it cannot be moved.
    func brk(_ end: UInt) throws(Errno) -> Int {
        let map = try changeableMap()
        let old = map.heap.upperBound
        guard end >= map.heap.lowerBound, let newTop = MemoryMap.pageUp(end), let oldTop = MemoryMap.pageUp(old),
            newTop <= GuestLayout.taskSize, UInt64(end - map.heap.lowerBound) <= process.limits.values[2].soft
        else { return Int(bitPattern: old) }
        if newTop > oldTop {
            guard map.isFree(oldTop..<newTop) else { return Int(bitPattern: old) }
            var area = VMA(
                start: oldTop, end: newTop, protection: [.read, .write], isShared: false, object: nil, offset: 0)
            area.label = "[heap]"
            area.isLocked = map.futureLock != nil
            do throws(Errno) {
                if area.isLocked { try checkLockLimit(map, adding: area.length) }
                try checkDataLimit(map, adding: area.length)
                try append(contentsOf: map.add(area, limit: process.limits.addressSpace.soft))
                if map.futureLock == .present {
                    append(.advise(address: oldTop, length: newTop - oldTop, advice: 23))
                }
            } catch {
                return Int(bitPattern: old)
            }
        } else if newTop < oldTop {
            append(contentsOf: map.remove(newTop..<oldTop))
        }
        map.heap = map.heap.lowerBound..<end
        return Int(bitPattern: end)
    }
}
