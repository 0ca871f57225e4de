/// A value that one argument register of a system call can carry.
///
/// The conformance is the only decoder of the type: the kernel calls `init(register:)`,
/// and the tracer prints `description`.
package protocol SyscallArgument: CustomStringConvertible, Sendable {
    init(register: UInt)
}

/// The six argument registers of one system call, in ABI order.
package struct ArgumentRegisters: Sendable {
    package var values: InlineArray<6, UInt>
    private var next = 0

    package init(_ values: InlineArray<6, UInt>) { self.values = values }

    /// The register at `index`; past the sixth it is zero.
    package subscript(index: Int) -> UInt {
        index >= 0 && index < 6 ? values[index] : 0
    }

    package mutating func take<A: SyscallArgument>(_: A.Type) -> A {
        defer { next += 1 }
        return A(register: self[next])
    }
}

extension Int: SyscallArgument {
    package init(register: UInt) { self = Int(bitPattern: register) }
}

extension UInt: SyscallArgument {
    package init(register: UInt) { self = register }
}

extension Int32: SyscallArgument {
    package init(register: UInt) { self = Int32(truncatingIfNeeded: register) }
}

extension UInt32: SyscallArgument {
    package init(register: UInt) { self = UInt32(truncatingIfNeeded: register) }
}

/// A descriptor number as the guest wrote it; it may name no open file.
package struct FileNumber: SyscallArgument, Hashable {
    package let rawValue: Int32

    package init(_ rawValue: Int32) { self.rawValue = rawValue }
    package init(register: UInt) { rawValue = Int32(truncatingIfNeeded: register) }

    /// `AT_FDCWD`: the current working directory stands in for the descriptor.
    package static let currentDirectory = FileNumber(-100)

    package var description: String { self == .currentDirectory ? "AT_FDCWD" : "\(rawValue)" }
}

/// A process, thread or process group number as the guest sees it.
package struct ProcessID: SyscallArgument, Hashable, Comparable {
    package let rawValue: Int32

    package init(_ rawValue: Int32) { self.rawValue = rawValue }
    package init(register: UInt) { rawValue = Int32(truncatingIfNeeded: register) }

    package static func < (left: ProcessID, right: ProcessID) -> Bool { left.rawValue < right.rawValue }

    package var description: String { "\(rawValue)" }
}

/// A signal number as the guest wrote it; it may be none of Linux's 1...64.
package struct SignalNumber: SyscallArgument, Hashable {
    package let rawValue: Int32

    package init(_ rawValue: Int32) { self.rawValue = rawValue }
    package init(register: UInt) { rawValue = Int32(truncatingIfNeeded: register) }

    /// True for 1...64.
    package var isValid: Bool { rawValue >= 1 && rawValue <= 64 }

    package var description: String { "\(rawValue)" }
}

/// The address of a `Pointee` in the guest. It cannot be dereferenced; only `GuestMemory` can follow it.
package struct UserPointer<Pointee>: SyscallArgument, Hashable {
    package let address: UInt

    package init(_ address: UInt) { self.address = address }
    package init(register: UInt) { address = register }

    package var isNull: Bool { address == 0 }

    package var description: String { address == 0 ? "NULL" : "0x" + String(address, radix: 16) }
}

/// What stands behind a pointer whose pointee the table does not know.
package enum Opaque {}

/// The pointee of a NUL-terminated string (a path, a name).
package enum CStringBytes {}

/// A NUL-terminated string in the guest.
package typealias UserString = UserPointer<CStringBytes>
