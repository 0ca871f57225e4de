package import LinuxABI
internal import Platform
internal import VFS

/// What the stub of a process's only thread knows of its address space, where it maps, unmaps and protects private memory by itself and
/// posts what it has done: `Stub/mappings.c`, `docs/decisions/0037-memory-without-asking.md` and `0046-from-exec-to-main.md`.
///
/// It belongs to one address space with one thread. So where the stub maps is where the kernel would. The kernel carries that out
/// before it does anything from which anybody could learn of the difference; any other change of the areas takes the permission back.
final class LocalMappings {
    let stub: StubProcess
    /// Nil once the address space has ended, or its stub knows nothing of it any more.
    private var map: MemoryMap?
    /// The stub was told not to map by itself. It may be about to post a last change.
    var isRevoked = true {
        didSet {
            guard isRevoked != oldValue else { return }
            stub.setLocalAnswer(LocalAnswer.map.rawValue, isRevoked ? nil : 1)
        }
    }
    private var isCarryingOut = false
    /// Of the file that its stub was told to keep.
    var kept: MappedObject?

    init(_ map: MemoryMap) {
        stub = map.stub
        self.map = map
    }

    func release() {
        isRevoked = true
        (map, kept) = (nil, nil)
    }

    /// The areas are not what the stub was told.
    @inline(__always)
    func areasHaveChanged() { if !isCarryingOut { isRevoked = true } }

    /// Tells the stub how things stand. Only while the thread asks, at the end of its call.
    func tell() {
        guard let map else { return }
        let known = map.areas.gapsAndPlainAreas(
            below: map.mappingTop, above: MemoryMap.lowest, gaps: StubProcess.gaps, areas: StubProcess.plainAreas)
        // Trampolines go before anything is mapped there, which is the kernel's to see to.
        let gaps = known.gaps.prefix { !map.patches.mayStand(in: $0) }
        stub.setKept(nil)
        stub.setMappings(gaps: gaps, areas: known.areas.filter { !$0.isOfFile || !map.patches.isPatched(in: $0.range) })
        isRevoked = false
    }

    /// With more areas the kernel does it itself: neither it nor the host has to refuse what a stub adds.
    static let mostAreas = 4096

    /// So often a stub may be told without making use of it.
    static let mostCredit = 8

    /// Does what the stub has done.
    @inline(__always)
    func carryOut() { if stub.hasPostedMapping { carryOutPosted() } }

    private func carryOutPosted() {
        guard let map else { return }
        isCarryingOut = true
        // As many as a stub posts, whatever a guest makes of their count meanwhile.
        for _ in 0..<StubProcess.mostPostedMappings {
            guard let posted = stub.takePostedMapping() else { break }
            map.coldMappings += 1
            guard let range = try? MemoryMap.range(posted.address, posted.length), !range.isEmpty,
                range.lowerBound >= MemoryMap.lowest
            else { continue }
            map.mappingsCredit = min(map.mappingsCredit + 1, LocalMappings.mostCredit)
            switch posted.change {
            case .mapped(let protection): map.wasMapped(range, Protection(rawValue: protection))
            case .unmapped: map.wasUnmapped(range)
            case .replaced(let protection): map.wasReplaced(range, Protection(rawValue: protection))
            case .replacedByFile(let protection, let offset):
                guard let kept, let file = kept.file, (try? file.operations.mapping(file)) != nil else { break }
                map.wasReplaced(range, Protection(rawValue: protection), by: kept, at: offset)
            case .protected(let protection): map.wasProtected(range, Protection(rawValue: protection))
            }
        }
        isCarryingOut = false
        if map.areas.areas.count > LocalMappings.mostAreas { isRevoked = true }
    }
}

extension Kernel {
    /// Nothing is posted there any more.
    func dropMappings(of map: MemoryMap) {
        guard let old = map.localMappings else { return }
        map.localMappings = nil
        old.release()
        localMappings.removeAll { $0 === old }
    }
}

extension Process {
    /// A limit of its memory has changed.
    package func revokeMappings() { threads.first?.map?.localMappings?.isRevoked = true }
}

extension GuestThread {
    /// A call of a kind that its stub could carry out by itself, if it knew where. Its change has been made.
    @inline(__always)
    package func countColdMapping() {
        guard let map else { return }
        map.coldMappings += 1
        if map.coldMappings >= GuestThread.hotMappings { leaveMappings(map) }
    }

    /// So many calls of the kernel's own come before a stub is told, or as many that it has carried out since it was told last.
    private static let hotMappings = 16

    /// It has mapped what its program writes of a file: mostly the last part of a library, after which its loader maps zeros, and protects.
    package func countMappedData() { leaveMappingsEarly() }

    /// It has mapped a file where nothing was: mostly all of a library, of which its loader maps the parts next, over it.
    package func countMappedFile(_ object: MappedObject, of number: FileNumber) {
        guard let map, map.mappingsCredit > 0, map.users == 1 else { return }
        leaveMappingsEarly()
        guard let local = map.localMappings, !local.isRevoked else { return }
        local.kept = object
        map.stub.setKept(number.rawValue)
        keepFile()
    }

    /// A program begins.
    func leaveMappingsAtOnce() {
        map?.mappingsCredit = LocalMappings.mostCredit
        leaveMappingsEarly()
    }

    private func leaveMappingsEarly() {
        guard let map, map.mappingsCredit > 0,
            map.localMappings != nil || kernel.localMappings.count < GuestThread.mostToldAtOnce
        else { return }
        map.mappingsCredit -= 1
        leaveMappings(map)
    }

    /// What they have posted is looked for before anything is done for anybody.
    private static let mostToldAtOnce = 64

    private func leaveMappings(_ map: MemoryMap) {
        map.coldMappings = 0
        guard map.users == 1, kernel.sink == nil, kernel.platform?.isTracing == false, map.isSettled,
            map.futureLock == nil,
            process.limits.addressSpace.soft == .max, process.limits.values[ResourceNumber.data].soft == .max,
            map.areas.areas.count <= LocalMappings.mostAreas
        else { return }
        let local = map.localMappings ?? LocalMappings(map)
        if map.localMappings == nil {
            map.localMappings = local
            kernel.localMappings.append(local)
        }
        local.tell()
    }
}
