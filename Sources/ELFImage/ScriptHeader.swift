package import LinuxABI

/// The `#!` line of a script. See `execve(2)`, "Interpreter scripts".
package struct ScriptHeader: Equatable, Sendable {
    /// The interpreter's path. Empty if a NUL stands where it should begin: Linux takes that for the current directory.
    package let interpreter: [UInt8]
    /// All words after the interpreter, as one argument.
    package let argument: [UInt8]?

    /// As much of a file as Linux looks at (`BINPRM_BUF_SIZE`).
    package static let bufferSize = 256
    /// How deep scripts may name scripts: ELOOP beyond.
    package static let maximumDepth = 5

    /// Nil if the file does not begin with `#!`. Throws ENOEXEC for a line without an interpreter, or with one that is cut
    /// off by the end of what Linux looks at. An argument may be cut off.
    ///
    /// Bytes that the file lacks count as NULs, and a NUL ends a string but not the line: `#!/bin/sh -x ` without a newline
    /// keeps its blank, `#!/bin/sh ` without one has an empty argument.
    package init?(_ buffer: [UInt8]) throws(Errno) {
        guard buffer.starts(with: [0x23, 0x21]) else { return nil }
        let text = buffer.prefix(ScriptHeader.bufferSize)
        func byte(_ index: Int) -> UInt8 { index < text.count ? text[index] : 0 }
        func isBlank(_ index: Int) -> Bool { byte(index) == 0x20 || byte(index) == 0x09 }
        func string(_ range: Range<Int>) -> [UInt8] { Array(range.lazy.map(byte).prefix { $0 != 0 }) }

        let last = ScriptHeader.bufferSize - 1
        var end = last
        if let stop = text.firstIndex(where: { $0 == 0x0a || $0 == 0 }), byte(stop) == 0x0a {
            end = stop
        } else {
            // Without a newline the interpreter itself must end in reach, by a blank or a NUL.
            guard let start = (2...last).first(where: { !isBlank($0) }),
                (start...last).contains(where: { isBlank($0) || byte($0) == 0 })
            else { throw .ENOEXEC }
        }
        while isBlank(end - 1) { end -= 1 }
        guard let start = (2..<max(end, 2)).first(where: { !isBlank($0) }) else { throw .ENOEXEC }
        let separator = (start..<end).first { isBlank($0) || byte($0) == 0 } ?? end
        interpreter = string(start..<separator)
        // What follows a NUL is nothing.
        let rest = byte(separator) == 0 ? nil : (separator..<end).first { !isBlank($0) }
        argument = rest.map { string($0..<end) }
    }

    /// The arguments that the interpreter gets: itself, its argument, the script's path, then what the script was called
    /// with.
    package func arguments(script path: [UInt8], original: [[UInt8]]) -> [[UInt8]] {
        [interpreter] + (argument.map { [$0] } ?? []) + [path] + original.dropFirst()
    }
}
