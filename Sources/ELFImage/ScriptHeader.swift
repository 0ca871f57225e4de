package import LinuxABI

/// The `#!` line of a script. See `execve(2)`, "Interpreter scripts".
package struct ScriptHeader: Equatable, Sendable {
    package let interpreter: [UInt8]
    /// All words after the interpreter, as one argument.
    package let argument: [UInt8]?

    /// As much of a file as Linux looks at (`BINPRM_BUF_SIZE`).
    package static let bufferSize = 256
    /// How deep scripts may name scripts: ELOOP beyond.
    package static let maximumDepth = 5

    /// Nil if the file does not begin with `#!`. Throws ENOEXEC for a line without an interpreter, or one that is cut off.
    package init?(_ buffer: [UInt8]) throws(Errno) {
        guard buffer.count >= 2, buffer[0] == 0x23, buffer[1] == 0x21 else { return nil }
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        let body = buffer.prefix(ScriptHeader.bufferSize).dropFirst(2)
        let line: ArraySlice<UInt8>
        if let end = body.firstIndex(where: { $0 == 0x0a }) {
            line = body[..<end]
        } else {
            // Without a newline in reach the interpreter itself must end in reach: by a blank, or with a short file.
            let isWhole = buffer.count < ScriptHeader.bufferSize
            let afterBlanks = body.drop(while: isBlank)
            guard isWhole || afterBlanks.contains(where: { isBlank($0) || $0 == 0 }) else { throw .ENOEXEC }
            line = body
        }
        let ended = line.prefix { $0 != 0 }
        var text = ended.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text = text.dropLast() }
        guard !text.isEmpty else { throw .ENOEXEC }
        interpreter = Array(text.prefix { !isBlank($0) })
        let rest = text.dropFirst(interpreter.count).drop(while: isBlank)
        argument = rest.isEmpty ? nil : Array(rest)
    }

    /// The arguments that the interpreter gets: itself, its argument, the script's path, then what the script was called
    /// with.
    package func arguments(script path: [UInt8], original: [[UInt8]]) -> [[UInt8]] {
        [interpreter] + (argument.map { [$0] } ?? []) + [path] + original.dropFirst()
    }
}
