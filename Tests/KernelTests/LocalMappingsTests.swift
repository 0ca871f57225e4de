import Stub
import Testing

@testable import Kernel
@testable import Platform

/// No guest runs here: the test writes for the stub, and for a guest that writes over what the two share.
@Suite("What a stub is told of its memory", .serialized)
struct LocalMappingsTests {
    private let platform: TrapPlatform
    private let stub: StubProcess
    private let map: MemoryMap
    private let local: LocalMappings
    private static let page: UInt = 4096
    private static let base: UInt = 1 << 32

    private static func bytes(_ pages: Range<UInt>) -> Range<UInt> {
        base + pages.lowerBound * page..<base + pages.upperBound * page
    }

    private static func area(_ pages: Range<UInt>, _ protection: Protection = [.read, .write]) -> VMA {
        let range = bytes(pages)
        return VMA(
            start: range.lowerBound, end: range.upperBound, protection: protection, isShared: false, object: nil,
            offset: 0)
    }

    /// Plain from page 10 to 20, program text from 30 to 40.
    init() throws {
        platform = try TrapPlatform()
        stub = try StubProcess(platform: platform)
        map = MemoryMap(stub: stub)
        _ = try map.add(Self.area(10..<20), limit: .max)
        _ = try map.add(Self.area(30..<40, [.read, .execute]), limit: .max)
        local = LocalMappings(map)
        map.localMappings = local
    }

    // MARK: What is shared

    private func place(_ path: PartialKeyPath<apus_mappings>, _ offset: Int = 0) -> Int {
        Int(APUS_MAPPINGS_OFFSET) + (MemoryLayout<apus_mappings>.offset(of: path) ?? 0) + offset
    }

    private var isPermitted: Bool {
        stub.contexts.load(UInt64.self, at: Int(APUS_ANSWERS_OFFSET) + 16 * Int(APUS_LOCAL_MAP)) == 1
    }

    private func gap(_ index: Int) -> Range<UInt> {
        let start: UInt64 = stub.contexts.load(at: place(\.gaps, 16 * index))
        let end: UInt64 = stub.contexts.load(at: place(\.gaps, 16 * index + 8))
        return UInt(start)..<UInt(end)
    }

    private func post(_ range: Range<UInt>, _ bits: UInt64, offset: UInt64 = 0) {
        post(UInt64(range.lowerBound) | bits, UInt64(range.count), offset: offset)
    }

    private func post(_ word: UInt64, _ length: UInt64, offset: UInt64 = 0) {
        let count = stub.contexts.loadAcquiring(at: place(\.count))
        let entry = place(
            \.posted, MemoryLayout<apus_posted_mapping>.stride * Int(count % UInt32(APUS_POSTED_MAPPINGS)))
        stub.contexts.store(word, at: entry)
        stub.contexts.store(length, at: entry + 8)
        stub.contexts.store(offset, at: entry + 16)
        stub.contexts.increment(at: place(\.count))
    }

    private var pages: [Range<UInt>] {
        map.areas.areas.map { ($0.start - Self.base) / Self.page..<($0.end - Self.base) / Self.page }
    }

    private static let unmapped = UInt64(APUS_POSTED_UNMAP)

    // MARK: Tests

    @Test("it is told its gaps from the top, and which areas are plain; any other change takes the permission back")
    func told() throws {
        #expect(!isPermitted)
        local.tell()
        #expect(isPermitted)
        #expect(stub.contexts.load(UInt32.self, at: place(\.gap_count)) == 3)
        #expect(gap(0) == Self.bytes(40..<40).lowerBound..<map.mappingTop)
        #expect(gap(1) == Self.bytes(20..<30) && gap(2) == MemoryMap.lowest..<Self.bytes(10..<10).lowerBound)
        #expect(stub.contexts.load(UInt64.self, at: place(\.areas)) == UInt64(Self.bytes(10..<20).lowerBound))
        #expect(stub.contexts.load(UInt64.self, at: place(\.areas, 24 + 8)) == 0)
        _ = try map.protect(Self.bytes(12..<13), [.read])
        #expect(!isPermitted)
        local.tell()
        map.futureLock = .present
        #expect(!isPermitted)
    }

    @Test("what it has done is done to the list, in its order, and leaves the permission")
    func carriedOut() {
        local.tell()
        post(Self.bytes(44..<48), 3)
        post(Self.bytes(45..<46), Self.unmapped)
        post(Self.bytes(20..<24), 3)
        local.carryOut()
        #expect(pages == [10..<24, 30..<40, 44..<45, 46..<48])
        #expect(isPermitted && !stub.hasPostedMapping)
        post(Self.bytes(12..<24), Self.unmapped | 3)
        post(Self.bytes(15..<16), 1)
        local.carryOut()
        #expect(pages == [10..<12, 15..<16, 30..<40, 44..<45, 46..<48])
        #expect(map.areas.area(at: Self.bytes(15..<16).lowerBound)?.protection == .read)
    }

    @Test("private data of a file is told as such, and changes as what has none")
    func ofFile() throws {
        var file = Self.area(50..<60)
        file.object = MappedObject(file: nil, descriptor: -1, ownsDescriptor: false, canWriteShared: false)
        _ = try map.add(file, limit: .max)
        local.tell()
        let told: UInt64 = stub.contexts.load(at: place(\.areas, 16))
        #expect(told == 3 | UInt64(APUS_AREA_OF_FILE))
        post(Self.bytes(50..<52), UInt64(APUS_POSTED_PROTECT) | 1)
        post(Self.bytes(54..<56), UInt64(APUS_POSTED_REPLACE) | 3)
        post(Self.bytes(58..<59), Self.unmapped)
        // Text, an edge, nothing.
        for pages: Range<UInt> in [32..<34, 48..<51, 70..<71] {
            post(Self.bytes(pages), UInt64(APUS_POSTED_PROTECT) | 3)
            post(Self.bytes(pages), UInt64(APUS_POSTED_REPLACE) | 3)
        }
        local.carryOut()
        #expect(
            pages == [10..<20, 30..<40, 50..<52, 52..<54, 54..<56, 56..<58, 59..<60] && isPermitted)
        func area(_ page: UInt) -> VMA? { map.areas.area(at: Self.bytes(page..<page).lowerBound) }
        #expect(area(50)?.protection == .read && area(50)?.object != nil && area(54)?.object == nil)
        #expect(area(56)?.offset == 6 * Self.page && area(33)?.protection == [.read, .execute])
    }

    @Test("what a guest forges is left out where it is no plain memory, or not a guest's")
    func forged() {
        local.tell()
        // Over what is there, text, over an edge, nothing there, none at all.
        post(Self.bytes(18..<22), 3)
        post(Self.bytes(32..<33), Self.unmapped)
        post(Self.bytes(8..<12), Self.unmapped)
        post(Self.bytes(25..<26), Self.unmapped)
        post(Self.bytes(25..<25), 3)
        // The stub's own, below all, past the end.
        post(UInt64(APUS_STUB_BASE) | 3, 4096)
        post(UInt64(APUS_STUB_CONTEXTS) | Self.unmapped, 4096)
        post(3, 4096)
        post(~0xfff | 3, 8192)
        post(UInt64(Self.base) | 3, .max)
        local.carryOut()
        #expect(pages == [10..<20, 30..<40])
        // More than a stub posts.
        for index: UInt in 0..<20 { post(Self.bytes(100 + 2 * index..<101 + 2 * index), 3) }
        local.carryOut()
        #expect(pages == [10..<20, 30..<40] && !stub.hasPostedMapping)
    }

    @Test("with too many areas there is no permission, and no post adds more")
    func bounded() {
        local.tell()
        var next: UInt = 100
        for _ in 0..<400 {
            for _ in 0..<16 {
                post(Self.bytes(next..<next + 1), 3)
                next += 2
            }
            local.carryOut()
        }
        #expect(!isPermitted)
        #expect(map.areas.areas.count <= LocalMappings.mostAreas + StubProcess.mostPostedMappings + 1)
    }

    @Test("after its end nothing is carried out")
    func released() {
        local.tell()
        local.release()
        #expect(!isPermitted)
        post(Self.bytes(44..<48), 3)
        local.carryOut()
        #expect(pages == [10..<20, 30..<40])
    }
}
