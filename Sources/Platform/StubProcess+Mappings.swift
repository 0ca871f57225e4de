internal import Stub

/// A change of its address space that a stub has made by itself. A guest can forge it: then it has made that call, or its memory is
/// not what the kernel takes it for.
package struct PostedMapping: Sendable, Equatable {
    package var address: UInt
    package var length: UInt
    /// Nil for what was unmapped.
    package var protection: Int32?
}

extension StubProcess {
    /// How many gaps and areas its stub can be told of.
    package static let gaps = Int(APUS_GAPS)
    package static let plainAreas = Int(APUS_PLAIN_AREAS)
    /// How many changes a stub posts at most, before it asks.
    package static let mostPostedMappings = Int(APUS_POSTED_MAPPINGS)

    /// Says where new mappings go, descending, and what may be unmapped: see `apus_mappings`. Only while the process's one
    /// thread asks.
    package func setMappings(gaps: ArraySlice<Range<UInt>>, areas: [(range: Range<UInt>, protection: Int32)]) {
        let base = Int(APUS_MAPPINGS_OFFSET)
        func at(_ path: PartialKeyPath<apus_mappings>) -> Int {
            base + (MemoryLayout<apus_mappings>.offset(of: path) ?? 0)
        }
        contexts.store(UInt32(min(gaps.count, StubProcess.gaps)), at: at(\.gap_count))
        var place = at(\.gaps)
        for gap in gaps.prefix(StubProcess.gaps) {
            contexts.store(UInt64(gap.lowerBound), at: place)
            contexts.store(UInt64(gap.upperBound), at: place + 8)
            place += MemoryLayout<apus_gap>.stride
        }
        place = at(\.areas)
        for index in 0..<StubProcess.plainAreas {
            let area = index < areas.count ? areas[index] : (range: 0..<0, protection: 0)
            contexts.store(UInt64(area.range.lowerBound), at: place)
            contexts.store(UInt64(area.range.upperBound), at: place + 8)
            contexts.store(UInt64(UInt32(bitPattern: area.protection)), at: place + 16)
            place += MemoryLayout<apus_plain_area>.stride
        }
    }

    /// True if its stub has posted a change that was not taken.
    @inline(__always)
    package var hasPostedMapping: Bool { contexts.loadAcquiring(at: Int(APUS_MAPPINGS_OFFSET)) != takenMappings.taken }

    /// The next change that its stub has posted. No more come at a time than a stub posts.
    package func takePostedMapping() -> PostedMapping? {
        let count = contexts.loadAcquiring(at: Int(APUS_MAPPINGS_OFFSET))
        guard let place = takenMappings.next(of: count, places: APUS_POSTED_MAPPINGS) else { return nil }
        let list = Int(APUS_MAPPINGS_OFFSET) + (MemoryLayout<apus_mappings>.offset(of: \.posted) ?? 0)
        let entry = list + place * MemoryLayout<apus_posted_mapping>.stride
        let pages: UInt64 = contexts.load(at: entry)
        let length: UInt64 = contexts.load(at: entry + 8)
        let protection = Int32(truncatingIfNeeded: pages & UInt64(APUS_POSTED_PROTECTION))
        return PostedMapping(
            address: UInt(pages & ~0xfff), length: UInt(length),
            protection: pages & UInt64(APUS_POSTED_UNMAP) == 0 ? protection : nil)
    }
}
