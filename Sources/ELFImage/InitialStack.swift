package import LinuxABI

/// The bytes at the top of a new program's stack, as Linux lays them out on x86-64: strings, random bytes, platform, then
/// the auxiliary vector, the environment and the arguments' pointers, with `argc` at the stack pointer.
package struct InitialStack: Sendable {
    /// What the auxiliary vector says of the program. See `getauxval(3)`.
    package struct Facts: Sendable {
        package var programHeaders: UInt = 0
        package var programHeaderCount = 0
        /// `AT_BASE`: where the interpreter was loaded; 0 without one.
        package var interpreterBase: UInt = 0
        package var entry: UInt = 0
        package var userID: UInt32 = 0
        package var effectiveUserID: UInt32 = 0
        package var groupID: UInt32 = 0
        package var effectiveGroupID: UInt32 = 0
        package var isSecure = false
        package var hardwareCapabilities: UInt = 0
        package var hardwareCapabilities2: UInt = 0
        package var minimumSignalStack: UInt = 2048
        /// `AT_SYSINFO_EHDR`: where a vDSO image is mapped; absent without one.
        package var vdso: UInt?
        /// `AT_RANDOM`'s 16 bytes.
        package var random: [UInt8] = []

        package init() {}
    }

    /// What to write, ending at the stack's top.
    package let bytes: [UInt8]
    package let stackPointer: UInt
    package let argumentRange: Range<UInt>
    package let environmentRange: Range<UInt>
    package let auxiliaryVector: [UInt8]

    /// `MAX_ARG_STRLEN`: with its NUL.
    package static let maximumString = 131_072

    /// - Parameters:
    ///   - top: past the last byte of the stack; a multiple of 16.
    ///   - limit: bytes that strings and pointers may take together: a quarter of the stack's limit.
    /// - Throws: E2BIG beyond the limits, EFAULT never.
    package init(
        top: UInt, arguments: [[UInt8]], environment: [[UInt8]], executable: [UInt8], facts: Facts, limit: Int
    ) throws(Errno) {
        var total = executable.count + 1
        for string in arguments + environment {
            guard string.count < InitialStack.maximumString else { throw .E2BIG }
            total += string.count + 1 + 8
            guard total <= limit else { throw .E2BIG }
        }
        // From the top down: 8 zero bytes, the executable's name, environment, arguments.
        var strings: [UInt8] = []
        func lengths(_ list: [[UInt8]]) -> Int { list.reduce(0) { $0 + $1.count + 1 } }
        let argumentBytes = lengths(arguments)
        let environmentBytes = lengths(environment)
        let stringStart = top - UInt(8 + executable.count + 1 + environmentBytes + argumentBytes)
        strings.reserveCapacity(Int(top - stringStart))
        for string in arguments + environment + [executable] { strings += string + [0] }
        strings += [UInt8](repeating: 0, count: 8)
        argumentRange = stringStart..<stringStart + UInt(argumentBytes)
        environmentRange = argumentRange.upperBound..<argumentRange.upperBound + UInt(environmentBytes)

        let platform: [UInt8] = Array("x86_64".utf8) + [0]
        var below = stringStart & ~15
        let platformAddress = below - UInt(platform.count)
        let randomAddress = platformAddress - 16
        below = randomAddress & ~15
        let executableAddress = environmentRange.upperBound

        let vector = InitialStack.vector(
            facts, random: randomAddress, platform: platformAddress, executable: executableAddress)
        let words = 1 + arguments.count + 1 + environment.count + 1
        let pointerBytes = words * 8 + vector.count
        let pointer = (below - UInt(pointerBytes)) & ~15

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
        writer.put(strings)
        bytes = writer.bytes
        stackPointer = pointer
        auxiliaryVector = vector
    }

    private static func vector(_ facts: Facts, random: UInt, platform: UInt, executable: UInt) -> [UInt8] {
        var entries: [(UInt64, UInt)] = []
        if let vdso = facts.vdso { entries.append((33, vdso)) }
        entries += [
            (51, facts.minimumSignalStack), (16, facts.hardwareCapabilities), (6, 4096), (17, 100),
            (3, facts.programHeaders), (4, 56), (5, UInt(facts.programHeaderCount)), (7, facts.interpreterBase), (8, 0),
            (9, facts.entry), (11, UInt(facts.userID)), (12, UInt(facts.effectiveUserID)), (13, UInt(facts.groupID)),
            (14, UInt(facts.effectiveGroupID)), (23, facts.isSecure ? 1 : 0), (25, random),
            (26, facts.hardwareCapabilities2), (31, executable), (15, platform), (0, 0),
        ]
        var writer = ByteWriter(capacity: entries.count * 16)
        for (key, value) in entries {
            writer.put(key)
            writer.put(UInt64(value))
        }
        return writer.bytes
    }
}
