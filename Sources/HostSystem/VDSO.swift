internal import LinuxABI

/// A mapping of this process that the host names in brackets. See `/proc/pid/maps` in `proc(5)`.
package struct SpecialMapping: Equatable, Sendable {
    package let range: Range<UInt>
    package let name: String
}

/// The host's vDSO, as this process has it: see `vdso(7)`.
package struct HostVDSO: Sendable {
    /// The pages of data that its code reads, then those of the image: ascending, without gaps.
    package let parts: [SpecialMapping]
    /// The image's bytes.
    package let image: [UInt8]
}

extension Host {
    /// The mappings of this process that are the host's own: its vDSO, its stack and the like.
    package static var specialMappings: [SpecialMapping] {
        let text = (try? contents(of: processPath("self/maps"), limit: 1 << 20)) ?? []
        // Few of the lines, told apart before anything is made of them.
        return text.split(separator: UInt8(ascii: "\n")).filter { $0.last == UInt8(ascii: "]") }
            .compactMap { specialMapping(String(decoding: $0, as: UTF8.self)[...]) }
    }

    /// One line: `7ffd3b5f6000-7ffd3b5f8000 r-xp 00000000 00:00 0   [vdso]`.
    private static func specialMapping(_ line: Substring) -> SpecialMapping? {
        guard let name = line.split(separator: " ").last, name.first == "[" else { return nil }
        let bounds = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
        guard bounds.count == 2, bounds[0] < bounds[1] else { return nil }
        return SpecialMapping(range: bounds[0]..<bounds[1], name: String(name))
    }

    /// Nil where this process has none.
    package static var vdso: HostVDSO? {
        let all = specialMappings
        guard let last = all.lastIndex(where: { $0.name == "[vdso]" }), all[last].range.lowerBound == auxiliary(33)
        else { return nil }
        var parts = [all[last]]
        for mapping in all[..<last].reversed() {
            guard mapping.name.hasPrefix("[vvar"), mapping.range.upperBound == parts[0].range.lowerBound else { break }
            parts.insert(mapping, at: 0)
        }
        let range = all[last].range
        // The host has just said that its image is mapped there, and every page of it may be read.
        let image = unsafe [UInt8](
            UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: range.lowerBound), count: range.count))
        return HostVDSO(parts: parts, image: image)
    }
}
