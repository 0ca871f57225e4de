/// The mappings of a process, so that an address can be told by what is mapped there instead of by a number that
/// changes with every run.
struct AddressSpace {
    private struct Region {
        var start: UInt64
        var end: UInt64
        /// What offsets count from: the start of the mapping that it was cut from.
        var base: UInt64
        var label: String
    }

    /// Sorted; they don't overlap.
    private var regions: [Region] = []

    /// `libc.so.6+0x26000`, or nil for an address in nothing that was mapped by a call.
    func symbol(_ address: UInt64) -> String? {
        if let region = region(at: address) { return AddressSpace.text(region.label, address &- region.base) }
        // The end of a mapping belongs to it, too: it is where the next one is asked for.
        if address > 0, let region = region(at: address - 1) {
            return AddressSpace.text(region.label, address &- region.base)
        }
        return nil
    }

    /// A successful mmap(2).
    mutating func map(_ start: UInt64, _ length: UInt64, label: String, isFixed: Bool) {
        guard let end = AddressSpace.end(start, length) else { return }
        // The loader lays a library's parts over a first mapping of the whole: they stay parts of it.
        if isFixed, let around = region(at: start), end <= around.end { return }
        unmap(start, length)
        let index = regions.firstIndex { $0.start > start } ?? regions.count
        regions.insert(Region(start: start, end: end, base: start, label: label), at: index)
    }

    /// A successful munmap(2).
    mutating func unmap(_ start: UInt64, _ length: UInt64) {
        guard let end = AddressSpace.end(start, length) else { return }
        guard let first = regions.firstIndex(where: { $0.end > start }) else { return }
        var kept: [Region] = []
        var next = first
        while next < regions.count, regions[next].start < end {
            let old = regions[next]
            if old.start < start {
                var left = old
                left.end = start
                kept.append(left)
            }
            if old.end > end {
                var right = old
                right.start = end
                kept.append(right)
            }
            next += 1
        }
        regions.replaceSubrange(first..<next, with: kept)
    }

    /// A successful mremap(2).
    mutating func move(_ old: UInt64, _ oldLength: UInt64, to new: UInt64, _ newLength: UInt64) {
        let label = region(at: old)?.label ?? "moved"
        unmap(old, oldLength)
        map(new, newLength, label: label, isFixed: false)
    }

    private func region(at address: UInt64) -> Region? {
        var low = 0
        var high = regions.count
        while low < high {
            let middle = (low + high) / 2
            if regions[middle].end <= address { low = middle + 1 } else { high = middle }
        }
        return low < regions.count && regions[low].start <= address ? regions[low] : nil
    }

    private static func text(_ label: String, _ offset: UInt64) -> String {
        offset == 0 ? label : label + "+0x" + String(offset, radix: 16)
    }

    /// The end of a mapping in whole pages; nil if it is empty or wraps.
    private static func end(_ start: UInt64, _ length: UInt64) -> UInt64? {
        let (rounded, overflow) = length.addingReportingOverflow(4095)
        guard !overflow, length > 0 else { return nil }
        let (end, wraps) = start.addingReportingOverflow(rounded & ~4095)
        return wraps ? nil : end
    }
}
