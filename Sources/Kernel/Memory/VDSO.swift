internal import ELFImage
package import HostSystem
package import LinuxABI
internal import Platform
internal import VFS

/// The vDSO that each program finds in its memory, with the data pages before it: see `vdso(7)`. One file in memory for the
/// whole sandbox, of which programs have private mappings.
///
/// The data are the host's and lie in the stub; the guest's pages of that name are there because Linux has them, and empty.
package final class VDSO {
    /// What lies before the image: names as `/proc/pid/maps` shows them, with lengths.
    private let data: [(label: StaticString, length: UInt)]
    private let image: MappedObject
    private let imageLength: UInt

    /// Like the host's own, so that programs find as many pages as natively; without one, like Linux 6.12's.
    package init(like host: HostVDSO?) throws(Errno) {
        let parts = host?.parts.dropLast().map { ($0.name, UInt($0.range.count)) } ?? [("[vvar]", 0x4000)]
        data = parts.map { ($0.0 == "[vvar_vclock]" ? "[vvar_vclock]" : "[vvar]", $0.1) }
        let (code, functions) = TrapPlatform.vdsoCode
        let bytes = VDSOImage.build(
            code: code, functions: functions.map { VDSOImage.Function(name: $0.name, range: $0.range) })
        let length = MemoryMap.pageUp(UInt(bytes.count)) ?? 0
        imageLength = max(length, host?.parts.last.map { UInt($0.range.count) } ?? 0)
        let whole = data.reduce(imageLength) { $0 + $1.length }
        let file = try Host.memoryFile("apus-vdso")
        defer { Host.close(file) }
        try Host.truncate(file, to: Int(whole))
        _ = try Host.write(file, at: Int64(whole - imageLength), bytes.span)
        // Stubs get a descriptor that writes nothing: the pages are those of every guest.
        let descriptor = try Host.reopen(file, flags: [])
        image = MappedObject(file: nil, descriptor: descriptor, ownsDescriptor: true, canWriteShared: false)
    }

    /// Where the first of `areas` goes: in the highest gap below `top` that a new program's images leave, as with Linux,
    /// which maps it right after them. Nil when they leave none.
    func place(besides taken: [Range<UInt>], below top: UInt) -> UInt? {
        var list = VMAList()
        for range in taken where !range.isEmpty {
            list.remove(range)
            list.insert(
                VMA(
                    start: range.lowerBound, end: range.upperBound, protection: [], isShared: false, object: nil,
                    offset: 0))
        }
        let length = data.reduce(imageLength) { $0 + $1.length }
        return list.highestGap(length: length, below: top, above: MemoryMap.lowest)
    }

    /// Where the image itself lies, which the auxiliary vector tells (AT_SYSINFO_EHDR).
    func imageAddress(from start: UInt) -> UInt { data.reduce(start) { $0 + $1.length } }

    /// The areas from an address on.
    func areas(at start: UInt) -> [VMA] {
        var areas: [VMA] = []
        for (label, length) in data + [("[vdso]", imageLength)] {
            let from = areas.last?.end ?? start
            var area = VMA(
                start: from, end: from + length, protection: label.description == "[vdso]" ? [.read, .execute] : .read,
                isShared: false, object: image, offset: from - start)
            area.label = label
            areas.append(area)
        }
        return areas
    }
}

extension MemoryMap {
    /// Adds the vDSO to a new program.
    /// - Returns: the commands that map it.
    func add(_ vdso: VDSO, at start: UInt) -> [StubCommand] {
        let areas = vdso.areas(at: start)
        var commands: [StubCommand] = []
        for area in areas {
            replace(area.start..<area.end, with: area)
            guard let object = area.object else { continue }
            if commands.isEmpty { commands.append(.receiveFile(descriptor: object.descriptor)) }
            // MAP_PRIVATE | MAP_FIXED
            commands.append(
                .mapFile(
                    address: area.start, length: area.length, protection: area.protection.rawValue, flags: 0x12,
                    offset: area.offset))
        }
        commands.append(.closeFile)
        return commands
    }
}
