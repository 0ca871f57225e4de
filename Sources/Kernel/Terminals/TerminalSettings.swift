internal import LinuxABI

/// `struct termios` as the kernel has it: four words of flags, a line discipline, nineteen control characters, and the
/// speeds. See `termios(3)`.
package struct TerminalSettings: Sendable, Equatable {
    package var input = InputFlags(rawValue: 0o2400)
    package var output = OutputFlags(rawValue: 0o5)
    package var control: UInt32 = 0o277
    package var local = LocalFlags(rawValue: 0o105073)
    package var line: UInt8 = 0
    package var characters: [UInt8] = [
        3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0,
    ]
    package var inputSpeed: UInt32 = 38400
    package var outputSpeed: UInt32 = 38400

    package init() {}

    /// Of `struct termios`, in bytes.
    package static let size = 36
    /// Of `struct termios2`, which has the speeds.
    package static let longSize = 44

    package struct InputFlags: OptionSet, Sendable, Equatable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        static let breakInterrupts = InputFlags(rawValue: 0o2)
        static let strips = InputFlags(rawValue: 0o40)
        static let newlineToReturn = InputFlags(rawValue: 0o100)
        static let ignoresReturn = InputFlags(rawValue: 0o200)
        static let returnToNewline = InputFlags(rawValue: 0o400)
        static let flowControl = InputFlags(rawValue: 0o2000)
        static let anyRestarts = InputFlags(rawValue: 0o4000)
        static let isUTF8 = InputFlags(rawValue: 0o40000)
    }

    package struct OutputFlags: OptionSet, Sendable, Equatable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        static let processes = OutputFlags(rawValue: 0o1)
        static let newlineReturns = OutputFlags(rawValue: 0o4)
        static let returnToNewline = OutputFlags(rawValue: 0o10)
        static let noReturnAtStart = OutputFlags(rawValue: 0o20)
        static let newlineIsReturn = OutputFlags(rawValue: 0o40)
        static let expandsTabs = OutputFlags(rawValue: 0o14000)
    }

    package struct LocalFlags: OptionSet, Sendable, Equatable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        static let signals = LocalFlags(rawValue: 0o1)
        static let canonical = LocalFlags(rawValue: 0o2)
        static let echoes = LocalFlags(rawValue: 0o10)
        static let echoesErase = LocalFlags(rawValue: 0o20)
        static let echoesKill = LocalFlags(rawValue: 0o40)
        static let echoesNewline = LocalFlags(rawValue: 0o100)
        static let keepsOnSignal = LocalFlags(rawValue: 0o200)
        static let stopsWriters = LocalFlags(rawValue: 0o400)
        static let echoesControl = LocalFlags(rawValue: 0o1000)
        static let erasesKill = LocalFlags(rawValue: 0o4000)
        static let extended = LocalFlags(rawValue: 0o100000)
    }

    /// Places in `characters`.
    enum Character: Int {
        case interrupt = 0
        case quit, erase, kill, endOfFile, time, minimum, switchTo, start, stop, suspend, endOfLine, reprint, discard
        case wordErase, literalNext, secondEndOfLine
    }

    /// A control character; 0 is none.
    subscript(character: Character) -> UInt8 { characters[character.rawValue] }

    /// True if the byte is this control character.
    func matches(_ byte: UInt8, _ character: Character) -> Bool { byte != 0 && self[character] == byte }

    package func encoded(long: Bool) -> [UInt8] {
        var writer = ByteWriter(capacity: TerminalSettings.longSize)
        writer.put(input.rawValue)
        writer.put(output.rawValue)
        writer.put(control)
        writer.put(local.rawValue)
        writer.put(line)
        writer.put(characters)
        if long {
            writer.put(inputSpeed)
            writer.put(outputSpeed)
        }
        return writer.bytes
    }

    /// Takes over what `encoded` gives; the speeds stay where they are not given.
    package mutating func decode(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        input = InputFlags(rawValue: reader.take())
        output = OutputFlags(rawValue: reader.take())
        // A pseudo-terminal has eight bits, no parity, and always receives.
        control = reader.take(UInt32.self) & ~0o460 | 0o260
        local = LocalFlags(rawValue: reader.take())
        line = reader.take()
        let given = reader.take(count: 19)
        characters = given + [UInt8](repeating: 0, count: 19 - given.count)
        if bytes.count >= TerminalSettings.longSize {
            inputSpeed = reader.take()
            outputSpeed = reader.take()
        }
    }
}
