internal import Platform

/// The areas of one address space, ascending and disjoint. What the guest may see of its memory follows from it.
package struct VMAList {
    package private(set) var areas: [VMA] = []
    /// The bytes of all areas together.
    package private(set) var totalLength: UInt = 0

    package init() {}

    /// The index of the first area that ends above the address; `areas.count` if none does.
    package func index(endingAbove address: UInt) -> Int {
        var low = 0
        var high = areas.count
        while low < high {
            let middle = (low + high) / 2
            if areas[middle].end > address { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The area that holds the address.
    package func area(at address: UInt) -> VMA? {
        let index = index(endingAbove: address)
        guard index < areas.count, areas[index].start <= address else { return nil }
        return areas[index]
    }

    package func overlaps(_ range: Range<UInt>) -> Bool {
        let index = index(endingAbove: range.lowerBound)
        return index < areas.count && areas[index].start < range.upperBound
    }

    /// True if every byte of the range is in some area.
    package func covers(_ range: Range<UInt>) -> Bool {
        var next = range.lowerBound
        var index = index(endingAbove: next)
        while next < range.upperBound {
            guard index < areas.count, areas[index].start <= next else { return false }
            next = areas[index].end
            index += 1
        }
        return true
    }

    /// True if every byte of the range may be accessed so.
    package func allows(_ access: Protection, in range: Range<UInt>) -> Bool {
        var next = range.lowerBound
        var index = index(endingAbove: next)
        while next < range.upperBound {
            guard index < areas.count, areas[index].start <= next, areas[index].protection.isSuperset(of: access) else {
                return false
            }
            next = areas[index].end
            index += 1
        }
        return true
    }

    /// True if every byte of the range may be written, and none lies in a shared mapping of a file, of which the pages
    /// beyond the file's end fail whatever the mapping allows.
    package func surelyTakes(_ range: Range<UInt>) -> Bool {
        guard allows(.write, in: range) else { return false }
        var index = index(endingAbove: range.lowerBound)
        while index < areas.count, areas[index].start < range.upperBound {
            if areas[index].isShared, areas[index].object?.file != nil { return false }
            index += 1
        }
        return true
    }

    /// The parts of areas that lie in the range, clipped to it.
    package func parts(in range: Range<UInt>) -> [VMA] {
        var parts: [VMA] = []
        var index = index(endingAbove: range.lowerBound)
        while index < areas.count, areas[index].start < range.upperBound {
            let area = areas[index]
            parts.append(area.part(from: max(area.start, range.lowerBound), to: min(area.end, range.upperBound)))
            index += 1
        }
        return parts
    }

    /// Takes everything in the range out, splitting what reaches over its ends.
    package mutating func remove(_ range: Range<UInt>) {
        let first = index(endingAbove: range.lowerBound)
        guard first < areas.count, areas[first].start < range.upperBound else { return }
        // Mostly it is just one area.
        if areas[first].start == range.lowerBound, areas[first].end == range.upperBound {
            totalLength -= areas[first].length
            areas.remove(at: first)
            return
        }
        var last = first
        var kept: [VMA] = []
        while last < areas.count, areas[last].start < range.upperBound {
            let area = areas[last]
            if area.start < range.lowerBound { kept.append(area.part(from: area.start, to: range.lowerBound)) }
            if area.end > range.upperBound { kept.append(area.part(from: range.upperBound, to: area.end)) }
            totalLength -= area.length
            last += 1
        }
        for area in kept { totalLength += area.length }
        areas.replaceSubrange(first..<last, with: kept)
    }

    /// Puts an area where nothing is, and joins it with its neighbours where they are alike.
    package mutating func insert(_ area: VMA) {
        guard area.start < area.end else { return }
        totalLength += area.length
        let index = index(endingAbove: area.start)
        let joinsNext = index < areas.count && area.continues(in: areas[index])
        if index > 0, areas[index - 1].continues(in: area) {
            areas[index - 1].end = area.end
            guard joinsNext else { return }
            areas[index - 1].end = areas[index].end
            areas.remove(at: index)
        } else if joinsNext {
            let end = areas[index].end
            areas[index] = area
            areas[index].end = end
        } else {
            areas.insert(area, at: index)
        }
    }

    /// Takes whole areas out.
    mutating func removeAll(where isUnwanted: (VMA) -> Bool) {
        for area in areas where isUnwanted(area) { totalLength -= area.length }
        areas.removeAll(where: isUnwanted)
    }

    /// Changes what of areas lies in the range.
    package mutating func change(_ range: Range<UInt>, _ change: (inout VMA) -> Void) {
        // All at once: a guest can have tens of thousands of areas, and an array moves what lies behind each insertion.
        let first = index(endingAbove: range.lowerBound)
        var last = first
        var changed: [VMA] = []
        func append(_ area: VMA) {
            if let before = changed.last, before.continues(in: area) {
                changed[changed.count - 1].end = area.end
            } else if area.start < area.end {
                changed.append(area)
            }
        }
        while last < areas.count, areas[last].start < range.upperBound {
            let area = areas[last]
            if area.start < range.lowerBound { append(area.part(from: area.start, to: range.lowerBound)) }
            var part = area.part(from: max(area.start, range.lowerBound), to: min(area.end, range.upperBound))
            change(&part)
            append(part)
            if area.end > range.upperBound { append(area.part(from: range.upperBound, to: area.end)) }
            last += 1
        }
        guard let low = changed.first else { return }
        var begin = first
        if first > 0, areas[first - 1].continues(in: low) {
            changed[0] = areas[first - 1]
            changed[0].end = low.end
            begin -= 1
        }
        if last < areas.count, let tail = changed.last, tail.continues(in: areas[last]) {
            changed[changed.count - 1].end = areas[last].end
            last += 1
        }
        areas.replaceSubrange(begin..<last, with: changed)
    }

    /// The highest gaps, descending and without leaving one out, and on the way areas that are private memory, may not be executed and
    /// are nothing else; of no more areas than a few.
    func gapsAndPlainAreas(
        below top: UInt, above bottom: UInt, gaps mostGaps: Int, areas mostAreas: Int
    ) -> (gaps: [Range<UInt>], areas: [ToldArea]) {
        var gaps: [Range<UInt>] = []
        var plain: [ToldArea] = []
        gaps.reserveCapacity(mostGaps)
        plain.reserveCapacity(mostAreas)
        var ceiling = top
        var index = index(endingAbove: top)
        if index < areas.count { ceiling = min(ceiling, areas[index].start) }
        let last = max(0, index - VMAList.mostLookedAt)
        while gaps.count < mostGaps {
            let floor = index > 0 ? max(areas[index - 1].end, bottom) : bottom
            if ceiling > floor { gaps.append(floor..<ceiling) }
            guard index > last else { break }
            index -= 1
            ceiling = min(ceiling, areas[index].start)
            if ceiling <= bottom { break }
            if plain.count < mostAreas, areas[index].isPrivateData {
                let area = areas[index]
                plain.append(
                    ToldArea(
                        range: area.start..<area.end, protection: area.protection.rawValue,
                        isOfFile: area.object != nil))
            }
        }
        return (gaps, plain)
    }

    private static let mostLookedAt = 64

    /// True if the range lies in one area that is private memory and may not be executed.
    func isPrivateData(_ range: Range<UInt>) -> Bool {
        let index = index(endingAbove: range.lowerBound)
        return index < areas.count && areas[index].start <= range.lowerBound && range.upperBound <= areas[index].end
            && areas[index].isPrivateData
    }

    /// The highest free stretch of `length` bytes that ends at or below `top` and begins at or above `bottom`.
    package func highestGap(
        length: UInt, below top: UInt, above bottom: UInt, alignment: UInt = GuestLayout.pageSize
    ) -> UInt? {
        // So much room holds an aligned stretch wherever it lies.
        if alignment > GuestLayout.pageSize {
            let more = alignment - GuestLayout.pageSize
            let gap = highestGap(length: length + more, below: top, above: bottom)
            return gap.map { ($0 + more) / alignment * alignment }
        }
        var ceiling = top
        var index = index(endingAbove: top)
        if index < areas.count, areas[index].start < top { ceiling = areas[index].start }
        while true {
            let floor = index > 0 ? max(areas[index - 1].end, bottom) : bottom
            if ceiling > floor, ceiling - floor >= length { return ceiling - length }
            guard index > 0 else { return nil }
            index -= 1
            ceiling = min(ceiling, areas[index].start)
            if ceiling <= bottom { return nil }
        }
    }
}
