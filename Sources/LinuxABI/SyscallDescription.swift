/// What the one table says of a system call of one architecture.
///
/// The stub's payload copies, both tracers, the differ and the reports read this description; handlers bind to the
/// typed `SyscallSpec` that the generator makes from the same data.
package struct SyscallDescription: Sendable {
    package let number: Int
    package let name: String
    package let parameters: [ParameterDescription]
    package let result: ResultMeaning
    /// False for numbers that the kernel itself answers with ENOSYS (`sys_ni_syscall`, or no entry point).
    package let isInLinux: Bool

    package init(
        number: Int, name: String, parameters: [ParameterDescription], result: ResultMeaning, isInLinux: Bool = true
    ) {
        self.number = number
        self.name = name
        self.parameters = parameters
        self.result = result
        self.isInLinux = isInLinux
    }
}

/// What a description says of the bytes behind a call's pointers.
package struct CallExtents: Sendable {
    package let number: Int
    package var parameters: [(direction: Direction, extent: Extent)]
}

/// One parameter of a system call.
package struct ParameterDescription: Sendable {
    package let name: String
    /// As in the kernel's source: `char __user *`.
    package let cType: String
    package let role: ValueRole
    package let direction: Direction
    /// How many bytes stand behind a pointer.
    package let extent: Extent
    /// The name of the flag set that prints the value (`open_flags`, `mmap_prot`), if it is one.
    package let flagSet: String?

    package init(
        name: String, cType: String, role: ValueRole, direction: Direction = .value, extent: Extent = .none,
        flagSet: String? = nil
    ) {
        self.name = name
        self.cType = cType
        self.role = role
        self.direction = direction
        self.extent = extent
        self.flagSet = flagSet
    }
}

/// Which way the bytes behind a pointer travel.
package enum Direction: String, Sendable {
    /// Not a pointer: the register is the argument.
    case value
    case `in`
    case out
    case both
}

/// How many bytes stand behind a pointer parameter. Parameter indices count from zero.
///
/// Where the parameter at the index is itself a pointer (`addrlen` of `accept(2)`), the count is the 32-bit number
/// behind it: before the call for what goes in, after the call for what comes out.
package enum Extent: Sendable, Equatable {
    /// Not a pointer, or nothing is known of what it points at.
    case none
    /// A fixed number of bytes: a struct of known size.
    case fixed(Int)
    /// As many bytes as the parameter at the index says.
    case bytes(parameter: Int)
    /// As many elements of `element` bytes as the parameter at the index says.
    case array(element: Int, parameter: Int)
    /// Bytes up to and with a NUL.
    case string
    /// A NULL-terminated vector of string pointers (`argv`).
    case stringVector
    /// An array of `iovec`, whose buffers are the payload; the count is the parameter at the index.
    case ioVector(parameter: Int)
    /// A `msghdr`: name, vector and control behind it.
    case messageHeader
    /// The result says how many bytes were written to the buffer (read, getdents64), at most the parameter's value.
    case resultBytes(parameter: Int)
    /// The result says how many elements of `element` bytes were written (epoll_wait, getgroups), at most the
    /// parameter's value.
    case resultArray(element: Int, parameter: Int)
    /// A bit set of as many bits as the parameter says, in whole 64-bit words (`fd_set` of select).
    case bits(parameter: Int)
    /// One byte for each page of 4096 bytes of a range as long as the parameter says (mincore).
    case pages(parameter: Int)
}

/// What a value means, so that the differ can rename it.
package enum ValueRole: String, Sendable {
    case integer
    case flags
    case fileDescriptor
    case processID
    case userID
    case groupID
    case address
    case signal
    case size
    case offset
    case mode
    case device
    case time
    case path
    case string
    case buffer
    case structure
    case command
}

/// What a successful result means.
package enum ResultMeaning: String, Sendable {
    case zero
    case fileDescriptor
    case bytes
    case processID
    case address
    case count
    case userID
    case groupID
    case value
    case never
}
