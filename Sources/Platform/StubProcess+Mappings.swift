internal import Stub

/// A change of its address space that a stub has made by itself. A guest can forge it: then it has made that call, or its memory is
/// not what the kernel takes it for.
package struct PostedMapping: Sendable, Equatable {
    package var address: UInt
    package var length: UInt
    package var change: Change

    package enum Change: Sendable, Equatable {
        case mapped(Int32)
        case unmapped
        /// Zeros instead of what was there.
        case replaced(Int32)
        /// A part of the kept file instead of what was there.
        case replacedByFile(Int32, offset: UInt)
        case protected(Int32)
    }
}

/// An area of which its stub may map, unmap and protect parts.
package struct ToldArea: Sendable, Equatable {
    package var range: Range<UInt>
    package var protection: Int32
    package var isOfFile: Bool

    package init(range: Range<UInt>, protection: Int32, isOfFile: Bool) {
        self.range = range
        self.protection = protection
        self.isOfFile = isOfFile
    }

    fileprivate var word: UInt64 {
        let rights = UInt64(UInt32(bitPattern: protection)) & UInt64(APUS_POSTED_PROTECTION)
        return rights | (isOfFile ? UInt64(APUS_AREA_OF_FILE) : 0)
    }
}

extension StubProcess {
    /// How many gaps and areas its stub can be told of.
    package static let gaps = Int(APUS_GAPS)
    package static let plainAreas = Int(APUS_PLAIN_AREAS)
    /// How many changes a stub posts at most, before it asks.
    package static let mostPostedMappings = Int(APUS_POSTED_MAPPINGS)

    /// Says where new mappings go, descending, and what may be unmapped: see `apus_mappings`. Only while the process's one
    /// thread asks.
    package func setMappings(gaps: ArraySlice<Range<UInt>>, areas: [ToldArea]) {
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
            let area = index < areas.count ? areas[index] : ToldArea(range: 0..<0, protection: 0, isOfFile: false)
            contexts.store(UInt64(area.range.lowerBound), at: place)
            contexts.store(UInt64(area.range.upperBound), at: place + 8)
            contexts.store(area.word, at: place + 16)
            place += MemoryLayout<apus_plain_area>.stride
        }
    }

    /// The descriptor's file is kept by its stub as it carries out `keepFile`; nil for none. Only while the process's one thread asks.
    package func setKept(_ number: Int32?) {
        let word = number.map { UInt32(bitPattern: $0) &+ 1 } ?? 0
        let place = MemoryLayout<apus_mappings>.offset(of: \.kept_number) ?? 0
        contexts.store(word, at: Int(APUS_MAPPINGS_OFFSET) + place)
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
        let kinds = APUS_POSTED_UNMAP | APUS_POSTED_PROTECT | APUS_POSTED_REPLACE | APUS_POSTED_FILE
        let change: PostedMapping.Change =
            switch pages & UInt64(kinds) {
            case 0: .mapped(protection)
            case UInt64(APUS_POSTED_PROTECT): .protected(protection)
            case UInt64(APUS_POSTED_REPLACE): .replaced(protection)
            case UInt64(APUS_POSTED_REPLACE | APUS_POSTED_FILE):
                .replacedByFile(
                    protection | (pages & UInt64(APUS_POSTED_EXECUTE) == 0 ? 0 : 4),
                    offset: UInt(contexts.load(UInt64.self, at: entry + 16)))
            default: .unmapped
            }
        return PostedMapping(address: UInt(pages & ~0xfff), length: UInt(length), change: change)
    }
}
