internal import Kernel
internal import LinuxABI
internal import VFS

/// Who hears by a signal that a file is ready: `F_SETOWN`, `F_SETOWN_EX`, `F_GETOWN_EX` and `O_ASYNC` of `fcntl(2)`.
extension GuestThread {
    /// `O_ASYNC` may have changed.
    func signalInput(_ file: OpenFile, _ number: FileNumber) {
        let on = file.flags.contains(.async)
        // A terminal without an owner tells those in its foreground, or who asked.
        if on, file.asynchronous == nil, file.owner.number == 0,
            let terminal = (file.operations as? any TerminalFile)?.terminal
        {
            setOwner(file, terminal.foreground == nil ? .process : .group, (terminal.foreground ?? process.id).rawValue)
        }
        IOSignal.set(on, file, number, kernel)
    }

    private func setOwner(_ file: OpenFile, _ kind: OpenFile.Owner.Kind, _ number: Int32) {
        file.owner.kind = kind
        file.owner.number = number
        file.owner.userID = credentials.userID
        file.owner.effectiveUserID = credentials.effectiveUserID
    }

    /// A process, or a group as a negative number; 0 for nobody. Throws ESRCH where there is no such one.
    func setOwner(_ file: OpenFile, _ who: Int32) throws(Errno) -> Int {
        guard who != .min else { throw .EINVAL }
        let kind: OpenFile.Owner.Kind = who < 0 ? .group : .process
        try checkOwner(kind, abs(who))
        setOwner(file, kind, abs(who))
        return 0
    }

    private func checkOwner(_ kind: OpenFile.Owner.Kind, _ number: Int32) throws(Errno) {
        guard number != 0 else { return }
        let id = ProcessID(number)
        // Linux asks whether the number is anybody's, whatever kind of owner it is for.
        guard kernel.threads[id] != nil || kernel.processes[id] != nil || !kernel.members(ofGroup: id).isEmpty else {
            throw .ESRCH
        }
    }

    /// F_SETOWN_EX (15) and F_GETOWN_EX: a type (thread 0, process 1, group 2) and a number.
    func ownerStructure(_ file: OpenFile, _ command: UInt32, _ argument: UInt) throws(Errno) -> Int {
        if command == 16 {
            var writer = ByteWriter(capacity: 8)
            writer.put(file.owner.kind.rawValue)
            writer.put(file.owner.number)
            try copyOut(writer.bytes, to: argument)
            return 0
        }
        var reader = ByteReader(try copyIn(8, from: argument))
        let type: Int32 = reader.take()
        let number: Int32 = reader.take()
        guard let kind = OpenFile.Owner.Kind(rawValue: type), number >= 0 else { throw .EINVAL }
        try checkOwner(kind, number)
        setOwner(file, kind, number)
        return 0
    }
}
