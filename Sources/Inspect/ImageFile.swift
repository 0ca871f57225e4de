internal import CElf
internal import Glibc

/// An ELF file, open through libelf. The bytes that libelf hands out live as long as this object, which is why they are
/// copied before a method returns.
@safe
package final class ImageFile {
    private let file: String
    private let descriptor: Int32
    private let elf: OpaquePointer
    private let size: UInt64
    private(set) var complaints: [String] = []

    /// Segments, notes and symbols beyond these are left out, with a complaint: a malformed file must not fill the memory.
    private static let maximumSegments = 65_536
    private static let maximumNotes = 4096
    private static let maximumSymbols = 4_000_000
    private static let maximumChunk: UInt64 = 1 << 26

    /// Opens a regular file. Throws when there is none, or when it is no ELF file.
    package init(_ path: String) throws(InspectError) {
        // libelf wants to be told the version of the header that it is used with, before anything else.
        guard elf_version(UInt32(EV_CURRENT)) != UInt32(EV_NONE) else {
            throw InspectError(file: path, reason: "libelf is too old", remedy: "apt-get install libelf-dev")
        }
        // Safe: the path is a C string for the time of the call; O_NONBLOCK keeps a FIFO from blocking.
        let opened = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard opened >= 0 else {
            let code = errno
            // Safe: strerror's text is copied at once.
            throw InspectError(file: path, reason: unsafe String(cString: strerror(code)))
        }
        var attributes = stat()
        // Safe: fstat fills a structure of its own size.
        guard unsafe fstat(opened, &attributes) == 0, attributes.st_mode & S_IFMT == S_IFREG else {
            close(opened)
            throw InspectError(file: path, reason: "is no regular file")
        }
        // Safe: without an archive to continue, the third argument is unused.
        let begun = unsafe elf_begin(opened, ELF_C_READ, nil)
        guard let begun = unsafe begun, unsafe elf_kind(begun) == ELF_K_ELF else {
            let isArchive = unsafe begun.map { unsafe elf_kind($0) == ELF_K_AR } ?? false
            if let begun = unsafe begun { unsafe elf_end(begun) }
            close(opened)
            throw InspectError(
                file: path, reason: isArchive ? "is an archive, not one ELF file" : "is no ELF file",
                remedy: isArchive ? "unpack it with ar x" : nil)
        }
        file = path
        descriptor = opened
        size = UInt64(attributes.st_size)
        // Lives until `deinit`, which ends it.
        unsafe elf = begun
    }

    deinit {
        // Safe: the last use of both.
        unsafe elf_end(elf)
        close(descriptor)
    }

    /// Everything that the file says. Throws only when not even its header can be read; smaller faults are complaints.
    package func report() throws(InspectError) -> ImageReport {
        let header = try header()
        let segments = segments(header.programHeaderCount)
        let dynamic = dynamicEntries(segments, header)
        func strings(_ tag: Int64) -> [String] { dynamic.filter { $0.tag == tag }.compactMap(\.text) }
        let interpreter = segments.first { $0.typeNumber == UInt32(PT_INTERP) }.flatMap(text)
        let notes = segments.filter { $0.typeNumber == UInt32(PT_NOTE) }.flatMap(notes)
        let dynamicSymbols = symbols(ofType: UInt32(SHT_DYNSYM))
        let symbols = symbols(ofType: UInt32(SHT_SYMTAB))
        return ImageReport(
            file: file, size: size, header: header, segments: segments, interpreter: interpreter,
            needed: strings(1), name: strings(14).first, searchPath: strings(29).first ?? strings(15).first,
            notes: notes, dynamicSymbols: dynamicSymbols, symbols: symbols, complaints: complaints)
    }

    private func complain(_ what: String) {
        // Safe: libelf's messages are constants of its own, or nil.
        let reason = unsafe elf_errmsg(elf_errno()).map { unsafe String(cString: $0) }
        complaints.append(reason.map { "\(what): \($0)" } ?? what)
    }

    private func header() throws(InspectError) -> ImageReport.Header {
        var header = GElf_Ehdr()
        var segments = 0
        var sections = 0
        // Safe: libelf fills structures and numbers of the types that it declares.
        guard unsafe gelf_getehdr(elf, &header) != nil, unsafe elf_getphdrnum(elf, &segments) == 0 else {
            throw InspectError(
                file: file, reason: unsafe elf_errmsg(elf_errno()).map { unsafe String(cString: $0) } ?? "has no header"
            )
        }
        if unsafe elf_getshdrnum(elf, &sections) != 0 { complain("the number of sections can't be read") }
        return ImageReport.Header(
            bits: header.e_ident.4 == ELFCLASS32 ? 32 : 64,
            byteOrder: header.e_ident.5 == ELFDATA2MSB ? "big-endian" : "little-endian",
            systemInterface: ELFNames.systemInterface(header.e_ident.7), type: ELFNames.type(header.e_type),
            machine: ELFNames.machine(header.e_machine), entry: header.e_entry, flags: header.e_flags,
            programHeaderOffset: header.e_phoff, programHeaderCount: segments, sectionHeaderOffset: header.e_shoff,
            sectionHeaderCount: sections)
    }

    private func segments(_ count: Int) -> [ImageReport.Segment] {
        var segments: [ImageReport.Segment] = []
        for index in 0..<min(count, ImageFile.maximumSegments) {
            var header = GElf_Phdr()
            // Safe: libelf fills a structure of the type that it declares.
            guard unsafe gelf_getphdr(elf, Int32(index), &header) != nil else {
                complain("program header \(index) can't be read")
                break
            }
            segments.append(
                ImageReport.Segment(
                    type: ELFNames.segment(header.p_type), typeNumber: header.p_type, flags: header.p_flags,
                    offset: header.p_offset, virtualAddress: header.p_vaddr, physicalAddress: header.p_paddr,
                    fileSize: header.p_filesz, memorySize: header.p_memsz, alignment: header.p_align))
        }
        return segments
    }

    /// A piece of the file in the machine's byte order; nil, with a complaint, where the file lacks it.
    private func chunk(_ offset: UInt64, _ count: UInt64, _ type: Elf_Type, _ what: String)
        -> UnsafeMutablePointer<Elf_Data>?
    {
        guard count > 0, count <= ImageFile.maximumChunk, offset <= size, count <= size - offset,
            // Safe: the range lies in the file; what libelf returns lives as long as `elf`.
            let data = unsafe elf_getdata_rawchunk(elf, Int64(offset), Int(count), type)
        else {
            complain("\(what) lies outside of the file")
            return nil
        }
        // Lives as long as this object.
        return unsafe data
    }

    private func bytes(_ data: UnsafeMutablePointer<Elf_Data>) -> [UInt8] {
        // Safe: libelf's buffer holds `d_size` bytes, and lives as long as the file is open.
        guard let buffer = unsafe data.pointee.d_buf else { return [] }
        return unsafe Array(UnsafeRawBufferPointer(start: buffer, count: data.pointee.d_size))
    }

    /// The string that a segment holds.
    private func text(_ segment: ImageReport.Segment) -> String? {
        guard let data = unsafe chunk(segment.offset, segment.fileSize, ELF_T_BYTE, "the interpreter's path") else {
            return nil
        }
        return unsafe String(decoding: bytes(data).prefix { $0 != 0 }, as: UTF8.self)
    }

    private func notes(_ segment: ImageReport.Segment) -> [ImageReport.Note] {
        let type = segment.alignment == 8 ? ELF_T_NHDR8 : ELF_T_NHDR
        // Safe: the pointer lives as long as this object.
        guard segment.fileSize > 0, let data = unsafe chunk(segment.offset, segment.fileSize, type, "a note") else {
            return []
        }
        let all = unsafe bytes(data)
        var notes: [ImageReport.Note] = []
        var offset = 0
        while offset < all.count, notes.count < ImageFile.maximumNotes {
            var header = GElf_Nhdr()
            var name = 0
            var description = 0
            // Safe: libelf checks the note against the data's size, and gives 0 for one that does not fit.
            let next = unsafe Int(gelf_getnote(data, offset, &header, &name, &description))
            guard next > offset else {
                complain("a note does not end with its segment")
                break
            }
            let (nameEnd, descriptionEnd) = (name + Int(header.n_namesz), description + Int(header.n_descsz))
            guard name <= nameEnd, description <= descriptionEnd, nameEnd <= all.count, descriptionEnd <= all.count
            else { break }
            let owner = String(decoding: all[name..<nameEnd].prefix { $0 != 0 }, as: UTF8.self)
            notes.append(
                ImageReport.Note(
                    owner: owner, type: header.n_type,
                    text: ELFNames.note(owner: owner, type: header.n_type, Array(all[description..<descriptionEnd]))))
            offset = next
        }
        return notes
    }

    /// The entries of `PT_DYNAMIC`, with the strings that they name.
    private func dynamicEntries(
        _ segments: [ImageReport.Segment], _ header: ImageReport.Header
    ) -> [(tag: Int64, text: String?)] {
        guard let segment = segments.first(where: { $0.typeNumber == UInt32(PT_DYNAMIC) }), segment.fileSize > 0,
            // Safe: the pointer lives as long as this object.
            let data = unsafe chunk(segment.offset, segment.fileSize, ELF_T_DYN, "the dynamic segment")
        else { return [] }
        let entrySize: UInt64 = header.bits == 32 ? 8 : 16
        var entries: [(tag: Int64, value: UInt64)] = []
        for index in 0..<Int(segment.fileSize / entrySize) {
            var entry = GElf_Dyn()
            // Safe: libelf checks the index against the data's size.
            guard unsafe gelf_getdyn(data, Int32(index), &entry) != nil, entry.d_tag != 0 else { break }
            // Safe: both members of the union are one 64-bit number.
            entries.append((Int64(entry.d_tag), unsafe UInt64(entry.d_un.d_val)))
        }
        func value(_ tag: Int64) -> UInt64? { entries.first { $0.tag == tag }?.value }
        guard let address = value(5), let length = value(10),
            let holder = segments.first(where: {
                $0.typeNumber == UInt32(PT_LOAD) && address >= $0.virtualAddress
                    && address - $0.virtualAddress < $0.fileSize
            }), holder.offset <= size,
            // Safe: the pointer lives as long as this object.
            let table = unsafe chunk(
                holder.offset + (address - holder.virtualAddress), length, ELF_T_BYTE, "the dynamic string table")
        else { return entries.map { ($0.tag, nil) } }
        // Safe: libelf has said how many bytes there are.
        let strings = unsafe bytes(table)
        return entries.map { entry in
            guard [1, 14, 15, 29].contains(entry.tag) else { return (entry.tag, nil) }
            guard entry.value < UInt64(strings.count) else {
                complain("a dynamic string lies outside of its table")
                return (entry.tag, nil)
            }
            return (entry.tag, String(decoding: strings[Int(entry.value)...].prefix { $0 != 0 }, as: UTF8.self))
        }
    }

    private func symbols(ofType type: UInt32) -> [ImageReport.Symbol] {
        var symbols: [ImageReport.Symbol] = []
        // Safe: a section lives as long as the file; the walk ends with nil.
        var next = unsafe elf_nextscn(elf, nil)
        while let section = unsafe next {
            unsafe next = elf_nextscn(elf, section)
            var header = GElf_Shdr()
            guard unsafe gelf_getshdr(section, &header) != nil, header.sh_type == type, header.sh_entsize > 0,
                header.sh_offset <= size, header.sh_size <= size - header.sh_offset
            else { continue }
            guard let data = unsafe elf_getdata(section, nil) else {
                complain("a table of symbols can't be read")
                continue
            }
            let count = min(Int(header.sh_size / header.sh_entsize), ImageFile.maximumSymbols)
            for index in 0..<count {
                var symbol = GElf_Sym()
                // Safe: libelf checks the index, and the name's offset against the table of strings.
                guard unsafe gelf_getsym(data, Int32(index), &symbol) != nil else { break }
                if index == 0, symbol.st_name == 0 { continue }
                let name = unsafe elf_strptr(elf, Int(header.sh_link), Int(symbol.st_name))
                symbols.append(
                    ImageReport.Symbol(
                        name: unsafe name.map { unsafe String(cString: $0) } ?? "", value: symbol.st_value,
                        size: symbol.st_size, type: ELFNames.symbolType(symbol.st_info & 15),
                        binding: ELFNames.symbolBinding(symbol.st_info >> 4), isDefined: symbol.st_shndx != 0))
            }
        }
        return symbols
    }
}
