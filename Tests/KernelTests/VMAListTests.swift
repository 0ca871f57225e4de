import Platform
import Testing

@testable import Kernel

@Suite("The list of areas")
struct VMAListTests {
    private static let page: UInt = 4096

    private static func area(_ pages: Range<UInt>, _ protection: Protection) -> VMA {
        VMA(
            start: pages.lowerBound * page, end: pages.upperBound * page, protection: protection, isShared: false,
            object: nil, offset: 0)
    }

    private static func bytes(_ pages: Range<UInt>) -> Range<UInt> { pages.lowerBound * page..<pages.upperBound * page }

    /// What should be at each page; nil for nothing.
    private static func check(_ list: VMAList, against model: [Protection?], _ what: String) {
        var seen = [Protection?](repeating: nil, count: model.count)
        var last: VMA?
        for area in list.areas {
            #expect(area.start < area.end, "\(what)")
            if let last {
                #expect(last.end <= area.start, "\(what)")
                // Alike neighbours are one.
                #expect(!last.continues(in: area), "\(what)")
            }
            for index in area.start / page..<area.end / page { seen[Int(index)] = area.protection }
            last = area
        }
        #expect(seen == model, "\(what)")
        #expect(list.totalLength == UInt(model.lazy.filter { $0 != nil }.count) * page, "\(what)")
    }

    @Test("keeps areas apart, joins those that are alike, and counts their bytes, whatever is done", arguments: 0..<20)
    func model(seed: UInt64) {
        var random = Generator(state: seed &+ 1)
        var list = VMAList()
        var model = [Protection?](repeating: nil, count: 48)
        for step in 0..<400 {
            let first = UInt.random(in: 0..<48, using: &random)
            let pages = first..<min(48, first + UInt.random(in: 1...12, using: &random))
            // What was once writable stays accounted, and joins nothing else: see `VMA`.
            let protection: Protection = Bool.random(using: &random) ? [.read] : [.read, .execute]
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1:
                list.remove(Self.bytes(pages))
                list.insert(Self.area(pages, protection))
                for page in pages { model[Int(page)] = protection }
            case 2:
                list.remove(Self.bytes(pages))
                for page in pages { model[Int(page)] = nil }
            case 3 where step % 16 == 0:
                list.removeAll { $0.protection == protection }
                for page in model.indices where model[page] == protection { model[page] = nil }
            default:
                // Also over holes.
                list.change(Self.bytes(pages)) { $0.protection = protection }
                for page in pages where model[Int(page)] != nil { model[Int(page)] = protection }
            }
            Self.check(list, against: model, "step \(step)")
        }
    }

    @Test("an area that fills a gap exactly joins both its neighbours")
    func gap() {
        var list = VMAList()
        list.insert(Self.area(1..<3, .read))
        list.insert(Self.area(5..<7, .read))
        list.insert(Self.area(3..<5, .read))
        #expect(list.areas.map { $0.start / Self.page..<$0.end / Self.page } == [1..<7])
        #expect(list.totalLength == 6 * Self.page)
    }

    @Test("the highest gap is the one right below, or where an aligned stretch fits", arguments: 1..<40 as Range<UInt>)
    func gaps(length: UInt) {
        var list = VMAList()
        list.insert(Self.area(100..<101, .read))
        list.insert(Self.area(60..<61, .read))
        func gap(_ pages: UInt, alignment: UInt) -> UInt? {
            list.highestGap(
                length: pages * Self.page, below: 130 * Self.page, above: 16 * Self.page,
                alignment: alignment * Self.page)
        }
        #expect(gap(length, alignment: 1) == (length <= 29 ? 130 - length : 100 - length) * Self.page)
        for alignment in [2, 8] as [UInt] {
            guard let start = gap(length, alignment: alignment) else { continue }
            #expect(start % (alignment * Self.page) == 0)
            #expect(!list.overlaps(start..<start + length * Self.page))
            #expect(start + length * Self.page <= 130 * Self.page)
            #expect(start >= 16 * Self.page)
        }
        #expect(gap(8, alignment: 8) == 120 * Self.page)
        #expect(gap(1000, alignment: 8) == nil)
    }

    @Test("areas of different names stay apart")
    func names() {
        var list = VMAList()
        var data = Self.area(1..<2, .read)
        data.label = "[vvar]"
        var image = Self.area(2..<3, .read)
        image.label = "[vdso]"
        list.insert(data)
        list.insert(image)
        #expect(list.areas.count == 2)
    }

    /// Repeatable.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            var value = state
            value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
            value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
            return value ^ value >> 31
        }
    }

    @Test(
        "tells the highest gaps without leaving one out, where each search finds what the list finds", arguments: 0..<20
    )
    func gaps(seed: UInt64) {
        var random = Generator(state: seed &+ 1)
        let (bottom, top) = (16 * Self.page, 4096 * Self.page)
        var list = VMAList()
        for _ in 0..<60 {
            let first = UInt.random(in: 0..<4200, using: &random)
            let pages = first..<first + UInt.random(in: 1...40, using: &random)
            list.remove(Self.bytes(pages))
            list.insert(Self.area(pages, Bool.random(using: &random) ? [.read] : [.read, .execute]))
        }
        let known = list.gapsAndPlainAreas(below: top, above: bottom, gaps: 16, areas: 16)
        for (gap, next) in zip(known.gaps, known.gaps.dropFirst()) { #expect(next.upperBound < gap.lowerBound) }
        for gap in known.gaps {
            #expect(!gap.isEmpty && !list.overlaps(gap) && gap.lowerBound >= bottom && gap.upperBound <= top)
        }
        for pages: UInt in 1...64 {
            let found = known.gaps.first { UInt($0.count) >= pages * Self.page }
            guard let found else { continue }
            let expected = list.highestGap(length: pages * Self.page, below: top, above: bottom)
            #expect(expected == found.upperBound - pages * Self.page)
        }
        #expect(!known.areas.isEmpty && known.areas.allSatisfy { $0.protection == 1 && list.isPrivateData($0.range) })
    }

    @Test("private data is private memory that may not be executed, without anything else about it, within one area")
    func plain() {
        var list = VMAList()
        list.insert(Self.area(1..<4, [.read, .write]))
        list.insert(Self.area(4..<6, [.read]))
        list.insert(Self.area(8..<9, [.read, .execute]))
        var locked = Self.area(9..<10, [.read])
        locked.isLocked = true
        list.insert(locked)
        var heap = Self.area(10..<11, [.read])
        heap.label = "[heap]"
        list.insert(heap)
        for pages: Range<UInt> in [1..<4, 2..<3, 4..<6] { #expect(list.isPrivateData(Self.bytes(pages))) }
        for pages: Range<UInt> in [3..<5, 0..<2, 5..<7] { #expect(!list.isPrivateData(Self.bytes(pages))) }
        for page: UInt in 6..<12 { #expect(!list.isPrivateData(Self.bytes(page..<page + 1))) }
    }
}
