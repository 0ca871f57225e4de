package import LinuxABI
package import VFS

/// An open master side.
package final class PseudoTerminalMaster: TerminalFile {
    package let pair: PseudoTerminal
    private let node: any Inode

    init(_ pair: PseudoTerminal, node: any Inode) {
        self.pair = pair
        self.node = node
    }

    package var inode: any Inode { node }
    package var waitQueue: WaitQueue? { pair.masterQueue }
    package var terminal: Terminal? { pair.terminal }
    package var isMaster: Bool { true }

    package func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        guard output.freeCapacity > 0 else { return }
        for byte in try pair.readMaster(output.freeCapacity) { output.append(byte) }
    }

    package func write(_ file: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int {
        try pair.writeMaster(bytes.indices.map { bytes[$0] })
    }

    package func poll(_ file: OpenFile) -> PollEvents {
        var events: PollEvents = pair.canType ? .writable : []
        if !pair.discipline.output.isEmpty { events.formUnion(.readable) }
        if pair.hasLostSlaves { events.insert(.hangUp) }
        return events
    }

    package func release(_ file: OpenFile) { pair.masterClosed() }

    package func ioctl(_ file: OpenFile, command: UInt32, argument: UInt, memory: any IoctlMemory) throws(Errno) -> Int
    {
        switch command {
        // TIOCGPTN, TIOCSPTLCK, TIOCGPTLCK
        case 0x8004_5430: try memory.write(Int32(pair.index), at: argument)
        case 0x4004_5431: pair.isLocked = try memory.readInteger(at: argument) != 0
        case 0x8004_5439: try memory.write(Int32(pair.isLocked ? 1 : 0), at: argument)
        // TIOCPKT, TIOCGPKT
        case 0x5420: pair.isInPacketMode = try memory.readInteger(at: argument) != 0
        case 0x8004_5438: try memory.write(Int32(pair.isInPacketMode ? 1 : 0), at: argument)
        // TIOCSIG
        case 0x4004_5436:
            let signal = SignalNumber(Int32(truncatingIfNeeded: argument))
            guard signal.isValid else { throw .EINVAL }
            pair.kernel.signalForeground(pair.terminal, signal)
        // FIONREAD
        case 0x541b: try memory.write(Int32(clamping: pair.discipline.output.count), at: argument)
        default: return try pair.ioctl(command, argument, memory)
        }
        return 0
    }
}

/// An open slave side: the terminal of programs.
package final class PseudoTerminalSlave: TerminalFile {
    let pair: PseudoTerminal

    init(_ pair: PseudoTerminal) { self.pair = pair }

    package var inode: any Inode { pair.node }
    package var waitQueue: WaitQueue? { pair.slaveQueue }
    package var terminal: Terminal? { pair.terminal }
    package var isMaster: Bool { false }

    package func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        try pair.terminal.control?.checkReading(pair.terminal)
        guard output.freeCapacity > 0 else { return }
        for byte in try pair.readSlave(output.freeCapacity) { output.append(byte) }
    }

    package func write(_ file: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int {
        if pair.discipline.settings.local.contains(.stopsWriters) {
            try pair.terminal.control?.checkChanging(pair.terminal)
        }
        return try pair.writeSlave(bytes.indices.map { bytes[$0] })
    }

    package func poll(_ file: OpenFile) -> PollEvents {
        if pair.isHungUp { return PollEvents.readable.union(.writable).union([.error, .hangUp, .readHangUp]) }
        var events: PollEvents = pair.canShow ? .writable : []
        if pair.isReadable { events.formUnion(.readable) }
        return events
    }

    package func release(_ file: OpenFile) { pair.slaveClosed() }

    package func ioctl(_ file: OpenFile, command: UInt32, argument: UInt, memory: any IoctlMemory) throws(Errno) -> Int
    {
        if pair.isHungUp { throw .EIO }
        // FIONREAD
        guard command == 0x541b else { return try pair.ioctl(command, argument, memory) }
        try memory.write(Int32(clamping: pair.discipline.readable), at: argument)
        return 0
    }
}

extension IoctlMemory {
    fileprivate func write(_ value: Int32, at address: UInt) throws(Errno) {
        var writer = ByteWriter()
        writer.put(value)
        try write(writer.bytes, at: address)
    }

    fileprivate func readInteger(at address: UInt) throws(Errno) -> Int32 {
        var reader = ByteReader(try read(4, at: address))
        return reader.take()
    }
}

extension PseudoTerminal {
    /// What both sides answer. See `ioctl_tty(2)`.
    fileprivate func ioctl(_ command: UInt32, _ argument: UInt, _ memory: any IoctlMemory) throws(Errno) -> Int {
        switch command {
        // TCGETS, TCGETS2
        case 0x5401: try memory.write(discipline.settings.encoded(long: false), at: argument)
        case 0x802c_542a: try memory.write(discipline.settings.encoded(long: true), at: argument)
        // TCSETS, TCSETSW, TCSETSF, and the same with speeds.
        case 0x5402, 0x5403, 0x5404: try set(try memory.read(TerminalSettings.size, at: argument), command == 0x5404)
        case 0x402c_542b, 0x402c_542c, 0x402c_542d:
            try set(try memory.read(TerminalSettings.longSize, at: argument), command == 0x402c_542d)
        // TIOCGWINSZ, TIOCSWINSZ
        case 0x5413: try memory.write(windowSize, at: argument)
        case 0x5414:
            let size = try memory.read(8, at: argument)
            guard size != windowSize else { break }
            windowSize = size
            kernel.signalForeground(terminal, SignalNumber(28))
        // TCSBRK, TCSBRKP, TIOCCBRK, TIOCSBRK: there is no line that could be broken.
        case 0x5409, 0x5425, 0x5427, 0x5428: break
        // TCXONC
        case 0x540a: try flow(argument)
        // TCFLSH: 0 input, 1 output, 2 both.
        case 0x540b:
            guard argument <= 2 else { throw .EINVAL }
            if argument != 1 { forgetKeys() }
            change { discipline in
                if argument != 1 { discipline.flushInput() }
                if argument != 0 { discipline.output = [] }
            }
        // TIOCEXCL, TIOCNXCL, TIOCGEXCL
        case 0x540c: isExclusive = true
        case 0x540d: isExclusive = false
        case 0x8004_5440: try memory.write(Int32(isExclusive ? 1 : 0), at: argument)
        // TIOCOUTQ: what was written is on the screen.
        case 0x5411: try memory.write(Int32(0), at: argument)
        // TIOCGETD, TIOCSETD: there is one discipline.
        case 0x5424: try memory.write(Int32(0), at: argument)
        case 0x5423: guard try memory.readInteger(at: argument) == 0 else { throw .EINVAL }
        // TIOCSTI
        case 0x5412: throw .EIO
        default: throw .ENOTTY
        }
        return 0
    }

    private func set(_ bytes: [UInt8], _ flushes: Bool) throws(Errno) {
        if flushes { forgetKeys() }
        change { discipline in
            if flushes { discipline.flushInput() }
            discipline.settings.decode(bytes)
        }
        takeKeys()
    }

    private func flow(_ argument: UInt) throws(Errno) {
        switch argument {
        case 0: discipline.isStopped = true
        case 1:
            discipline.isStopped = false
            slaveQueue.wakeAll(.writable)
        case 2, 3: break
        default: throw .EINVAL
        }
    }
}
