internal import CHost
package import LinuxABI

/// A program to be started on the host.
package struct HostCommand: Sendable {
    package var path: String
    /// `argv`, the program's own name first.
    package var arguments: [String]
    /// `NAME=value`, in order.
    package var environment: [String]
    /// Nil for the caller's.
    package var workingDirectory: String?
    /// Descriptors for 0, 1 and 2; -1 stands for the caller's own. The program gets no other.
    package var standardInput: Int32 = -1
    package var standardOutput: Int32 = -1
    package var standardError: Int32 = -1

    package init(
        path: String, arguments: [String], environment: [String] = [], workingDirectory: String? = nil
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
    }
}

/// Programs that the toolkit starts: compilers, and the sandbox itself.
extension Host {
    /// Starts a program that is killed when the calling thread ends, whichever way that happens.
    ///
    /// Throws the errno of whatever failed, the execve included.
    package static func spawn(_ command: HostCommand) throws(Errno) -> Int32 {
        let standard: InlineArray<3, Int32> = [
            command.standardInput, command.standardOutput, command.standardError,
        ]
        let arguments = packed(command.arguments)
        let environment = packed(command.environment)
        // The shim reads the path, the directory, the two lists and three numbers, which all outlive the call.
        let child = unsafe arguments.withUnsafeBufferPointer { arguments in
            unsafe environment.withUnsafeBufferPointer { environment in
                unsafe standard.span.withUnsafeBufferPointer { standard in
                    unsafe apus_spawn(
                        command.path, apus_strings(bytes: arguments.baseAddress, count: arguments.count),
                        apus_strings(bytes: environment.baseAddress, count: environment.count),
                        command.workingDirectory, standard.baseAddress)
                }
            }
        }
        guard child > 0 else { throw Errno(rawValue: -child) }
        return child
    }

    /// Waits for a child of `spawn` and reaps it.
    /// - Returns: its wait status; nil if `milliseconds` have passed before (never without them).
    package static func wait(for child: Int32, milliseconds: Int32? = nil) throws(Errno) -> Int32? {
        var status: Int32 = 0
        // The shim writes the status.
        let result = unsafe apus_spawn_wait(child, milliseconds ?? -1, &status)
        guard result >= 0 else { throw Errno(rawValue: -result) }
        return result == 0 ? nil : status
    }

    /// Becomes another program: process number, terminal, signals and exit status are then its own. Without an environment it
    /// gets this one's.
    package static func execute(_ path: String, _ arguments: [String], environment: [String]?) throws(Errno) -> Never {
        let arguments = packed(arguments)
        let keeps = environment == nil
        let environment = packed(environment ?? [])
        // The shim reads the path and the two lists, which outlive the call.
        let result = unsafe arguments.withUnsafeBufferPointer { arguments in
            unsafe environment.withUnsafeBufferPointer { environment in
                unsafe apus_execute(
                    path, apus_strings(bytes: arguments.baseAddress, count: arguments.count),
                    apus_strings(bytes: environment.baseAddress, count: environment.count), keeps)
            }
        }
        throw Errno(rawValue: -result)
    }

    /// Strings one after the other, each with its NUL. A NUL inside a string would end it: none passes.
    private static func packed(_ strings: [String]) -> [CChar] {
        var bytes: [CChar] = []
        for string in strings {
            bytes.append(contentsOf: string.utf8.prefix { $0 != 0 }.map(CChar.init(bitPattern:)))
            bytes.append(0)
        }
        return bytes
    }
}
