package import LinuxABI

/// Who may send what to whom. See `kill(2)`.
extension GuestThread {
    /// Sends a signal of this thread's to a process, number 0 only asking whether it could.
    /// Throws EINVAL for no signal, EPERM, EAGAIN when a queue is full.
    package func send(_ info: SignalInfo, to process: Process) throws(Errno) {
        try checkPermission(info, for: process, process.leader ?? process.threads.first)
        if let error = kernel.send(info, to: process) { throw error }
    }

    /// The same to one thread.
    package func send(_ info: SignalInfo, to thread: GuestThread) throws(Errno) {
        try checkPermission(info, for: thread.process, thread)
        if let error = kernel.send(info, to: thread) { throw error }
    }

    /// What `kill(2)` and the like say of their sender.
    package func signalInfo(_ signal: SignalNumber, code: Int32) -> SignalInfo {
        var info = SignalInfo(signal, code: code)
        info.processID = process.id
        info.userID = credentials.userID
        return info
    }

    private func checkPermission(_ info: SignalInfo, for target: Process, _ thread: GuestThread?) throws(Errno) {
        guard info.signal.rawValue >= 0, info.signal.rawValue <= 64 else { throw .EINVAL }
        // A process that has no thread left hears nothing, and anybody may tell it so.
        guard info.isFromUser, target !== process, let receiver = thread?.credentials else { return }
        let own = credentials
        if own.effectiveUserID == receiver.savedUserID || own.effectiveUserID == receiver.userID
            || own.userID == receiver.savedUserID || own.userID == receiver.userID
            || own.has(capability: GuestThread.killCapability)
        {
            return
        }
        if info.signal == .continue, target.session == process.session { return }
        throw .EPERM
    }

    /// `CAP_KILL`.
    private static let killCapability = 5

    /// `kill(2)`: a process, a group, or everybody.
    package func kill(_ id: ProcessID, _ info: SignalInfo) throws(Errno) {
        switch id.rawValue {
        case 1...:
            // The number of any of its threads names a process.
            guard let target = kernel.processes[id] ?? kernel.threads[id]?.process else { throw .ESRCH }
            try send(info, to: target)
        case .min: throw .ESRCH
        case -1: try killEverybody(info)
        case 0: try kill(group: process.group, info)
        default: try kill(group: ProcessID(-id.rawValue), info)
        }
    }

    private func kill(group: ProcessID, _ info: SignalInfo) throws(Errno) {
        var last = Errno.ESRCH
        var hasReached = false
        for member in kernel.members(ofGroup: group) {
            do throws(Errno) {
                try send(info, to: member)
                hasReached = true
            } catch {
                last = error
            }
        }
        guard hasReached else { throw last }
    }

    private func killEverybody(_ info: SignalInfo) throws(Errno) {
        let others = kernel.processes.values.filter { $0 !== process && $0.id.rawValue > 1 }.sorted { $0.id < $1.id }
        guard !others.isEmpty else { throw .ESRCH }
        var failure: Errno?
        for other in others {
            do throws(Errno) {
                try send(info, to: other)
                failure = nil
            } catch {
                if error != .EPERM { failure = error }
            }
        }
        if let failure { throw failure }
    }
}
