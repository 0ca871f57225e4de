internal import Kernel
internal import LinuxABI
internal import VFS

/// The ioctls of terminals that are about sessions and process groups rather than about the device. See `ioctl_tty(2)`.
extension GuestThread {
    /// - Returns: nil if the command is the device's own.
    func terminalIoctl(_ file: OpenFile, _ command: UInt32, _ argument: UInt) throws(Errno) -> Int? {
        guard let operations = file.operations as? any TerminalFile, let terminal = operations.terminal else {
            return nil
        }
        switch command {
        // TCSETS and its relatives, TCSBRK, TCXONC, TCFLSH: only the foreground changes the terminal.
        case 0x5402...0x5404, 0x5409, 0x540a, 0x540b, 0x402c_542b...0x402c_542d:
            if !operations.isMaster { try kernel.checkChanging(terminal) }
            return nil
        case 0x540e: return try takeTerminal(terminal, steals: argument == 1)
        case 0x540f:
            guard operations.isMaster || isOwn(terminal) else { throw .ENOTTY }
            try copyOut(integer: terminal.foreground?.rawValue ?? 0, to: argument)
            return 0
        case 0x5410: return try setForeground(of: terminal, argument)
        case 0x5422: return try giveUp(terminal)
        case 0x5429:
            guard operations.isMaster || isOwn(terminal), let session = terminal.session else { throw .ENOTTY }
            try copyOut(integer: session.rawValue, to: argument)
            return 0
        // TIOCGPTPEER: the slave, by no name.
        case 0x5441:
            guard let master = operations as? PseudoTerminalMaster else { throw .ENOTTY }
            let flags = OpenFlags(rawValue: UInt32(truncatingIfNeeded: argument))
            let opened = OpenFile(
                try master.pair.node.open(flags), flags: flags.intersection([.writeOnly, .readWrite, .nonBlocking]))
            if !flags.contains(.noControllingTerminal) { adopt(terminal) }
            return try install(opened, closeOnExec: flags.contains(.closeOnExec))
        default: return nil
        }
    }

    /// How often to ask again whether the host's terminal may be used, in nanoseconds.
    private static let foregroundLook: Int64 = 100_000_000

    /// The host interrupts a call on its terminal (EINTR) while the sandbox as a whole is a job in the background of the
    /// user's shell, which sees it stopped by then. The caller tries again until it is in the foreground.
    /// - Returns: what to throw.
    func awaitForeground() -> Errno {
        park(on: [], until: kernel.clock.now.advanced(byNanoseconds: GuestThread.foregroundLook))
    }

    private func isOwn(_ terminal: Terminal) -> Bool { kernel.terminal(of: process.session) === terminal }

    /// `TIOCSCTTY`
    private func takeTerminal(_ terminal: Terminal, steals: Bool) throws(Errno) -> Int {
        let isLeader = process.session == process.id
        if isLeader, terminal.session == process.session { return 0 }
        guard isLeader, kernel.terminal(of: process.session) == nil else { throw .EPERM }
        if let other = terminal.session {
            guard steals, credentials.has(capability: CapabilityNumber.systemAdministration) else { throw .EPERM }
            kernel.detach(other)
        }
        kernel.attach(terminal, to: process.session, foreground: process.group)
        return 0
    }

    /// `TIOCSPGRP`
    private func setForeground(of terminal: Terminal, _ argument: UInt) throws(Errno) -> Int {
        guard isOwn(terminal) else { throw .ENOTTY }
        try kernel.checkChanging(terminal)
        let group = ProcessID(try copyIn(Int32.self, from: argument))
        guard group.rawValue >= 0 else { throw .EINVAL }
        guard let member = kernel.processes.values.first(where: { $0.group == group }) else { throw .ESRCH }
        guard member.session == process.session else { throw .EPERM }
        terminal.foreground = group
        return 0
    }

    /// `TIOCNOTTY`
    private func giveUp(_ terminal: Terminal) throws(Errno) -> Int {
        guard isOwn(terminal) else { throw .ENOTTY }
        guard process.session == process.id else { return 0 }
        kernel.leaveTerminal(process.session, isExit: false)
        return 0
    }
}
