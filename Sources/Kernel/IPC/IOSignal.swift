package import LinuxABI
package import VFS

/// Tells an open file's owner by a signal that the file can be read or written again: `O_ASYNC`, see `fcntl(2)`,
/// "Managing signals". A socket tells of what arrives, not of room to send.
package final class IOSignal: Waiter {
    private weak var file: OpenFile?
    private unowned let kernel: Kernel
    /// The descriptor by which `O_ASYNC` was set, as the receiver is told.
    private let number: FileNumber

    private init(_ file: OpenFile, _ number: FileNumber, _ kernel: Kernel) {
        self.file = file
        self.number = number
        self.kernel = kernel
    }

    /// Starts or ends the signals of a file, whose `O_ASYNC` is about to change. Files that have no such signals (Linux's
    /// `fasync` operation) keep the flag and nothing else.
    package static func set(_ on: Bool, _ file: OpenFile, _ number: FileNumber, _ kernel: Kernel) {
        guard on != (file.asynchronous != nil), knows(file) else { return }
        guard on else { return file.stopSignals() }
        let pipe = (file.operations as? PipeEnd)?.pipe
        guard let queue = pipe?.transfers ?? file.operations.waitQueue else { return }
        let signal = IOSignal(file, number, kernel)
        file.asynchronous = (signal, queue)
        queue.add(signal)
    }

    package static func knows(_ file: OpenFile) -> Bool {
        if file.operations is PipeEnd || file.operations is Inotify { return true }
        return file.operations is any Socket || file.operations is any TerminalFile
    }

    // MARK: Signals

    private enum Reason: Int32 {
        case readable = 1
        case writable = 2
        case hangUp = 6

        var band: PollEvents {
            switch self {
            case .readable: PollEvents(rawValue: 0x41)
            case .writable: PollEvents(rawValue: 0x304)
            case .hangUp: [.error, .hangUp]
            }
        }
    }

    package func fire(_ queue: WaitQueue, _ events: PollEvents) {
        guard let file, file.flags.contains(.async) else { return }
        // A pipe's owner hears of every transfer, be there room or not.
        let now = file.operations is PipeEnd ? .all : file.operations.poll(file)
        let isSocket = file.operations is any Socket
        if isSocket, now.contains(.hangUp), events.contains(.hangUp) { return tell(file, .hangUp) }
        if file.flags.mayRead, events.contains(.readable), !now.isDisjoint(with: [.readable, .hangUp]) {
            tell(file, .readable)
        }
        if file.flags.mayWrite, !isSocket, events.contains(.writable), !now.isDisjoint(with: [.writable, .error]) {
            tell(file, .writable)
        }
    }

    private func tell(_ file: OpenFile, _ reason: Reason) {
        let owner = file.owner
        let id = ProcessID(owner.number)
        guard owner.number > 0 else { return }
        switch owner.kind {
        case .thread:
            guard let thread = kernel.threads[id] else { return }
            send(file, reason, to: thread, alone: true)
        case .process:
            guard let leader = kernel.processes[id]?.leader else { return }
            send(file, reason, to: leader, alone: false)
        case .group:
            for process in kernel.members(ofGroup: id) {
                if let leader = process.leader { send(file, reason, to: leader, alone: false) }
            }
        }
    }

    /// The signals whose codes are their own, so that none of ours fits: Linux's `sig_specific_sicodes`, but for SIGIO.
    private static let specific: Set<Int32> = [4, 5, 7, 8, 11, 17, 31]

    private func send(_ file: OpenFile, _ reason: Reason, to thread: GuestThread, alone: Bool) {
        guard mayTell(file.owner, thread) else { return }
        if file.signal != 0 {
            let isSpecific = IOSignal.specific.contains(file.signal)
            var info = SignalInfo(SignalNumber(file.signal), code: isSpecific ? SignalInfo.io : reason.rawValue)
            info.band = Int64(reason.band.rawValue)
            info.fileDescriptor = number.rawValue
            // With no room for one more, the plain signal says that some were lost.
            if post(info, thread, alone) == nil { return }
        }
        _ = post(SignalInfo(kernel: SignalNumber(29)), thread, alone)
    }

    private func post(_ info: SignalInfo, _ thread: GuestThread, _ alone: Bool) -> Errno? {
        alone ? kernel.send(info, to: thread) : kernel.send(info, to: thread.process)
    }

    /// Linux's `sigio_perm`: who set the owner must be one who may send it signals.
    private func mayTell(_ owner: OpenFile.Owner, _ thread: GuestThread) -> Bool {
        let target = thread.credentials
        return owner.effectiveUserID == 0
            || [owner.userID, owner.effectiveUserID].contains { $0 == target.userID || $0 == target.savedUserID }
    }
}
