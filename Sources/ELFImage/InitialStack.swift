package import LinuxABI

/// The bytes at the top of a new program's stack, as Linux lays them out on x86-64. From the top down: eight zero bytes,
/// the executable's name, the environment's and the arguments' strings; the platform's name and the random bytes; then the
/// auxiliary vector, the environment's and the arguments' pointers, with `argc` at the stack pointer.
package struct InitialStack: Sendable {
    /// What to write, ending at the stack's top.
    package let bytes: [UInt8]
    package let stackPointer: UInt
    package let argumentRange: Range<UInt>
    package let environmentRange: Range<UInt>
    package let auxiliaryVector: [UInt8]

    /// `MAX_ARG_STRLEN`: with its NUL.
    package static let maximumString = 131_072
    /// Values below 8192 that Linux moves the stack down by, at random (`arch_align_stack`).
    package static let shuffleRange: UInt = 8192

    /// Bytes that strings and their pointers may take together: a quarter of the stack's limit, but at most 6 MiB and at
    /// least 128 KiB. See `execve(2)`, "Limits on size of arguments and environment".
    package static func limit(stackLimit: UInt64) -> Int {
        Int(max(min(stackLimit / 4, 6 << 20), 131_072))
    }

    /// - Parameters:
    ///   - top: past the last byte of the stack; a multiple of 16.
    ///   - arguments: without NULs; what came before `#!` lines were followed may have been shorter.
    ///   - environment: without NULs.
    ///   - executable: the path as it was given to execve, for `AT_EXECFN`.
    ///   - facts: what the auxiliary vector says.
    ///   - limit: bytes that strings and pointers may take together.
    /// - Throws: E2BIG beyond the limits.
    package init(
        top: UInt, arguments: [[UInt8]], environment: [[UInt8]], executable: [UInt8], facts: Facts, limit: Int
    ) throws(Errno) {
        var total = 8 * (max(arguments.count, 1) + environment.count)
        guard total < limit else { throw .E2BIG }
        for string in [executable] + environment + arguments {
            guard string.count < InitialStack.maximumString else { throw .E2BIG }
            total += string.count + 1
            guard total <= limit else { throw .E2BIG }
        }
        func lengths(_ list: [[UInt8]]) -> Int { list.reduce(0) { $0 + $1.count + 1 } }
        let argumentBytes = lengths(arguments)
        let environmentBytes = lengths(environment)
        let stringStart = top - UInt(8 + executable.count + 1 + environmentBytes + argumentBytes)
        argumentRange = stringStart..<stringStart + UInt(argumentBytes)
        environmentRange = argumentRange.upperBound..<argumentRange.upperBound + UInt(environmentBytes)

        let platform: [UInt8] = Array("x86_64".utf8) + [0]
        let platformAddress = ((stringStart - facts.shuffle) & ~15) - UInt(platform.count)
        let randomAddress = platformAddress - 16
        let vector = facts.vector(
            random: randomAddress, platform: platformAddress, executable: environmentRange.upperBound)
        let words = 1 + arguments.count + 1 + environment.count + 1
        let pointer = (randomAddress - UInt(words * 8 + vector.count)) & ~15

        var writer = ByteWriter(capacity: Int(top - pointer))
        writer.put(UInt64(arguments.count))
        var next = argumentRange.lowerBound
        for list in [arguments, environment] {
            for string in list {
                writer.put(UInt64(next))
                next += UInt(string.count + 1)
            }
            writer.put(UInt64(0))
        }
        writer.put(vector)
        writer.pad(to: Int(randomAddress - pointer))
        writer.put(facts.random.count == 16 ? facts.random : [UInt8](repeating: 0, count: 16))
        writer.put(platform)
        writer.pad(to: Int(stringStart - pointer))
        for string in arguments + environment + [executable] {
            writer.put(string)
            writer.put(UInt8(0))
        }
        writer.pad(8)
        bytes = writer.bytes
        stackPointer = pointer
        auxiliaryVector = vector
    }
}
