internal import LinuxABI
package import VFS

/// A pair of a master and a slave side. See `pty(7)`.
package final class PseudoTerminal {
    package let index: Int
    package let terminal: Terminal
    unowned let kernel: Kernel
    var discipline = LineDiscipline()
    /// Keys for which the discipline has no room yet: as much as Linux's `tty_buffer` holds.
    private var typed: [UInt8] = []
    private static let typedLimit = 65536
    /// Rows, columns, and two sizes in pixels.
    var windowSize: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0]
    /// `TIOCSPTLCK`: the slave cannot be opened.
    var isLocked = true
    /// `TIOCEXCL`
    var isExclusive = false
    /// `TIOCPKT`: the master reads a byte of status in front of everything.
    var isInPacketMode = false
    private(set) var isMasterOpen = true
    private(set) var slaves = 0
    private var hasHadSlave = false
    /// `VTIME` has passed for a reader.
    private var timeIsUp = false
    private var readTimer: Deadline?
    let masterQueue = WaitQueue()
    let slaveQueue = WaitQueue()
    let owner: (user: UInt32, group: UInt32)
    package private(set) lazy var node = PseudoTerminalNode(self)

    /// Bytes that a slave may write before it has to wait for the master.
    private static let outputLimit = 16384

    init(_ index: Int, kernel: Kernel, owner: (user: UInt32, group: UInt32)) {
        self.index = index
        self.kernel = kernel
        self.owner = owner
        terminal = Terminal(device: DeviceNumber(major: 136, minor: UInt32(index)))
        terminal.control = kernel
        terminal.reopen = { [weak self] _ throws(Errno) in
            guard let self else { throw .EIO }
            return try openSlave()
        }
    }

    /// True once the master has let go, or no slave is left that had been there.
    var isHungUp: Bool { !isMasterOpen }
    var hasLostSlaves: Bool { hasHadSlave && slaves == 0 }

    /// Throws EIO for a terminal whose master is gone or has it locked; EBUSY where one opener wants it alone.
    func openSlave() throws(Errno) -> any FileOperations {
        guard isMasterOpen, !isLocked else { throw .EIO }
        guard !isExclusive else { throw .EBUSY }
        slaves += 1
        hasHadSlave = true
        masterQueue.wakeAll()
        return PseudoTerminalSlave(self)
    }

    func slaveClosed() {
        slaves -= 1
        guard slaves == 0 else { return }
        isExclusive = false
        masterQueue.wakeAll()
    }

    func masterClosed() {
        isMasterOpen = false
        kernel.pseudoTerminals.forget(index)
        kernel.hangUp(terminal)
        slaveQueue.wakeAll()
    }

    /// Does something to the line discipline, and hands on what comes of it.
    func change(_ body: (inout LineDiscipline) -> Void) {
        let before = discipline.output.count
        body(&discipline)
        let signals = discipline.signals
        discipline.signals = []
        for signal in signals { kernel.signalForeground(terminal, signal) }
        if discipline.output.count != before { masterQueue.wakeAll(.readable) }
        slaveQueue.wakeAll()
    }

    // MARK: The slave's side

    var isReadable: Bool {
        discipline.isReadable(minimum: discipline.settings[.time] == 0 ? Int(discipline.settings[.minimum]) : 1)
    }

    /// Bytes for a program; nothing at the end of file. Throws EAGAIN.
    func readSlave(_ limit: Int) throws(Errno) -> [UInt8] {
        let settings = discipline.settings
        let minimum = Int(settings[.minimum])
        let isCanonical = settings.local.contains(.canonical)
        if discipline.isReadable(minimum: isCanonical || settings[.time] != 0 ? 1 : min(minimum, limit)) {
            cancelTimer()
            let bytes = discipline.read(limit)
            takeKeys()
            masterQueue.wakeAll(.writable)
            return bytes
        }
        if isHungUp { return [] }
        if !isCanonical, minimum == 0 {
            // Polling, or waiting for a while.
            if settings[.time] == 0 || timeIsUp {
                cancelTimer()
                return []
            }
            if readTimer == nil { startTimer(tenths: Int64(settings[.time])) }
        }
        throw .EAGAIN
    }

    private func startTimer(tenths: Int64) {
        let end = kernel.clock.now.advanced(byNanoseconds: tenths * 100_000_000)
        readTimer = kernel.timers.schedule(at: end) { [weak self] in
            self?.readTimer = nil
            self?.timeIsUp = true
            self?.slaveQueue.wakeAll()
        }
    }

    private func cancelTimer() {
        timeIsUp = false
        if let readTimer { kernel.timers.cancel(readTimer) }
        readTimer = nil
    }

    /// Throws EIO when nobody is there to see it, EAGAIN while the screen is full or stopped.
    func writeSlave(_ bytes: [UInt8]) throws(Errno) -> Int {
        guard !isHungUp else { throw .EIO }
        let room = PseudoTerminal.outputLimit - discipline.output.count
        guard room > 0, !discipline.isStopped else { throw .EAGAIN }
        let taken = bytes.count <= room ? bytes : Array(bytes.prefix(room))
        discipline.show(taken)
        masterQueue.wakeAll(.readable)
        return taken.count
    }

    var canShow: Bool { discipline.output.count < PseudoTerminal.outputLimit && !discipline.isStopped }

    // MARK: The master's side

    /// What the screen is to show. Throws EIO when no program is left, EAGAIN.
    func readMaster(_ limit: Int) throws(Errno) -> [UInt8] {
        guard !discipline.output.isEmpty else {
            throw hasLostSlaves ? .EIO : .EAGAIN
        }
        let status: [UInt8] = isInPacketMode ? [0] : []
        let count = min(limit - status.count, discipline.output.count)
        let taken = Array(discipline.output.prefix(max(0, count)))
        discipline.output.removeFirst(taken.count)
        slaveQueue.wakeAll(.writable)
        return status + taken
    }

    var canType: Bool { typed.count < PseudoTerminal.typedLimit }

    /// Keys are pressed. Throws EAGAIN while programs do not read.
    func writeMaster(_ bytes: [UInt8]) throws(Errno) -> Int {
        let taken = bytes.prefix(PseudoTerminal.typedLimit - typed.count)
        guard !taken.isEmpty || bytes.isEmpty else { throw .EAGAIN }
        typed += taken
        takeKeys()
        return taken.count
    }

    /// Hands the discipline as many keys as it has room for.
    func takeKeys() {
        guard !typed.isEmpty else { return }
        change { discipline in typed.removeFirst(discipline.type(typed)) }
    }

    func forgetKeys() { typed = [] }
}
