/// The shape of one system call: its number, its name, and the types of its arguments.
///
/// Handlers bind to it (`Syscalls`), and the compiler checks that the types agree.
package struct SyscallSpec<each Argument: SyscallArgument>: Sendable {
    package let number: Int
    package let name: StaticString
    package let labels: [StaticString]

    package init(_ number: Int, _ name: StaticString, _ parameters: repeat Parameter<each Argument>) {
        var labels: [StaticString] = []
        for parameter in repeat each parameters { labels.append(parameter.label) }
        self.number = number
        self.name = name
        self.labels = labels
    }
}

/// One named parameter of a system call.
package struct Parameter<Value: SyscallArgument>: Sendable {
    package let label: StaticString
    package init(_ label: StaticString, as _: Value.Type = Value.self) { self.label = label }
}
