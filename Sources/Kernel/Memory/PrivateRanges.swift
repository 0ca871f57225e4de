internal import LinuxABI
internal import Platform

/// Which memory the stub of an address space knows to be private, without a file and not locked: the stacks of its threads, mostly. The
/// kernel keeps nothing of what is in it, so that advice to drop it is the stub's own affair; and a word in it concerns nobody else.
struct PrivateRanges {
    /// As told; nil for a place that is free.
    private(set) var told = [Range<UInt>?](repeating: nil, count: StubProcess.privateRanges)
    private var next = 0

    func holds(_ address: UInt) -> Bool { told.contains { $0?.contains(address) == true } }

    mutating func add(_ range: Range<UInt>, of stub: StubProcess) {
        // One that it has grown from says nothing new.
        for case (let index, let old?) in told.enumerated() where old.overlaps(range) { take(index, of: stub) }
        let index = told.firstIndex(of: nil) ?? next
        next = (index + 1) % told.count
        told[index] = range
        stub.setPrivateRange(index, range)
    }

    mutating func take(_ index: Int, of stub: StubProcess) {
        told[index] = nil
        stub.setPrivateRange(index, nil)
    }
}

extension MemoryMap {
    /// The areas have changed: what is not private any more is taken back, before the call that has changed it returns.
    func checkToldRanges() {
        guard var ranges = toldRanges else { return }
        var hasChanged = false
        for case (let index, let range?) in ranges.told.enumerated() where !areas.isPlainThroughout(range) {
            ranges.take(index, of: stub)
            hasChanged = true
        }
        if hasChanged { toldRanges = ranges }
    }
}

extension VMAList {
    /// Plain areas without a gap between, of which the address is in one; nil where it is in none.
    func plainStretch(around address: UInt) -> Range<UInt>? {
        let index = index(endingAbove: address)
        guard index < areas.count, areas[index].start <= address, areas[index].isPlain else { return nil }
        var (first, last) = (index, index)
        while first > 0, index - first < VMAList.longestStretch, areas[first - 1].end == areas[first].start,
            areas[first - 1].isPlain
        { first -= 1 }
        while last + 1 < areas.count, last - index < VMAList.longestStretch, areas[last + 1].start == areas[last].end,
            areas[last + 1].isPlain
        { last += 1 }
        return areas[first].start..<areas[last].end
    }

    private static let longestStretch = 16

    func isPlainThroughout(_ range: Range<UInt>) -> Bool {
        var next = range.lowerBound
        var index = index(endingAbove: next)
        while next < range.upperBound {
            guard index < areas.count, areas[index].start <= next, areas[index].isPlain else { return false }
            next = areas[index].end
            index += 1
        }
        return true
    }
}

extension Kernel {
    /// The stub is told of private memory around the address, if there is some and nobody wants to hear of each call.
    package func tellPrivateRange(around address: UInt, of map: MemoryMap) {
        guard sink == nil, platform?.isTracing == false, map.toldRanges?.holds(address) != true,
            let range = map.areas.plainStretch(around: address)
        else { return }
        var ranges = map.toldRanges ?? PrivateRanges()
        ranges.add(range, of: map.stub)
        map.toldRanges = ranges
    }
}
