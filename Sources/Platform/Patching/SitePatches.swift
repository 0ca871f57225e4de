package import LinuxABI

/// The patched call sites of one address space.
///
/// What a guest sees of its registers must not show them: an address inside a trampoline or an island is shown as the
/// site's, and a thread that is to go on in the middle of one goes on in the trampoline.
package struct SitePatches {
    private struct Site {
        /// Of the `syscall` instruction.
        var address: UInt
        var slot: UInt
        /// The call that its trampoline answers by itself; nil for none.
        var answered: UInt?
        var way: SitePlan.Way
        /// What was there, with addresses: for a page to become its file's again.
        var originals: [(address: UInt, bytes: [UInt8])]

        var page: UInt { address & ~4095 }
        /// Where the written stretch at the site begins.
        var start: UInt { way.isOverMove ? address - UInt(SitePlan.moveSize) : address }
    }

    /// A range of the guest's address space that holds trampolines, and that no guest is told of.
    private struct Zone {
        var range: Range<UInt>
        var next: UInt
        var free: [UInt] = []
    }

    private var zones: [Zone] = []
    private var sites: [UInt: Site] = [:]
    /// Where they are, ascending: most changes of the address space touch none of them.
    private var pages: [UInt] = []
    /// From a slot to its site.
    private var slots: [UInt: UInt] = [:]
    /// From an island to its site.
    private var islands: [UInt: UInt] = [:]
    /// Where no way was found; forgotten when there are too many, since a guest chooses them.
    private var refused: Set<UInt> = []
    private static let maximumRefused = 4096

    package init() {}

    package static let zoneSize: UInt = 32768

    @inline(__always)
    package var isEmpty: Bool { sites.isEmpty }
    package var count: Int { sites.count }

    /// From now on trampolines may stand in a range of `zoneSize`, which the stub has mapped for reading and execution.
    package mutating func addZone(at start: UInt) {
        zones.append(Zone(range: start..<start + SitePatches.zoneSize, next: start))
    }

    /// True if trampolines have their place in a part of the range.
    package func mayStand(in range: Range<UInt>) -> Bool { zones.contains { $0.range.overlaps(range) } }

    // MARK: Writing

    /// Makes a jump of the site that ends at `resume`. No thread of the address space may be running guest code.
    /// - Parameters:
    ///   - resume: the address after the site.
    ///   - number: the call that came from there.
    ///   - answer: its place among the local answers.
    ///   - process: whose text it is.
    ///   - isText: true for an address in private, executable, read-only memory of a file.
    /// - Returns: false if the site stays as it is.
    @discardableResult
    package mutating func patch(
        resumingAt resume: UInt, number: Int, answer: Int?, in process: StubProcess, isText: (UInt) -> Bool
    ) -> Bool {
        let address = resume &- 2
        guard resume >= 4096, sites[address] == nil, !refused.contains(address), address & 4095 <= 4094,
            isText(address), let number = UInt32(exactly: number)
        else { return false }
        let page = address & ~4095
        guard let bytes = originalPage(page, process),
            let plan = SitePlan(
                page: bytes, site: Int(address - page), number: Int(number), taken: takenOffsets(page)),
            let slot = takeSlot(near: address)
        else {
            refuse(address)
            return false
        }
        var site = Site(
            address: address, slot: slot, answered: answer == nil ? nil : UInt(number), way: plan.way, originals: [])
        let trampoline = Trampoline(slot: slot, resume: resume, number: number, answer: answer)
        guard let code = trampoline.code, let stretches = stretches(site, page) else {
            giveBack(slot)
            refuse(address)
            return false
        }
        site.originals = stretches.map { stretch in
            let offset = Int(stretch.address - page)
            return (stretch.address, Array(bytes[offset..<offset + stretch.bytes.count]))
        }
        // In this order: what is jumped to stands before the jump.
        do throws(Errno) {
            try process.writeText([(slot, code)] + stretches)
        } catch {
            // What was written before the failure is nowhere else remembered. The jump at the site comes last: only what
            // nobody runs may stand there now.
            if (try? process.writeText(site.originals.reversed())) == nil, isIntact(site, process) == false {
                process.endForItsText()
            }
            giveBack(slot)
            refuse(address)
            return false
        }
        sites[address] = site
        notePages()
        slots[slot] = address
        if case .island(let offset) = plan.way { islands[page + UInt(offset)] = address }
        return true
    }

    /// What is written into the site's page, the jump at the site last; nil where something is out of reach.
    private func stretches(_ site: Site, _ page: UInt) -> [(address: UInt, bytes: [UInt8])]? {
        switch site.way {
        case .island(let offset):
            let island = page + UInt(offset)
            guard let jump = Trampoline.jump(at: island, to: site.slot + Trampoline.callOffset) else { return nil }
            return [(island, jump), (site.address, [0xeb, UInt8(truncatingIfNeeded: island - site.address - 2)])]
        case .overMove(let offset):
            let move = page + UInt(offset)
            guard let jump = Trampoline.jump(at: move, to: site.slot + Trampoline.moveOffset) else { return nil }
            // 06 is no instruction: whoever jumps at the call itself is caught, and makes it.
            return [(move, jump + [0x06, 0x06])]
        }
    }

    private mutating func giveBack(_ slot: UInt) {
        for index in zones.indices where zones[index].range.contains(slot) { zones[index].free.append(slot) }
    }

    /// True if the site's own bytes are what its file says; nil where they cannot be read.
    private func isIntact(_ site: Site, _ process: StubProcess) -> Bool? {
        for (address, original) in site.originals {
            let now = try? [UInt8](capacity: original.count) { output throws(Errno) in
                try process.memory.read(original.count, at: address, into: &output)
            }
            guard let now else { return nil }
            if now != original { return false }
        }
        return true
    }

    private mutating func refuse(_ address: UInt) {
        if refused.count >= SitePatches.maximumRefused { refused = [] }
        refused.insert(address)
    }

    /// The page without what was written into it.
    private func originalPage(_ page: UInt, _ process: StubProcess) -> [UInt8]? {
        var bytes: [UInt8]
        do throws(Errno) {
            bytes = try [UInt8](capacity: 4096) { output throws(Errno) in
                try process.memory.read(4096, at: page, into: &output)
            }
        } catch {
            return nil
        }
        for site in sites.values where site.page == page {
            for (address, original) in site.originals {
                let offset = Int(address - page)
                bytes.replaceSubrange(offset..<offset + original.count, with: original)
            }
        }
        return bytes
    }

    private func takenOffsets(_ page: UInt) -> Set<Int> {
        var taken: Set<Int> = []
        for island in islands.keys where island & ~4095 == page {
            taken.formUnion(Int(island - page)..<Int(island - page) + SitePlan.islandSize)
        }
        return taken
    }

    private mutating func takeSlot(near address: UInt) -> UInt? {
        for index in zones.indices {
            guard Trampoline.distance(from: address, to: zones[index].range.lowerBound) != nil else { continue }
            if let free = zones[index].free.popLast() { return free }
            guard zones[index].next < zones[index].range.upperBound else { continue }
            defer { zones[index].next += Trampoline.size }
            return zones[index].next
        }
        return nil
    }

    // MARK: Changes of the address space

    /// The pages of the range go, or become their file's again.
    package mutating func forget(_ range: Range<UInt>, in process: StubProcess) {
        guard !zones.isEmpty else { return }
        if zones.contains(where: { $0.range.overlaps(range) }) { dropZones(overlapping: range, in: process) }
        guard isPatched(in: range) else { return }
        for site in sites.values where range.contains(site.page) { remove(site) }
    }

    /// True if a page that begins in the range has sites.
    package func isPatched(in range: Range<UInt>) -> Bool {
        var (low, high) = (0, pages.count)
        while low < high {
            let middle = (low + high) / 2
            if pages[middle] < range.lowerBound { low = middle + 1 } else { high = middle }
        }
        return low < pages.count && pages[low] < range.upperBound
    }

    private mutating func notePages() { pages = Set(sites.values.lazy.map(\.page)).sorted() }

    /// The pages of the range become what their file says: they are about to be moved, or written to.
    package mutating func restore(_ range: Range<UInt>, in process: StubProcess) {
        guard isPatched(in: range) else { return }
        for site in sites.values where range.contains(site.page) { restore(site, in: process) }
    }

    /// What cannot be made its file's again would go on jumping to where soon nothing is, or somebody else: its process ends.
    private mutating func restore(_ site: Site, in process: StubProcess) {
        if (try? process.writeText(site.originals.reversed())) == nil, isIntact(site, process) == false {
            process.endForItsText()
        }
        remove(site)
    }

    /// Every site becomes a trap again, and none is patched any more.
    package mutating func restoreAll(in process: StubProcess) {
        restore(0..<UInt.max, in: process)
        zones = []
    }

    private mutating func dropZones(overlapping range: Range<UInt>, in process: StubProcess) {
        for zone in zones where zone.range.overlaps(range) {
            for site in sites.values where zone.range.contains(site.slot) { restore(site, in: process) }
        }
        zones.removeAll { $0.range.overlaps(range) }
    }

    private mutating func remove(_ site: Site) {
        sites[site.address] = nil
        notePages()
        slots[site.slot] = nil
        if case .island(let offset) = site.way { islands[site.page + UInt(offset)] = nil }
        giveBack(site.slot)
    }

    // MARK: What a guest sees

    /// Registers as they would be without patches.
    package func canonical(_ registers: inout UserRegisters) {
        let rip = registers.rip
        if let zone = zones.first(where: { $0.range.contains(rip) }) {
            let offset = (rip - zone.range.lowerBound) % Trampoline.size
            guard let address = slots[rip - offset], let site = sites[address] else { return }
            // Before the trampoline's `mov` has run nothing has; after it, the call is made anew, whose number a local
            // answer may have overwritten.
            if offset < Trampoline.callOffset, site.way.isOverMove {
                registers.rip = site.start
            } else {
                registers.rip = address
                if offset >= Trampoline.answerOffset, let number = site.answered { registers.rax = number }
            }
        } else if let address = islands[rip] {
            registers.rip = address
        }
    }

    /// Where a thread goes on that was to go on at `rip`: in the trampoline, for an address in the middle of a jump.
    package func resumption(at rip: UInt) -> UInt {
        guard let site = sites[rip], site.way.isOverMove else { return rip }
        return site.slot + Trampoline.callOffset
    }

    /// True for the address of a `syscall` that is no instruction any more: its fault is the call.
    package func isCall(at rip: UInt) -> Bool { sites[rip]?.way.isOverMove ?? false }
}

extension SitePlan.Way {
    var isOverMove: Bool {
        if case .overMove = self { true } else { false }
    }
}
