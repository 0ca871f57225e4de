package import LinuxABI

/// The ELF header of a 64-bit little-endian x86-64 image, as far as `execve(2)` looks at it. See `elf(5)`.
package struct ELFHeader: Equatable, Sendable {
    /// `ET_EXEC` 2 or `ET_DYN` 3.
    package let type: UInt16
    package let entry: UInt64
    package let programHeaderOffset: UInt64
    package let programHeaderCount: Int

    package static let size = 64
    package static let programHeaderSize = 56

    package var isPositionIndependent: Bool { type == 3 }

    /// Judges the first bytes of a file as Linux's `load_elf_binary` does.
    /// - Parameter wrong: the errno for an image that is none of ours: ENOEXEC for a program, ELIBBAD for an interpreter.
    package init(_ bytes: [UInt8], wrong: Errno = .ENOEXEC) throws(Errno) {
        guard bytes.count >= ELFHeader.size, bytes[0] == 0x7f, bytes[1] == 0x45, bytes[2] == 0x4c, bytes[3] == 0x46
        else {
            throw wrong
        }
        var reader = ByteReader(bytes, from: 16)
        type = reader.take()
        let machine: UInt16 = reader.take()
        reader.skip(4)
        entry = reader.take()
        programHeaderOffset = reader.take()
        reader.skip(8 + 4 + 2)
        let entrySize: UInt16 = reader.take()
        let count: UInt16 = reader.take()
        // Linux looks at type and machine, not at the class: a 32-bit x86 image has another machine.
        guard type == 2 || type == 3, machine == 62 else { throw wrong }
        guard Int(entrySize) == ELFHeader.programHeaderSize, count > 0,
            Int(count) * ELFHeader.programHeaderSize <= 65536
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

    /// As `PROT_*`.
    package var protection: Int32 {
        (flags & 4 != 0 ? 1 : 0) | (flags & 2 != 0 ? 2 : 0) | (flags & 1 != 0 ? 4 : 0)
    }

    /// Every program header of an image. Throws EIO when the file ends before them (`wrong` for an interpreter).
    package static func all(of header: ELFHeader, in source: some ImageSource, short: Errno) throws(Errno)
        -> [ProgramHeader]
    {
        let bytes = try source.readAll(
            at: header.programHeaderOffset, count: header.programHeaderCount * ELFHeader.programHeaderSize, short: short
        )
        var reader = ByteReader(bytes)
        var all: [ProgramHeader] = []
        for _ in 0..<header.programHeaderCount { all.append(ProgramHeader(from: &reader)) }
        return all
    }
}
