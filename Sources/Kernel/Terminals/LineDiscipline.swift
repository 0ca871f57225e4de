internal import LinuxABI

/// What stands between a terminal's two sides: lines are edited, control characters become signals, output is fitted to the
/// screen. Linux's `n_tty`; see `termios(3)`.
struct LineDiscipline {
    var settings = TerminalSettings() {
        didSet { if settings.local != oldValue.local { modeChanged(from: oldValue) } }
    }
    /// Bytes that a reader may have; in canonical mode whole lines.
    private(set) var ready: [UInt8] = []
    /// In canonical mode: how long each line in `ready` is; an end of file is a line without a byte.
    private var lines: [Int] = []
    /// The line that is being edited.
    private var editing: [UInt8] = []
    /// The next byte is taken as it is.
    private var isLiteral = false
    /// `^S` was pressed: nothing goes out until `^Q`.
    var isStopped = false
    private var column = 0
    /// What the screen is to show, to be taken by the terminal.
    var output: [UInt8] = []
    /// What the keys have caused, to be sent by the terminal.
    var signals: [SignalNumber] = []

    /// `N_TTY_BUF_SIZE`, without the newline of a line that fills it.
    private static let limit = 4095
    /// What is shown of keys while nobody looks at the screen; the rest is not shown.
    private static let screen = 16384

    private var isCanonical: Bool { settings.local.contains(.canonical) }

    // MARK: Reading

    /// True if a read gives something, if only the end of file. `minimum` bytes are what it waits for outside of lines.
    func isReadable(minimum: Int) -> Bool { isCanonical ? !lines.isEmpty : ready.count >= max(1, minimum) }

    /// How many bytes a reader could have now.
    var readable: Int { ready.count }

    mutating func read(_ limit: Int) -> [UInt8] {
        var count = min(limit, ready.count)
        if isCanonical {
            guard let line = lines.first else { return [] }
            count = min(limit, line)
            if count == line { lines.removeFirst() } else { lines[0] -= count }
        }
        let taken = Array(ready.prefix(count))
        ready.removeFirst(count)
        return taken
    }

    mutating func flushInput() {
        ready = []
        lines = []
        editing = []
    }

    /// How many bytes the other side may still type.
    var room: Int { max(0, LineDiscipline.limit - ready.count - editing.count) }

    /// What was typed before becomes readable at once, or a line of its own.
    private mutating func modeChanged(from old: TerminalSettings) {
        guard old.local.contains(.canonical) != isCanonical else { return }
        if isCanonical {
            lines = ready.isEmpty ? [] : [ready.count]
        } else {
            ready += editing
            editing = []
            lines = []
        }
    }

    // MARK: Typing

    /// False while readers have to take something first. The rest of a line that is too long is lost, or it could not end.
    private var canTake: Bool {
        guard isCanonical else { return room > 0 }
        return lines.isEmpty || room > 0 && lines.count < LineDiscipline.limit
    }

    /// Bytes come from the keyboard.
    /// - Returns: how many of them found room.
    mutating func type(_ bytes: [UInt8]) -> Int {
        for (place, byte) in bytes.enumerated() {
            guard canTake else { return place }
            type(byte)
        }
        return bytes.count
    }

    private mutating func type(_ given: UInt8) {
        var byte = given
        if settings.input.contains(.strips) { byte &= 0x7f }
        if isLiteral {
            isLiteral = false
            return keep(byte)
        }
        if settings.input.contains(.flowControl) {
            if settings.matches(byte, .start) {
                isStopped = false
                return
            }
            if settings.matches(byte, .stop) {
                isStopped = true
                return
            }
        }
        if isStopped, settings.input.contains(.anyRestarts) { isStopped = false }
        if settings.local.contains(.signals), let signal = signal(of: byte) { return raise(signal, byte) }
        if byte == 13 {
            if settings.input.contains(.ignoresReturn) { return }
            if settings.input.contains(.returnToNewline) { byte = 10 }
        } else if byte == 10, settings.input.contains(.newlineToReturn) {
            byte = 13
        }
        if isCanonical, edit(byte) { return }
        keep(byte)
    }

    private func signal(of byte: UInt8) -> SignalNumber? {
        if settings.matches(byte, .interrupt) { return SignalNumber(2) }
        if settings.matches(byte, .quit) { return SignalNumber(3) }
        if settings.matches(byte, .suspend) { return SignalNumber(20) }
        return nil
    }

    private mutating func raise(_ signal: SignalNumber, _ byte: UInt8) {
        if !settings.local.contains(.keepsOnSignal) {
            flushInput()
            output = []
        }
        if settings.input.contains(.flowControl) { isStopped = false }
        echo(byte)
        signals.append(signal)
    }

    /// Adds a byte to what is to be read.
    private mutating func keep(_ byte: UInt8) {
        guard room > 0 else { return }
        echo(byte)
        if isCanonical { editing.append(byte) } else { ready.append(byte) }
    }

    /// Deals with the bytes that mean something while a line is edited.
    /// - Returns: false if it is an ordinary byte.
    private mutating func edit(_ byte: UInt8) -> Bool {
        let isExtended = settings.local.contains(.extended)
        if settings.matches(byte, .erase) {
            eraseCharacter()
        } else if isExtended, settings.matches(byte, .wordErase) {
            eraseWord()
        } else if settings.matches(byte, .kill) {
            eraseLine(byte)
        } else if isExtended, settings.matches(byte, .literalNext) {
            isLiteral = true
            if settings.local.contains(.echoes), settings.local.contains(.echoesControl), isShowing {
                output += Array("^\u{8}".utf8)
            }
        } else if isExtended, settings.matches(byte, .reprint), settings.local.contains(.echoes) {
            guard isShowing else { return true }
            echo(byte)
            put(10)
            for typed in editing { echo(typed) }
        } else if byte == 10 {
            if settings.local.contains(.echoes) || settings.local.contains(.echoesNewline), isShowing { put(10) }
            endLine(with: byte)
        } else if settings.matches(byte, .endOfFile) {
            endLine(with: nil)
        } else if settings.matches(byte, .endOfLine) || isExtended && settings.matches(byte, .secondEndOfLine) {
            echo(byte)
            endLine(with: byte)
        } else {
            return false
        }
        return true
    }

    private mutating func endLine(with byte: UInt8?) {
        ready += editing
        if let byte { ready.append(byte) }
        lines.append(editing.count + (byte == nil ? 0 : 1))
        editing = []
    }

    private mutating func eraseCharacter() {
        guard let byte = takeCharacter() else { return }
        guard settings.local.contains(.echoes) else { return }
        if settings.local.contains(.echoesErase) { rubOut(byte) } else { echo(settings[.erase]) }
    }

    private mutating func eraseWord() {
        var hasLetters = false
        while let last = editing.last {
            let isLetter =
                last >= 0x80 || last == 0x5f || (0x30...0x39).contains(last) || (0x41...0x5a).contains(last & 0xdf)
            if hasLetters, !isLetter { return }
            hasLetters = hasLetters || isLetter
            eraseCharacter()
        }
    }

    private mutating func eraseLine(_ byte: UInt8) {
        let local = settings.local
        guard local.contains(.echoes) else {
            editing = []
            return
        }
        if local.contains(.echoesKill), local.contains(.erasesKill), local.contains(.echoesErase) {
            while !editing.isEmpty { eraseCharacter() }
            return
        }
        editing = []
        echo(byte)
        if local.contains(.echoesKill), isShowing { put(10) }
    }

    /// The last character of the line, by its first byte.
    private mutating func takeCharacter() -> UInt8? {
        guard var byte = editing.popLast() else { return nil }
        if settings.input.contains(.isUTF8) {
            while byte & 0xc0 == 0x80, let before = editing.popLast() { byte = before }
        }
        return byte
    }

    /// There is room on the screen for what the keys show.
    private var isShowing: Bool { output.count < LineDiscipline.screen }

    /// Takes a character off the screen.
    private mutating func rubOut(_ byte: UInt8) {
        guard isShowing else { return }
        let isControl = byte < 32 || byte == 127
        let width = isControl ? (settings.local.contains(.echoesControl) ? 2 : 0) : 1
        for _ in 0..<width { output += [8, 32, 8] }
        column = max(0, column - width)
    }

    // MARK: Showing

    private mutating func echo(_ byte: UInt8) {
        guard settings.local.contains(.echoes), isShowing else { return }
        let isControl = (byte < 32 || byte == 127) && byte != 9 && (byte != 10 || isLiteral)
        if isControl, settings.local.contains(.echoesControl), byte != 10, byte != 13 || isCanonical {
            put(0x5e)
            put(byte ^ 0x40)
        } else {
            put(byte)
        }
    }

    /// Writes bytes of a program to the screen.
    mutating func show(_ bytes: [UInt8]) {
        guard settings.output.contains(.processes) else {
            output += bytes
            return
        }
        for byte in bytes { put(byte) }
    }

    private mutating func put(_ byte: UInt8) {
        let flags = settings.output
        guard flags.contains(.processes) else {
            output.append(byte)
            return
        }
        switch byte {
        case 10:
            if flags.contains(.newlineReturns) { output.append(13) }
            output.append(10)
            if flags.contains(.newlineReturns) || flags.contains(.newlineIsReturn) { column = 0 }
        case 13:
            if flags.contains(.noReturnAtStart), column == 0 { return }
            if flags.contains(.returnToNewline) {
                output.append(10)
                return
            }
            output.append(13)
            column = 0
        case 9:
            let spaces = 8 - column % 8
            column += spaces
            if flags.contains(.expandsTabs) {
                output += [UInt8](repeating: 32, count: spaces)
            } else {
                output.append(9)
            }
        case 8:
            output.append(8)
            column = max(0, column - 1)
        default:
            output.append(byte)
            let isInside = settings.input.contains(.isUTF8) && byte & 0xc0 == 0x80
            if byte >= 32, byte != 127, !isInside { column += 1 }
        }
    }
}
