/// The architectures whose system calls the table describes.
package enum SyscallArchitecture: String, CaseIterable, Sendable {
    case x86_64
    case aarch64
    case riscv64
}

/// The one table of system calls, made by `syscall-table-generator` from the kernel's own sources.
///
/// An architecture's part is decoded from a compact text when it is first asked for; nobody else pays for it.
package struct SyscallTable: Sendable {
    package let architecture: SyscallArchitecture
    /// By number; nil where Linux has never assigned the number.
    package let rows: [SyscallDescription?]
    private let numbers: [String: Int]

    /// Calls by another architecture's numbers (`int 0x80`) are counted from here, where no table reaches.
    package static let foreignBase = 1 << 40

    package static let x86_64 = SyscallTable(.x86_64, x86_64Lines)
    package static let aarch64 = SyscallTable(.aarch64, aarch64Lines)
    package static let riscv64 = SyscallTable(.riscv64, riscv64Lines)

    package static func of(_ architecture: SyscallArchitecture) -> SyscallTable {
        switch architecture {
        case .x86_64: x86_64
        case .aarch64: aarch64
        case .riscv64: riscv64
        }
    }

    /// Every call of an architecture, by number, with those that Linux itself answers with ENOSYS.
    package static func descriptions(for architecture: SyscallArchitecture) -> [SyscallDescription] {
        of(architecture).rows.compactMap(\.self)
    }

    /// Directions and extents of the x86-64 calls' parameters, for who needs nothing else: the kernel at its start, where making
    /// all descriptions took a tenth of the time until the first guest ran.
    package static func extents() -> [CallExtents] {
        var decoder = SyscallTableDecoder(x86_64Lines)
        var all: [CallExtents] = []
        all.reserveCapacity(512)
        while let call = decoder.nextExtents() { all.append(call) }
        return all
    }

    private init(_ architecture: SyscallArchitecture, _ lines: String) {
        self.architecture = architecture
        var rows: [SyscallDescription?] = []
        var numbers: [String: Int] = [:]
        var decoder = SyscallTableDecoder(lines)
        while let call = decoder.next() {
            while rows.count < call.number { rows.append(nil) }
            rows.append(call)
            numbers[call.name] = call.number
        }
        self.rows = rows
        self.numbers = numbers
    }

    /// The call with a number; nil if there is none, whatever a guest asks for.
    package subscript(number: Int) -> SyscallDescription? {
        number >= 0 && number < rows.count ? rows[number] : nil
    }

    package subscript(name: String) -> SyscallDescription? {
        numbers[name].flatMap { self[$0] }
    }
}
