internal import LinuxABI

/// Builds a vDSO: the shared object that the kernel maps into each process, of the shape that `vdso(7)` describes and that
/// C libraries search. It needs no relocation, since its code is position independent and its tables hold offsets.
package struct VDSOImage {
    /// A function and where in the code it lies.
    package struct Function {
        package let name: String
        package let range: Range<Int>

        package init(name: String, range: Range<Int>) {
            self.name = name
            self.range = range
        }
    }

    /// One section; all of them together are the only segment.
    private struct Section {
        let name: String
        let type: UInt32
        var flags: UInt64 = 2
        var bytes: [UInt8]
        var link: UInt32 = 0
        var information: UInt32 = 0
        var alignment = 8
        var entrySize: UInt64 = 0
        var offset = 0
    }

    private static let soname = "linux-vdso.so.1"
    private static let version = "LINUX_2.6"

    /// The places of the sections in the header table, which link to each other by these.
    private static let symbolIndex: UInt32 = 3
    private static let stringIndex: UInt32 = 4
    private static let codeIndex: UInt16 = 8

    private var strings: [UInt8] = [0]
    /// Names of the symbols behind the empty first one.
    private var names: [String] = []
    private var symbols = ByteWriter()

    /// The image. Every function gets two symbols: `__vdso_name`, and `name`, which is weak.
    package static func build(code: [UInt8], functions: [Function]) -> [UInt8] {
        var image = VDSOImage()
        return image.lay(code, functions)
    }

    private mutating func string(_ text: String) -> Int {
        let place = strings.count
        strings += Array(text.utf8) + [0]
        return place
    }

    private mutating func symbol(_ name: String, information: UInt8, section: UInt16, value: Int, size: Int) {
        names.append(name)
        symbols.put(UInt32(string(name)))
        symbols.put(information)
        symbols.put(UInt8(0))
        symbols.put(section)
        symbols.put(UInt64(value))
        symbols.put(UInt64(size))
    }

    private mutating func lay(_ code: [UInt8], _ functions: [Function]) -> [UInt8] {
        let soname = string(VDSOImage.soname)
        // What the symbols take does not depend on where the code comes to lie, so they are made twice.
        var sections: [Section] = []
        var codeOffset = 0
        for _ in 0..<2 {
            strings = Array(strings.prefix(soname + VDSOImage.soname.utf8.count + 1))
            names = []
            symbols = ByteWriter()
            symbols.pad(24)
            for function in functions {
                for (prefix, binding) in [("__vdso_", 1), ("", 2)] as [(String, UInt8)] {
                    symbol(
                        prefix + function.name, information: binding << 4 | 2, section: VDSOImage.codeIndex,
                        value: codeOffset + function.range.lowerBound, size: function.range.count)
                }
            }
            // The version itself: a global object with an absolute value (SHN_ABS).
            symbol(VDSOImage.version, information: 0x11, section: 0xfff1, value: 0, size: 0)
            sections = VDSOImage.placed(makeSections(code, soname: soname))
            codeOffset = sections[Int(VDSOImage.codeIndex)].offset
        }
        sections[7].bytes = dynamic(sections, soname: soname)
        return VDSOImage.joined(sections)
    }

    private func makeSections(_ code: [UInt8], soname: Int) -> [Section] {
        [
            Section(name: "", type: 0, flags: 0, bytes: [], alignment: 0),
            Section(name: ".hash", type: 5, bytes: hash, link: VDSOImage.symbolIndex, entrySize: 4),
            Section(name: ".gnu.hash", type: 0x6fff_fff6, bytes: gnuHash, link: VDSOImage.symbolIndex),
            Section(
                name: ".dynsym", type: 11, bytes: symbols.bytes, link: VDSOImage.stringIndex, information: 1,
                entrySize: 24),
            Section(name: ".dynstr", type: 3, bytes: strings, alignment: 1),
            Section(
                name: ".gnu.version", type: 0x6fff_ffff, bytes: versions, link: VDSOImage.symbolIndex, alignment: 2,
                entrySize: 2),
            Section(
                name: ".gnu.version_d", type: 0x6fff_fffd, bytes: definitions(soname: soname),
                link: VDSOImage.stringIndex, information: 2),
            Section(
                name: ".dynamic", type: 6, bytes: [UInt8](repeating: 0, count: 16 * 14), link: VDSOImage.stringIndex,
                entrySize: 16),
            Section(name: ".text", type: 1, flags: 6, bytes: code, alignment: 32),
        ]
    }

    // MARK: Tables

    /// `DT_HASH`, with one bucket, as befits a dozen symbols.
    private var hash: [UInt8] {
        var writer = ByteWriter()
        for word in [1, names.count + 1, names.isEmpty ? 0 : 1] { writer.put(UInt32(word)) }
        // Each symbol's successor in the chain; the first has none, and neither has the last.
        writer.put(UInt32(0))
        for index in names.indices { writer.put(UInt32(index + 2 <= names.count ? index + 2 : 0)) }
        return writer.bytes
    }

    /// `DT_GNU_HASH`: a filter of 64 bits, one bucket, and a hash for each symbol, the last with its lowest bit set.
    private var gnuHash: [UInt8] {
        let hashes = names.map { name in name.utf8.reduce(UInt32(5381)) { $0 &* 33 &+ UInt32($1) } }
        let shift: UInt32 = 6
        let filter = hashes.reduce(UInt64(0)) { $0 | 1 << UInt64($1 % 64) | 1 << UInt64(($1 >> shift) % 64) }
        var writer = ByteWriter()
        for word in [1, 1, 1, shift] { writer.put(word) }
        writer.put(filter)
        writer.put(UInt32(1))
        for (index, hash) in hashes.enumerated() { writer.put(index == hashes.count - 1 ? hash | 1 : hash & ~1) }
        return writer.bytes
    }

    /// Every symbol is of version 2.
    private var versions: [UInt8] {
        var writer = ByteWriter()
        writer.put(UInt16(0))
        for _ in names { writer.put(UInt16(2)) }
        return writer.bytes
    }

    /// `DT_VERDEF`: the object itself, and the kernel whose interface this is.
    private func definitions(soname: Int) -> [UInt8] {
        // The version's name is the last symbol's.
        let version = strings.count - VDSOImage.version.utf8.count - 1
        var writer = ByteWriter()
        for (index, flags, name, text, next) in [
            (1, 1, soname, VDSOImage.soname, 28), (2, 0, version, VDSOImage.version, 0),
        ] {
            for half in [1, flags, index, 1] { writer.put(UInt16(half)) }
            for word in [Int(VDSOImage.objectHash(text)), 20, next, name, 0] { writer.put(UInt32(word)) }
        }
        return writer.bytes
    }

    /// The hash of the System V ABI.
    private static func objectHash(_ name: String) -> UInt32 {
        var hash: UInt32 = 0
        for byte in name.utf8 {
            hash = hash << 4 &+ UInt32(byte)
            let high = hash & 0xf000_0000
            hash = (hash ^ high >> 24) & ~high
        }
        return hash
    }

    private func dynamic(_ sections: [Section], soname: Int) -> [UInt8] {
        let entries: [(UInt64, Int)] = [
            (14, soname), (16, 0), (4, sections[1].offset), (0x6fff_fef5, sections[2].offset),
            (5, sections[4].offset), (6, sections[3].offset), (10, strings.count), (11, 24),
            (0x6fff_fffc, sections[6].offset), (0x6fff_fffd, 2), (0x6fff_fff0, sections[5].offset),
            // DF_SYMBOLIC and DF_BIND_NOW, DF_1_NOW
            (30, 10), (0x6fff_fffb, 1), (0, 0),
        ]
        var writer = ByteWriter()
        for (tag, value) in entries {
            writer.put(tag)
            writer.put(UInt64(value))
        }
        return writer.bytes
    }

    // MARK: The file

    private static let segmentCount = 2

    private static func placed(_ sections: [Section]) -> [Section] {
        var next = ELFHeader.size + segmentCount * ELFHeader.programHeaderSize
        var placed = sections
        for index in placed.indices.dropFirst() {
            next = (next + placed[index].alignment - 1) / placed[index].alignment * placed[index].alignment
            placed[index].offset = next
            next += placed[index].bytes.count
        }
        return placed
    }

    private static func joined(_ sections: [Section]) -> [UInt8] {
        let end = sections.last.map { $0.offset + $0.bytes.count } ?? 0
        var names: [UInt8] = []
        var places: [Int] = []
        for section in sections {
            places.append(names.count)
            names += Array(section.name.utf8) + [0]
        }
        places.append(names.count)
        names += Array(".shstrtab".utf8) + [0]
        let table = (end + names.count + 7) & ~7

        var writer = ByteWriter()
        writer.put([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0])
        writer.pad(8)
        writer.put(ELFHeader.sharedObject)
        writer.put(ELFHeader.machine)
        writer.put(UInt32(1))
        for word in [0, ELFHeader.size, table] { writer.put(UInt64(word)) }
        writer.put(UInt32(0))
        for half in [
            ELFHeader.size, ELFHeader.programHeaderSize, segmentCount, 64, sections.count + 1, sections.count,
        ] { writer.put(UInt16(half)) }
        // PT_LOAD of everything, readable and executable; PT_DYNAMIC.
        for (type, flags, offset, size, alignment) in [
            (1, 5, 0, end, 4096), (2, 4, sections[7].offset, sections[7].bytes.count, 8),
        ] {
            writer.put(UInt32(type))
            writer.put(UInt32(flags))
            for word in [offset, offset, offset, size, size, alignment] { writer.put(UInt64(word)) }
        }
        for section in sections {
            writer.pad(to: section.offset)
            writer.put(section.bytes)
        }
        let nameSection = Section(name: ".shstrtab", type: 3, flags: 0, bytes: names, alignment: 1, offset: end)
        writer.put(names)
        writer.pad(to: table)
        for (section, place) in zip(sections + [nameSection], places) {
            writer.put(UInt32(place))
            writer.put(section.type)
            writer.put(section.flags)
            writer.put(UInt64(section.flags & 2 == 0 ? 0 : section.offset))
            writer.put(UInt64(section.offset))
            writer.put(UInt64(section.bytes.count))
            writer.put(section.link)
            writer.put(section.information)
            writer.put(UInt64(section.alignment))
            writer.put(section.entrySize)
        }
        return writer.bytes
    }
}
