/// What an ELF file says of itself. See `elf(5)`. Codable, for `apus inspect --json`.
package struct ImageReport: Codable, Equatable, Sendable {
    package struct Header: Codable, Equatable, Sendable {
        /// 32 or 64.
        package var bits: Int
        package var byteOrder: String
        /// `System V`, `Linux`, or a number.
        package var systemInterface: String
        /// `EXEC`, `DYN`, `REL`, `CORE`, or a number.
        package var type: String
        /// `x86-64`, `aarch64`, or a number.
        package var machine: String
        package var entry: UInt64
        package var flags: UInt32
        package var programHeaderOffset: UInt64
        package var programHeaderCount: Int
        package var sectionHeaderOffset: UInt64
        package var sectionHeaderCount: Int
    }

    package struct Segment: Codable, Equatable, Sendable {
        /// `LOAD`, `INTERP`, or a number.
        package var type: String
        package var typeNumber: UInt32
        package var flags: UInt32
        package var offset: UInt64
        package var virtualAddress: UInt64
        package var physicalAddress: UInt64
        package var fileSize: UInt64
        package var memorySize: UInt64
        package var alignment: UInt64
    }

    package struct Note: Codable, Equatable, Sendable {
        package var owner: String
        package var type: UInt32
        /// What it says, where the type is known; else its bytes in hexadecimal digits.
        package var text: String
    }

    package struct Symbol: Codable, Equatable, Sendable {
        package var name: String
        package var value: UInt64
        package var size: UInt64
        /// `FUNC`, `OBJECT`, or a number.
        package var type: String
        /// `GLOBAL`, `LOCAL`, `WEAK`, or a number.
        package var binding: String
        package var isDefined: Bool
    }

    package var file: String
    package var size: UInt64
    package var header: Header
    package var segments: [Segment]
    /// `PT_INTERP`.
    package var interpreter: String?
    /// `DT_NEEDED`, in order.
    package var needed: [String]
    /// `DT_SONAME`.
    package var name: String?
    /// `DT_RUNPATH`, or else `DT_RPATH`.
    package var searchPath: String?
    package var notes: [Note]
    /// `.dynsym`.
    package var dynamicSymbols: [Symbol]
    /// `.symtab`; empty when the file is stripped.
    package var symbols: [Symbol]
    /// What could not be read, a sentence each.
    package var complaints: [String]
}
