package import LinuxABI

/// What the kernel has to map for one image, in order. Every address and length is a multiple of the page size and lies
/// below the guest's task size.
package struct LoadPlan: Equatable, Sendable {
    package enum Step: Equatable, Sendable {
        /// A private mapping of the file.
        case file(address: UInt, length: UInt, offset: UInt64, protection: Int32)
        /// Zero-filled memory.
        case anonymous(address: UInt, length: UInt, protection: Int32)
        /// The rest of the last file page, where the data end and the BSS begins.
        case zero(address: UInt, length: UInt)
    }

    package var steps: [Step] = []
    /// What was added to every address of the image.
    package var bias: UInt = 0
    package var entry: UInt = 0
    /// `AT_PHDR`; 0 if no segment holds the program headers.
    package var programHeaders: UInt = 0
    package var programHeaderCount = 0
    /// The range that all segments together span, in whole pages.
    package var span: Range<UInt> = 0..<0
    /// Past the last byte of the image's memory, where `brk(2)` starts.
    package var end: UInt = 0
    /// `PT_INTERP`, without the NUL.
    package var interpreter: [UInt8]?
    /// `PT_GNU_STACK` asks for an executable stack; true also without the header, as Linux's compatibility rule has it.
    package var hasExecutableStack = false

    static let pageSize: UInt64 = 4096

    /// Plans a program.
    /// - Parameters:
    ///   - taskSize: where guest addresses end.
    ///   - base: gives the bias of a position-independent image, which spans that many bytes; a multiple of the page size.
    package init(
        of source: some ImageSource, taskSize: UInt, base: (_ span: UInt, _ hasInterpreter: Bool) throws(Errno) -> UInt
    ) throws(Errno) {
        let header = try ELFHeader(try source.read(at: 0, count: ELFHeader.size))
        let programHeaders = try ProgramHeader.all(of: header, in: source, short: .EIO)
        interpreter = try LoadPlan.interpreter(programHeaders, in: source)
        hasExecutableStack =
            programHeaders.last { $0.type == ProgramHeader.gnuStack }.map { $0.flags & 1 != 0 } ?? false
        let hasInterpreter = interpreter != nil
        try plan(header, programHeaders, taskSize: taskSize, none: .EINVAL) { span throws(Errno) in
            try base(span, hasInterpreter)
        }
    }

    /// Plans an interpreter: like a program, but whatever is wrong with it is ELIBBAD, and it has no interpreter.
    package init(
        interpreter source: some ImageSource, taskSize: UInt, base: (_ span: UInt) throws(Errno) -> UInt
    ) throws(Errno) {
        let header = try ELFHeader(try source.readAll(at: 0, count: ELFHeader.size, short: .EIO), wrong: .ELIBBAD)
        let programHeaders = try ProgramHeader.all(of: header, in: source, short: .ELIBBAD)
        try plan(header, programHeaders, taskSize: taskSize, none: .EINVAL, base: base)
    }

    /// The path in the first `PT_INTERP`. Throws ENOEXEC for one that is no string, EIO for one beyond the file.
    private static func interpreter(
        _ programHeaders: [ProgramHeader], in source: some ImageSource
    ) throws(Errno) -> [UInt8]? {
        guard let header = programHeaders.first(where: { $0.type == ProgramHeader.interpreter }) else { return nil }
        guard header.fileSize >= 2, header.fileSize <= 4096 else { throw .ENOEXEC }
        let bytes = try source.readAll(at: header.offset, count: Int(header.fileSize), short: .EIO)
        guard bytes.last == 0 else { throw .ENOEXEC }
        return Array(bytes.prefix { $0 != 0 })
    }

    private mutating func plan(
        _ header: ELFHeader, _ programHeaders: [ProgramHeader], taskSize: UInt, none: Errno,
        base: (UInt) throws(Errno) -> UInt
    ) throws(Errno) {
        let segments = programHeaders.filter { $0.type == ProgramHeader.load }
        for segment in segments { try LoadPlan.check(segment, taskSize: taskSize) }
        guard let low = segments.map({ $0.virtualAddress & ~(LoadPlan.pageSize - 1) }).min(),
            let high = segments.map({ $0.virtualAddress + $0.memorySize }).max()
        else { throw none }
        let length = LoadPlan.pageUp(high) - low
        guard length > 0, length <= UInt64(taskSize) else { throw none }
        if header.isPositionIndependent {
            let start = try base(UInt(length))
            guard start % UInt(LoadPlan.pageSize) == 0, start <= taskSize - UInt(length) else { throw .ENOMEM }
            bias = start &- UInt(low)
        }
        span = UInt(low) &+ bias..<UInt(low) &+ bias + UInt(length)
        // A fixed image that leaves the address space, and one below what may be mapped.
        guard span.upperBound <= taskSize else { throw .ENOMEM }
        entry = UInt(header.entry) &+ bias
        guard entry < taskSize else { throw .EINVAL }
        programHeaderCount = header.programHeaderCount
        for segment in segments { add(segment, header) }
        end = UInt(high) &+ bias
    }

    private static func pageUp(_ value: UInt64) -> UInt64 { (value + pageSize - 1) & ~(pageSize - 1) }

    /// What `elf_map` and the loop around it refuse.
    private static func check(_ segment: ProgramHeader, taskSize: UInt) throws(Errno) {
        let limit = UInt64(taskSize)
        guard segment.fileSize <= segment.memorySize, segment.memorySize <= limit, segment.virtualAddress <= limit,
            segment.memorySize <= limit - segment.virtualAddress
        else { throw .EINVAL }
        // The file must be mappable so that the bytes come to stand at their addresses.
        guard segment.offset % pageSize == segment.virtualAddress % pageSize else { throw .EINVAL }
        let (end, overflow) = segment.offset.addingReportingOverflow(segment.fileSize)
        guard !overflow, end <= UInt64(Int64.max) - pageSize else { throw .EINVAL }
    }

    private mutating func add(_ segment: ProgramHeader, _ header: ELFHeader) {
        let pageOffset = segment.virtualAddress % LoadPlan.pageSize
        let start = UInt(segment.virtualAddress - pageOffset) &+ bias
        let dataEnd = UInt(segment.virtualAddress + segment.fileSize) &+ bias
        let mappedEnd = UInt(LoadPlan.pageUp(UInt64(dataEnd)))
        let memoryEnd = UInt(segment.virtualAddress + segment.memorySize) &+ bias
        if segment.fileSize > 0, mappedEnd > start {
            steps.append(
                .file(
                    address: start, length: mappedEnd - start, offset: segment.offset - pageOffset,
                    protection: segment.protection))
        }
        if segment.memorySize > segment.fileSize {
            let zeroStart = segment.fileSize > 0 ? dataEnd : start
            let anonymousStart = segment.fileSize > 0 ? mappedEnd : start
            // Only a writable segment's last page is cleared: Linux leaves the others as the file has them.
            if segment.fileSize > 0, mappedEnd > zeroStart, segment.flags & 2 != 0 {
                steps.append(.zero(address: zeroStart, length: mappedEnd - zeroStart))
            }
            let anonymousEnd = UInt(LoadPlan.pageUp(UInt64(memoryEnd)))
            if anonymousEnd > anonymousStart {
                steps.append(
                    .anonymous(
                        address: anonymousStart, length: anonymousEnd - anonymousStart, protection: segment.protection))
            }
        }
        let table = header.programHeaderOffset
        if table >= segment.offset, table - segment.offset < segment.fileSize {
            programHeaders = UInt(table - segment.offset + segment.virtualAddress) &+ bias
        }
    }
}
