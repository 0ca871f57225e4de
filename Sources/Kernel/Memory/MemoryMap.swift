package import GuestMemory
package import LinuxABI
package import Platform
package import VFS

/// An address space: Linux's `mm_struct`. The processes of a `CLONE_VM` family share one; it lives in one stub process.
///
/// The list of areas is what the guest may see; each change also says what the stub has to do, and those commands travel
/// with the answer of the call that made the change.
package final class MemoryMap {
    package private(set) var areas = VMAList() {
        didSet {
            if let localMappings { localMappings.areasHaveChanged() }
            if toldRanges != nil { checkToldRanges() }
        }
    }
    /// What the stub knows to be private memory: see `PrivateRanges`.
    var toldRanges: PrivateRanges?
    /// Its threads may end without waking the kernel: see `Kernel.letEndQuietly`.
    var mayEndQuietly = false
    package let stub: StubProcess
    /// Threads that live here, over all processes.
    package var users = 0
    /// The heap, as `brk(2)` moves its end.
    package var heap: Range<UInt> = 0..<0 {
        didSet { stub.setHeapEnd(heap.upperBound) }
    }
    /// New mappings go below.
    package var mappingTop: UInt = MemoryMap.defaultTop
    package var stack: Range<UInt> = 0..<0
    /// Where the stack pointer stood when the program began.
    package var stackStart: UInt = 0
    /// Only one thread at a time may have commands under way that change the areas.
    package var isChanging = false
    package let changed = WaitQueue()
    /// What stubs have been told to unmap and have not said that they have.
    private var vanishing: [(thread: ProcessID, range: Range<UInt>)] = []
    package var auxiliaryVector: [UInt8] = []
    /// Call sites that no longer trap: see `SiteRules`.
    package var patches = SitePatches()

    /// How `mlockall(2)` has new mappings locked.
    package enum FutureLock {
        case present
        /// MCL_ONFAULT
        case onFault
    }

    /// Threads may wait on private futexes without the kernel: see `LocalFutexes`.
    package internal(set) var mayWaitInStub = true
    /// They no longer may, and nobody does.
    var hasGatheredWaiters = false

    /// Its stub may be told of descriptors, as far as its threads' tables are concerned; and what it was told.
    package internal(set) var mayReadLocally = false
    package internal(set) var localFiles: LocalFiles?
    /// What its stub shares with one other, for pipes.
    var pipeLink: PipeLink?
    /// What the stub of its one thread knows of descriptors.
    var cards: DescriptorCards?
    /// Its stub may be told of names, as one thread uses it; and what it was told. Stored apart, as in `Dentry`: both are looked
    /// at in many calls.
    var mayTellNames: Bool {
        get { storedMayTellNames }
        set { storedMayTellNames = newValue }
    }
    private var storedMayTellNames = false
    var names: LocalNames? {
        get { storedNames }
        set { storedNames = newValue }
    }
    private var storedNames: LocalNames?

    /// What the stub of its one thread knows of its gaps.
    var localMappings: LocalMappings?
    /// The files that the stub of its one thread writes.
    var localWrites: LocalWrites? {
        get { storedWrites }
        set { storedWrites = newValue }
    }
    private var storedWrites: LocalWrites?
    private var lastWritten: (file: ObjectIdentifier?, times: UInt8) = (nil, 0)

    /// One more write of the file, at an offset.
    /// - Returns: true when there were so many in a row.
    func countWrite(of file: OpenFile, until most: UInt8) -> Bool {
        let file = ObjectIdentifier(file)
        if lastWritten.file != file { lastWritten = (file, 0) }
        lastWritten.times += 1
        guard lastWritten.times >= most else { return false }
        lastWritten.times = 0
        return true
    }

    /// Calls that a stub could carry out by itself, since it was told.
    var coldMappings = 0
    /// How often the stub may be told before that, as its program has a library mapped, say: what it makes use of is told again.
    var mappingsCredit = 0

    /// MCL_FUTURE; nil while new mappings are not locked.
    package var futureLock: FutureLock? {
        didSet { localMappings?.isRevoked = true }
    }
    /// Bytes that are locked: `VmLck`.
    package var lockedLength: UInt { areas.areas.reduce(0) { $0 + ($1.isLocked ? $1.length : 0) } }

    package static let defaultTop: UInt = GuestLayout.taskSize - (1 << 34)
    package static let lowest: UInt = 0x10000
    static let hugePageSize: UInt = 2 << 20
    /// `vm.max_map_count`.
    package static let maximumAreas = 65530

    package init(stub: StubProcess) { self.stub = stub }

    package var memory: any GuestMemory { stub.memory }

    /// A copy for a forked child, whose stub has inherited every mapping.
    package func copy(into stub: StubProcess) -> MemoryMap {
        let copy = MemoryMap(stub: stub)
        copy.areas = areas
        copy.heap = heap
        copy.mappingTop = mappingTop
        copy.stack = stack
        copy.stackStart = stackStart
        copy.auxiliaryVector = auxiliaryVector
        copy.patches = patches
        copy.areas.removeAll(where: \.isKeptFromChildren)
        // Locks are not inherited.
        if areas.areas.contains(where: \.isLocked) { copy.change(0..<GuestLayout.taskSize) { $0.isLocked = false } }
        return copy
    }

    /// Forgets everything: what `execve(2)` does before the new image.
    package func removeAll() {
        areas = VMAList()
        patches = SitePatches()
        mayWaitInStub = true
        hasGatheredWaiters = false
        heap = 0..<0
        stack = 0..<0
        futureLock = nil
    }

    // MARK: Arguments

    package static func pageUp(_ value: UInt) -> UInt? {
        let (sum, overflow) = value.addingReportingOverflow(GuestLayout.pageSize - 1)
        return overflow ? nil : sum & ~(GuestLayout.pageSize - 1)
    }

    package static func isAligned(_ value: UInt) -> Bool { value % GuestLayout.pageSize == 0 }

    /// The page range of a call's address and length. Throws `error` when it is unaligned or leaves the address space.
    package static func range(_ address: UInt, _ length: UInt, error: Errno = .EINVAL) throws(Errno) -> Range<UInt> {
        guard isAligned(address), let length = pageUp(length) else { throw error }
        let (end, overflow) = address.addingReportingOverflow(length)
        guard !overflow, end <= GuestLayout.taskSize else { throw error }
        return address..<end
    }

    // MARK: Changes

    /// Where `mmap(2)` puts `length` bytes without MAP_FIXED: at the hint if it is free, else high. What holds whole huge
    /// pages begins with one if `mayBeHuge`, as with Linux since 6.7. Throws ENOMEM.
    package func place(_ length: UInt, hint: UInt, mayBeHuge: Bool = false) throws(Errno) -> UInt {
        guard length <= GuestLayout.taskSize else { throw .ENOMEM }
        if hint != 0, let hint = MemoryMap.pageUp(hint), hint >= MemoryMap.lowest,
            hint <= GuestLayout.taskSize - length, isFree(hint..<hint + length)
        {
            return hint
        }
        if mayBeHuge, hint == 0, length % MemoryMap.hugePageSize == 0,
            let gap = gap(length, below: mappingTop, alignment: MemoryMap.hugePageSize)
        {
            return gap
        }
        if let gap = gap(length, below: mappingTop) { return gap }
        if let gap = gap(length, below: GuestLayout.taskSize) { return gap }
        throw .ENOMEM
    }

    /// True if nothing is there, and nobody is about to unmap what was.
    package func isFree(_ range: Range<UInt>) -> Bool {
        !areas.overlaps(range) && !vanishing.contains { $0.range.overlaps(range) }
    }

    private func gap(_ length: UInt, below top: UInt, alignment: UInt = GuestLayout.pageSize) -> UInt? {
        var top = top
        while let gap = areas.highestGap(length: length, below: top, above: MemoryMap.lowest, alignment: alignment) {
            guard let taken = vanishing.first(where: { $0.range.overlaps(gap..<gap + length) }) else { return gap }
            top = taken.range.lowerBound
        }
        return nil
    }

    /// The thread's stub is told to carry out commands while others of the address space go on, and says nothing when it has:
    /// until it asks for something else, what it unmaps is no place for new mappings, which it could hit.
    func expect(_ commands: [StubCommand], of thread: GuestThread) {
        for case .unmap(let address, let length) in commands {
            vanishing.append((thread.id, address..<address + length))
            thread.isUnmapping = true
        }
    }

    /// The thread has asked for something: its commands are carried out.
    func settle(_ thread: GuestThread) {
        thread.isUnmapping = false
        vanishing.removeAll { $0.thread == thread.id }
    }

    /// Adds an area over whatever was there. Throws ENOMEM beyond the number of areas or the limit of the address space.
    package func add(_ area: VMA, limit: UInt64) throws(Errno) -> [StubCommand] {
        try insert(area, limit: limit)
        return MemoryMap.commands(mapping: area)
    }

    /// As above; what the stub has to do goes to the thread's commands.
    package func add(_ area: VMA, limit: UInt64, for thread: GuestThread) throws(Errno) {
        try insert(area, limit: limit)
        guard area.object == nil else { return thread.append(contentsOf: MemoryMap.commands(mapping: area)) }
        thread.append(MemoryMap.command(mappingZeros: area))
    }

    private func insert(_ area: VMA, limit: UInt64) throws(Errno) {
        let replaces = areas.overlaps(area.start..<area.end)
        let replaced = replaces ? areas.parts(in: area.start..<area.end).reduce(0) { $0 + $1.length } : 0
        guard areas.areas.count < MemoryMap.maximumAreas,
            UInt64(areas.totalLength - replaced + area.length) <= limit
        else { throw .ENOMEM }
        patches.forget(area.start..<area.end, in: stub)
        if replaces { areas.remove(area.start..<area.end) }
        areas.insert(area)
    }

    private static func command(mappingZeros area: VMA) -> StubCommand {
        // Shared anonymous memory always has an object. MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE
        .mapAnonymous(
            address: area.start, length: area.length, protection: area.protection.rawValue,
            flags: 0x02 | 0x10 | 0x20 | 0x4000)
    }

    /// What a stub does to map one area.
    private static func commands(mapping area: VMA) -> [StubCommand] {
        guard let object = area.object else { return [command(mappingZeros: area)] }
        let fixed: Int32 = 0x10 | (area.isShared ? 0x01 : 0x02)
        return [
            .receiveFile(descriptor: object.descriptor),
            .mapFile(
                address: area.start, length: area.length, protection: area.protection.rawValue, flags: fixed | 0x4000,
                offset: area.offset),
            .closeFile,
        ]
    }

    /// Throws ENOMEM where a change of the range would split an area and there may be no more of them.
    package func checkSplit(_ range: Range<UInt>) throws(Errno) {
        guard areas.areas.count >= MemoryMap.maximumAreas else { return }
        for edge in [range.lowerBound, range.upperBound] {
            if let area = areas.area(at: edge), area.start < edge { throw .ENOMEM }
        }
    }

    package func remove(_ range: Range<UInt>) -> [StubCommand] {
        takeOut(range) ? [.unmap(address: range.lowerBound, length: range.upperBound - range.lowerBound)] : []
    }

    package func remove(_ range: Range<UInt>, for thread: GuestThread) {
        guard takeOut(range) else { return }
        thread.append(.unmap(address: range.lowerBound, length: range.upperBound - range.lowerBound))
    }

    /// False if nothing was there.
    private func takeOut(_ range: Range<UInt>) -> Bool {
        let before = areas.totalLength
        areas.remove(range)
        guard areas.totalLength != before else { return false }
        patches.forget(range, in: stub)
        return true
    }

    /// See `mprotect(2)`. Throws ENOMEM for a hole (after the part before it was changed, as Linux does), EACCES where the
    /// file behind a shared mapping may not be written.
    package func protect(_ range: Range<UInt>, _ protection: Protection) throws(Errno) -> [StubCommand] {
        try checkSplit(range)
        var commands: [StubCommand] = []
        var next = range.lowerBound
        for part in areas.parts(in: range) {
            guard part.start == next else { break }
            if part.isShared, protection.contains(.write), part.object?.canWriteShared == false { throw .EACCES }
            next = part.end
        }
        let done = range.lowerBound..<next
        if !done.isEmpty {
            // With other threads about, the jumps stay: they do no harm while the code around them does not change.
            if protection.contains(.write), users == 1 { patches.restore(done, in: stub) }
            areas.change(done) { $0.protection = protection }
            commands.append(
                .protect(address: done.lowerBound, length: next - done.lowerBound, protection: protection.rawValue))
        }
        guard next == range.upperBound else {
            // The stub does what was done here, and the caller hears of the hole.
            partial = commands
            throw .ENOMEM
        }
        return commands
    }

    /// Commands of a change that failed half way, which the answer must still carry.
    package var partial: [StubCommand] = []

    /// Changes the parts of the range that are mapped.
    package func change(_ range: Range<UInt>, _ change: (inout VMA) -> Void) { areas.change(range, change) }

    /// Moves or resizes one area without telling the stub: `mremap(2)` does that by one command of its own.
    package func replace(_ old: Range<UInt>, with area: VMA?) {
        patches.restore(old, in: stub)
        areas.remove(old)
        if let area {
            patches.forget(area.start..<area.end, in: stub)
            areas.remove(area.start..<area.end)
            areas.insert(area)
        }
    }

    /// Nobody is about to unmap anything.
    var isSettled: Bool { vanishing.isEmpty && !isChanging }

    /// Its stub has mapped zeros where nothing was.
    func wasMapped(_ range: Range<UInt>, _ protection: Protection) {
        // A guest that has forged this may not have more areas than others, nor make each look at them dear.
        guard isFree(range), areas.areas.count <= LocalMappings.mostAreas + StubProcess.mostPostedMappings else {
            return
        }
        let area = VMA(
            start: range.lowerBound, end: range.upperBound, protection: protection, isShared: false, object: nil,
            offset: 0)
        try? insert(area, limit: .max)
    }

    /// Its stub has unmapped private memory.
    func wasUnmapped(_ range: Range<UInt>) {
        if mayChangeAlone(range) { _ = takeOut(range) }
    }

    /// Its stub has put zeros there.
    func wasReplaced(_ range: Range<UInt>, _ protection: Protection) {
        guard mayChangeAlone(range) else { return }
        areas.remove(range)
        wasMapped(range, protection)
    }

    /// A part of the file.
    func wasReplaced(_ range: Range<UInt>, _ protection: Protection, by object: MappedObject, at offset: UInt) {
        let (end, overflow) = offset.addingReportingOverflow(UInt(range.count))
        guard mayChangeAlone(range), MemoryMap.isAligned(offset), !overflow, end <= UInt(Int.max),
            areas.areas.count <= LocalMappings.mostAreas + StubProcess.mostPostedMappings
        else { return }
        areas.remove(range)
        areas.insert(
            VMA(
                start: range.lowerBound, end: range.upperBound, protection: protection, isShared: false,
                object: object, offset: offset))
    }

    func wasProtected(_ range: Range<UInt>, _ protection: Protection) {
        if mayChangeAlone(range) { areas.change(range) { $0.protection = protection } }
    }

    /// The stub may change a part of its memory by itself. No jumps stand there, nor what the kernel keeps more of than the list.
    private func mayChangeAlone(_ range: Range<UInt>) -> Bool {
        areas.isPrivateData(range) && !patches.isPatched(in: range)
    }

    // MARK: Faults

    /// The `si_code` of a SIGSEGV at the address: SEGV_MAPERR where nothing is mapped, else SEGV_ACCERR.
    package func segmentationCode(at address: UInt) -> Int32 { areas.area(at: address) == nil ? 1 : 2 }
}

extension MemoryMap {
    /// The stub could not map the range after all.
    package func forget(_ range: Range<UInt>) { replace(range, with: nil) }

}

extension Kernel {
    /// True if any guest has a shared mapping of the file that may be written.
    package func isMappedForWriting(_ inode: any Inode) -> Bool {
        // Each address space once, however many threads live there.
        var known: Set<ObjectIdentifier> = []
        return threads.values.contains { thread in
            guard let map = thread.map, known.insert(ObjectIdentifier(map)).inserted else { return false }
            return map.areas.areas.contains { area in
                area.isShared && area.object?.canWriteShared == true && area.object?.file?.operations.inode === inode
            }
        }
    }
}
