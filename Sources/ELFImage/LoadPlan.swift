package import LinuxABI

/// What the kernel has to map for one image, in order. Every address and length is a multiple of the page size and lies
/// below the guest's task size.
///
/// Linux looks at an image in two steps, and so does this. What it finds wrong before the old program is gone is thrown:
/// execve returns it. What goes wrong when the segments are mapped is the plan's `failure`: the process dies of SIGSEGV.
package struct LoadPlan: Equatable, Sendable {
    package enum Step: Equatable, Sendable {
        /// A private mapping of the file.
        case file(address: UInt, length: UInt, offset: UInt64, protection: Int32)
        /// Zero-filled memory.
        case anonymous(address: UInt, length: UInt, protection: Int32)
        /// The rest of the last file page, where the data end and the BSS begins. Ends with a page.
        case zero(address: UInt, length: UInt)
    }

    package var steps: [Step] = []
    /// What was added to every address of the image, modulo 2^64. An interpreter's is `AT_BASE`.
    package var bias: UInt = 0
    package var entry: UInt = 0
    /// `AT_PHDR`; the bias itself if no segment holds the program headers, as Linux has it.
    package var programHeaders: UInt = 0
    package var programHeaderCount = 0
    /// The range that all segments together span, in whole pages; empty without segments.
    package var span: Range<UInt> = 0..<0
    /// Past the last byte of the image's memory, where `brk(2)` starts.
    package var end: UInt = 0
    /// `PT_INTERP`, without the NUL.
    package var interpreter: [UInt8]?
    /// `PT_GNU_STACK` asks for an executable stack. Without the header x86-64 gives none.
    package var hasExecutableStack = false
    /// The image is position-independent and names no interpreter: a static-pie program, or a loader run as a program.
    /// Linux puts it where libraries go, and its heap where programs go.
    package var isLoader = false
    /// Why the image can't be mapped, if it can't: then there are no steps.
    package var failure: Errno?

    static let pageSize: UInt64 = 4096
    /// `PATH_MAX`: of an interpreter's path, with its NUL.
    static let maximumPath: UInt64 = 4096

    /// Plans a program.
    /// - Parameters:
    ///   - source: the image.
    ///   - taskSize: where guest addresses end; a multiple of the page size.
    ///   - base: gives the place of a position-independent image, which spans that many bytes; a multiple of the page size.
    ///     What it throws becomes the plan's failure.
    /// - Throws: ENOEXEC for what is no program of ours, EIO and EINVAL when the interpreter's path can't be read.
    package init(
        of source: some ImageSource, taskSize: UInt, base: (_ span: UInt, _ hasInterpreter: Bool) throws(Errno) -> UInt
    ) throws(Errno) {
        let header = try ELFHeader(try source.read(at: 0, count: ELFHeader.size))
        guard header.hasLoadableType else { throw .ENOEXEC }
        let programHeaders = try ProgramHeader.all(of: header, in: source, unreadable: .ENOEXEC)
        let path = try LoadPlan.interpreter(programHeaders, in: source)
        interpreter = path
        hasExecutableStack = programHeaders.last { $0.type == ProgramHeader.gnuStack }?.isExecutable ?? false
        isLoader = header.isPositionIndependent && path == nil
        do throws(Errno) {
            let alignment = LoadPlan.alignment(of: programHeaders)
            try plan(header, programHeaders, taskSize, senseless: .EINVAL) { span throws(Errno) in
                try base(span, path != nil) & ~UInt(alignment - 1)
            }
            // With an interpreter the program's own entry is only told to it.
            guard path != nil || entry < taskSize else { throw .EINVAL }
        } catch {
            fail(error)
        }
    }

    /// Plans an interpreter, which has none itself.
    /// - Parameters:
    ///   - source: the image.
    ///   - taskSize: where guest addresses end; a multiple of the page size.
    ///   - base: gives the place of a position-independent image, which spans that many bytes.
    /// - Throws: EIO for a file shorter than a header, ELIBBAD for what is no image of ours.
    package init(
        interpreter source: some ImageSource, taskSize: UInt, base: (_ span: UInt) throws(Errno) -> UInt
    ) throws(Errno) {
        let header = try ELFHeader(try source.readAll(at: 0, count: ELFHeader.size, short: .EIO), wrong: .ELIBBAD)
        let programHeaders = try ProgramHeader.all(of: header, in: source, unreadable: .ELIBBAD)
        do throws(Errno) {
            // Linux's `load_elf_interp` returns all ones there, which reads as this.
            guard header.hasLoadableType else { throw .EPERM }
            try plan(header, programHeaders, taskSize, senseless: .ENOMEM, base)
            guard !span.isEmpty, entry < taskSize else { throw .EINVAL }
        } catch {
            fail(error)
        }
    }

    private mutating func fail(_ error: Errno) {
        failure = error
        steps = []
    }

    /// The path in the first `PT_INTERP`; empty if it begins with a NUL. Throws ENOEXEC for one that is no string, EIO for
    /// one beyond the file, EINVAL for one beyond every file.
    private static func interpreter(
        _ programHeaders: [ProgramHeader], in source: some ImageSource
    ) throws(Errno) -> [UInt8]? {
        guard let header = programHeaders.first(where: { $0.type == ProgramHeader.interpreter }) else { return nil }
        guard header.fileSize >= 2, header.fileSize <= maximumPath else { throw .ENOEXEC }
        guard header.offset <= UInt64(Int64.max) - header.fileSize else { throw .EINVAL }
        let bytes = try source.readAll(at: header.offset, count: Int(header.fileSize), short: .EIO)
        guard bytes.last == 0 else { throw .ENOEXEC }
        return Array(bytes.prefix { $0 != 0 })
    }

    private mutating func plan(
        _ header: ELFHeader, _ programHeaders: [ProgramHeader], _ taskSize: UInt, senseless: Errno,
        _ base: (UInt) throws(Errno) -> UInt
    ) throws(Errno) {
        programHeaderCount = header.programHeaderCount
        let segments = programHeaders.filter { $0.type == ProgramHeader.load }
        var low = UInt64(taskSize)
        var high: UInt64 = 0
        for segment in segments {
            try LoadPlan.check(segment, taskSize: UInt64(taskSize), senseless)
            low = min(low, segment.virtualAddress & ~(LoadPlan.pageSize - 1))
            high = max(high, segment.virtualAddress + segment.memorySize)
        }
        if let first = segments.first {
            guard high > low || !header.isPositionIndependent else { throw .EINVAL }
            if header.isPositionIndependent {
                let place = try base(UInt(LoadPlan.pageUp(high - low)))
                // The first segment comes to stand there, whatever the others' addresses are.
                bias = (place &- UInt(first.virtualAddress)) & ~UInt(LoadPlan.pageSize - 1)
            }
            let start = UInt(low) &+ bias
            let length = UInt(LoadPlan.pageUp(max(high, low) - low))
            guard start <= taskSize, length <= taskSize - start else { throw .ENOMEM }
            span = start..<start + length
        }
        for segment in segments { add(segment) }
        entry = UInt(header.entry) &+ bias
        locateProgramHeaders(at: header.programHeaderOffset, in: segments)
        end = UInt(high) &+ bias
    }

    static func pageUp(_ value: UInt64) -> UInt64 { (value + pageSize - 1) & ~(pageSize - 1) }

    /// The largest alignment that a segment of a program asks for; what is no power of two asks for none. At least a page.
    /// An interpreter's wishes don't count.
    private static func alignment(of programHeaders: [ProgramHeader]) -> UInt64 {
        programHeaders.lazy.filter { $0.type == ProgramHeader.load && $0.alignment.nonzeroBitCount == 1 }
            .map(\.alignment).reduce(pageSize) { max($0, $1) }
    }

    /// What `elf_load` and the loop around it refuse. Afterwards no sum of the segment's numbers overflows, and all of its
    /// addresses lie below the task size.
    ///
    /// It maps first and judges the numbers afterwards: which error it is follows from that, wrapped sums included.
    /// What could be mapped and makes no sense is `senseless`: Linux has one error for programs and one for interpreters.
    private static func check(_ segment: ProgramHeader, taskSize: UInt64, _ senseless: Errno) throws(Errno) {
        let pageOffset = segment.virtualAddress % pageSize
        func fits(_ start: UInt64, _ length: UInt64) -> Bool { length <= taskSize && start <= taskSize - length }
        func wrappedPageUp(_ value: UInt64) -> UInt64 { (value &+ (pageSize - 1)) & ~(pageSize - 1) }
        let length = wrappedPageUp(segment.fileSize &+ pageOffset)
        if segment.fileSize > 0, length > 0 {
            // The file must be mappable so that the bytes come to stand at their addresses.
            let offset = segment.offset &- pageOffset
            guard offset % pageSize == 0, offset &+ length >= offset else { throw .EINVAL }
            guard fits(segment.virtualAddress - pageOffset, length) else { throw .ENOMEM }
            guard offset <= UInt64(Int64.max) - taskSize - pageSize else { throw .EOVERFLOW }
        }
        if segment.memorySize > segment.fileSize {
            let start = wrappedPageUp(segment.virtualAddress &+ segment.fileSize)
            let rest = wrappedPageUp(segment.virtualAddress &+ segment.memorySize) &- start
            guard rest == 0 || fits(start, rest) else { throw .ENOMEM }
        }
        guard segment.fileSize <= segment.memorySize, segment.virtualAddress < taskSize,
            segment.memorySize <= taskSize - segment.virtualAddress
        else { throw senseless }
    }

    private mutating func add(_ segment: ProgramHeader) {
        let pageOffset = segment.virtualAddress % LoadPlan.pageSize
        let start = UInt(segment.virtualAddress - pageOffset) &+ bias
        let memoryEnd = UInt(LoadPlan.pageUp(pageOffset + segment.memorySize))
        var mapped: UInt = 0
        if segment.fileSize > 0 {
            let dataEnd = UInt(pageOffset + segment.fileSize)
            mapped = UInt(LoadPlan.pageUp(UInt64(dataEnd)))
            steps.append(
                .file(
                    address: start, length: mapped, offset: segment.offset - pageOffset, protection: segment.protection)
            )
            // Linux tries to clear the last page of each segment, and leaves those as they are that can't be written.
            if segment.memorySize > segment.fileSize, mapped > dataEnd, segment.isWritable {
                steps.append(.zero(address: start + dataEnd, length: mapped - dataEnd))
            }
        }
        if segment.memorySize > segment.fileSize, memoryEnd > mapped {
            // Like the heap's: readable and writable whatever the segment says.
            steps.append(
                .anonymous(
                    address: start + mapped, length: memoryEnd - mapped, protection: segment.isExecutable ? 7 : 3))
        }
    }

    /// Where the table of program headers comes to stand: in the last segment that holds its beginning.
    private mutating func locateProgramHeaders(at offset: UInt64, in segments: [ProgramHeader]) {
        let holder = segments.last { $0.offset <= offset && offset - $0.offset < $0.fileSize }
        programHeaders = UInt(holder.map { offset - $0.offset + $0.virtualAddress } ?? 0) &+ bias
    }
}
