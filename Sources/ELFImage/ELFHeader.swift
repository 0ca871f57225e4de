package import LinuxABI

/// The ELF header of a 64-bit little-endian x86-64 image, as far as `execve(2)` looks at it. See `elf(5)`.
package struct ELFHeader: Equatable, Sendable {
    package static let executable: UInt16 = 2
    package static let sharedObject: UInt16 = 3
    /// `EM_X86_64`.
    package static let machine: UInt16 = 62
    package static let size = 64
    package static let programHeaderSize = 56
    /// What Linux reads of the program headers at most: 1170 of them. Up to 6.12 it was a page, 73 of them.
    package static let maximumProgramHeaderBytes = 65_536

    /// `ET_EXEC` 2 or `ET_DYN` 3, or what only a malformed image says.
    package let type: UInt16
    package let entry: UInt64
    package let programHeaderOffset: UInt64
    package let programHeaderCount: Int

    package var isPositionIndependent: Bool { type == ELFHeader.sharedObject }
    package var hasLoadableType: Bool { type == ELFHeader.executable || type == ELFHeader.sharedObject }

    /// Judges the first bytes of a file as Linux's `load_elf_binary` does: it looks at the magic, the machine and the
    /// program headers' size and count, and neither at the class nor at the byte order. Bytes that the file lacks count as
    /// zeros.
    /// - Parameters:
    ///   - bytes: at least the first 64 bytes of the file, or all of a shorter one.
    ///   - wrong: the errno for an image that is none of ours: ENOEXEC for a program, ELIBBAD for an interpreter.
    /// - Throws: that errno.
    package init(_ bytes: [UInt8], wrong: Errno = .ENOEXEC) throws(Errno) {
        guard bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { throw wrong }
        var reader = ByteReader(bytes, from: 16)
        type = reader.take()
        let machine: UInt16 = reader.take()
        reader.skip(4)
        entry = reader.take()
        programHeaderOffset = reader.take()
        reader.skip(8 + 4 + 2)
        let entrySize: UInt16 = reader.take()
        let count: UInt16 = reader.take()
        guard machine == ELFHeader.machine, Int(entrySize) == ELFHeader.programHeaderSize, count > 0,
            Int(count) * ELFHeader.programHeaderSize <= ELFHeader.maximumProgramHeaderBytes
        else { throw wrong }
        programHeaderCount = Int(count)
    }
}

/// One program header. See `elf(5)`.
package struct ProgramHeader: Equatable, Sendable {
    package static let load: UInt32 = 1
    package static let interpreter: UInt32 = 3
    package static let gnuStack: UInt32 = 0x6474_e551

    package let type: UInt32
    package let flags: UInt32
    package let offset: UInt64
    package let virtualAddress: UInt64
    package let fileSize: UInt64
    package let memorySize: UInt64
    package let alignment: UInt64

    /// Takes the next 56 bytes.
    init(from reader: inout ByteReader) {
        type = reader.take()
        flags = reader.take()
        offset = reader.take()
        virtualAddress = reader.take()
        reader.skip(8)
        fileSize = reader.take()
        memorySize = reader.take()
        alignment = reader.take()
    }

    package var isWritable: Bool { flags & 2 != 0 }
    package var isExecutable: Bool { flags & 1 != 0 }

    /// As `PROT_*`.
    package var protection: Int32 {
        (flags & 4 != 0 ? 1 : 0) | (isWritable ? 2 : 0) | (isExecutable ? 4 : 0)
    }

    /// Every program header of an image.
    /// - Parameters:
    ///   - header: says where they are.
    ///   - source: the image.
    ///   - unreadable: the errno when the file does not hold them.
    /// - Returns: the headers in the file's order.
    /// - Throws: `unreadable`, or what the source throws.
    package static func all(of header: ELFHeader, in source: some ImageSource, unreadable: Errno) throws(Errno)
        -> [ProgramHeader]
    {
        guard header.programHeaderOffset <= UInt64(Int64.max) else { throw unreadable }
        let bytes = try source.readAll(
            at: header.programHeaderOffset, count: header.programHeaderCount * ELFHeader.programHeaderSize,
            short: unreadable)
        var reader = ByteReader(bytes)
        return (0..<header.programHeaderCount).map { _ in ProgramHeader(from: &reader) }
    }
}
