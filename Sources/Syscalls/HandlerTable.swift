package import Kernel
package import LinuxABI

/// What the kernel runs for one system call number.
package struct SyscallRow: Sendable {
    package typealias Handler = @Sendable (GuestThread, ArgumentRegisters) throws(Errno) -> Int

    package let number: Int
    package let name: StaticString
    package let support: Support
    package let handler: Handler
}

/// How much of a system call the kernel honours; the compatibility report prints it as is.
package enum Support: Sendable {
    case full
    /// Works, but for what the words say.
    case partial(StaticString)
    /// Always fails with this error, on purpose.
    case refused(Errno)
}

/// Binds a handler to the shape of its system call. The compiler checks that the types agree. Inlined, so that each row's
/// decoding is code for its own types.
@inline(__always)
func implement<each Argument: SyscallArgument>(
    _ spec: SyscallSpec<repeat each Argument>,
    _ support: Support = .full,
    by handler: @escaping @Sendable (GuestThread, repeat each Argument) throws(Errno) -> Int
) -> SyscallRow {
    SyscallRow(
        number: spec.number,
        name: spec.name,
        support: support,
        handler: { (thread, registers) throws(Errno) in
            var registers = registers
            return try handler(thread, repeat registers.take((each Argument).self))
        }
    )
}

/// The x86-64 table: what the kernel dispatches on and the report counts.
package struct HandlerTable: Sendable {
    /// By number; nil is ENOSYS.
    package let rows: [SyscallRow?]

    /// Every family's rows.
    package static let x86_64 = HandlerTable(families: [
        SyscallRow.files, SyscallRow.metadata, SyscallRow.directories, SyscallRow.descriptors,
        SyscallRow.extendedAttributes, SyscallRow.processes, SyscallRow.memory, SyscallRow.pipes, SyscallRow.futexes,
        SyscallRow.signals, SyscallRow.time, SyscallRow.identity, SyscallRow.system, SyscallRow.scheduling,
        SyscallRow.sockets, SyscallRow.events, SyscallRow.inotify, SyscallRow.systemV, SyscallRow.sharedMemory,
        SyscallRow.refused,
    ])

    init(families: [[SyscallRow]]) {
        var rows = [SyscallRow?](repeating: nil, count: 512)
        for row in families.joined() where row.number < rows.count { rows[row.number] = row }
        self.rows = rows
    }

    package subscript(number: Int) -> SyscallRow? { number >= 0 && number < rows.count ? rows[number] : nil }
}
