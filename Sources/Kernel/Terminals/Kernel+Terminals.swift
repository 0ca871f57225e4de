package import LinuxABI
package import VFS

/// Job control: sessions have terminals, and terminals have a group in the foreground.
extension Kernel: TerminalControl {
    /// The controlling terminal of a session.
    package func terminal(of session: ProcessID) -> Terminal? { terminals[session] }

    /// Gives a session its terminal. The caller has checked that both are free.
    package func attach(_ terminal: Terminal, to session: ProcessID, foreground: ProcessID) {
        terminal.control = self
        terminal.session = session
        terminal.foreground = foreground
        terminals[session] = terminal
    }

    /// Takes a session's terminal away.
    package func detach(_ session: ProcessID) {
        guard let terminal = terminals.removeValue(forKey: session) else { return }
        terminal.session = nil
        terminal.foreground = nil
    }

    /// The leader of a session has ended or has given its terminal up: the foreground hears of it. See `setsid(2)`.
    package func leaveTerminal(_ session: ProcessID, isExit: Bool) {
        guard let terminal = terminals[session] else { return }
        signalForeground(terminal, .hangUp)
        if !isExit { signalForeground(terminal, .continue) }
        detach(session)
    }

    /// The terminal itself is gone: its session's leader hears of it, and the foreground.
    package func hangUp(_ terminal: Terminal) {
        guard let session = terminal.session else { return }
        if let leader = processes[session] {
            send(SignalInfo(kernel: .hangUp), to: leader)
            send(SignalInfo(kernel: .continue), to: leader)
        }
        if terminal.foreground != session { signalForeground(terminal, .hangUp) }
        detach(session)
    }

    package func signalForeground(_ terminal: Terminal, _ signal: SignalNumber) {
        guard let group = terminal.foreground else { return }
        for member in members(ofGroup: group) { send(SignalInfo(kernel: signal), to: member) }
    }

    package func checkReading(_ terminal: Terminal) throws(Errno) {
        guard let thread = currentThread, isInBackground(thread, terminal) else { return }
        guard !thread.withstands(SignalNumber(21)), !isOrphaned(group: thread.process.group) else { throw .EIO }
        try stopGroup(of: thread, SignalNumber(21))
    }

    package func checkChanging(_ terminal: Terminal) throws(Errno) {
        guard let thread = currentThread, isInBackground(thread, terminal) else { return }
        guard !thread.withstands(SignalNumber(22)) else { return }
        guard !isOrphaned(group: thread.process.group) else { throw .EIO }
        try stopGroup(of: thread, SignalNumber(22))
    }

    private func isInBackground(_ thread: GuestThread, _ terminal: Terminal) -> Bool {
        guard terminals[thread.process.session] === terminal, let foreground = terminal.foreground else { return false }
        return thread.process.group != foreground
    }

    private func stopGroup(of thread: GuestThread, _ signal: SignalNumber) throws(Errno) {
        for member in members(ofGroup: thread.process.group) { send(SignalInfo(kernel: signal), to: member) }
        throw .ERESTARTSYS
    }
}

extension GuestThread {
    /// True if the signal would not reach the thread: blocked, or ignored.
    fileprivate func withstands(_ signal: SignalNumber) -> Bool {
        !signals.blocked.isDisjoint(with: SignalSet(signal)) || process.actions[signal].handler == SignalAction.ignore
    }

    /// A terminal that the leader of a session without one opens becomes the session's. See `O_NOCTTY` in `open(2)`.
    package func adopt(_ terminal: Terminal) {
        guard process.session == process.id, kernel.terminal(of: process.session) == nil, terminal.session == nil else {
            return
        }
        kernel.attach(terminal, to: process.session, foreground: process.group)
    }
}
