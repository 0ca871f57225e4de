internal import Kernel
internal import LinuxABI

/// kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2), rt_tgsigqueueinfo(2).
extension GuestThread {
    func kill(_ id: ProcessID, _ signal: SignalNumber) throws(Errno) -> Int {
        try kill(id, signalInfo(signal, code: SignalInfo.user))
        return 0
    }

    func tkill(_ id: ProcessID, _ signal: SignalNumber) throws(Errno) -> Int {
        guard id.rawValue > 0 else { throw .EINVAL }
        return try send(to: id, of: nil, signalInfo(signal, code: SignalInfo.threadKill))
    }

    func tgkill(_ group: ProcessID, _ id: ProcessID, _ signal: SignalNumber) throws(Errno) -> Int {
        guard group.rawValue > 0, id.rawValue > 0 else { throw .EINVAL }
        return try send(to: id, of: group, signalInfo(signal, code: SignalInfo.threadKill))
    }

    private func send(to id: ProcessID, of group: ProcessID?, _ info: SignalInfo) throws(Errno) -> Int {
        if let target = kernel.threads[id] {
            guard group == nil || target.process.id == group else { throw .ESRCH }
            try send(info, to: target)
            return 0
        }
        // A main thread that has ended stays until its process has: it can be named, but takes no signal any more.
        guard let process = kernel.processes[id], group == nil || group == id else { throw .ESRCH }
        guard info.signal.rawValue >= 0, info.signal.rawValue <= 64 else { throw .EINVAL }
        var probe = info
        probe.signal = SignalNumber(0)
        try send(probe, to: process)
        return 0
    }

    func rtSigqueueinfo(_ id: ProcessID, _ signal: SignalNumber, _ address: UInt) throws(Errno) -> Int {
        let info = try queuedInfo(signal, at: address)
        guard mayClaim(info, towards: id) else { throw .EPERM }
        guard id.rawValue > 0, let target = kernel.processes[id] ?? kernel.threads[id]?.process else { throw .ESRCH }
        try send(info, to: target)
        return 0
    }

    func rtTgsigqueueinfo(
        _ group: ProcessID, _ id: ProcessID, _ signal: SignalNumber, _ address: UInt
    ) throws(Errno) -> Int {
        let info = try queuedInfo(signal, at: address)
        guard group.rawValue > 0, id.rawValue > 0 else { throw .EINVAL }
        guard mayClaim(info, towards: id) else { throw .EPERM }
        return try send(to: id, of: group, info)
    }

    /// The siginfo that a program wants to have sent. Throws EFAULT; E2BIG where bytes are set that nobody knows.
    func queuedInfo(_ signal: SignalNumber, at address: UInt) throws(Errno) -> SignalInfo {
        let bytes = try copyIn(SignalInfo.meaningfulSize, from: address)
        var reader = ByteReader(bytes)
        var info = SignalInfo(from: &reader)
        info.signal = signal
        return info
    }

    /// Only to itself may a process send what looks as if the kernel or `tkill(2)` had sent it.
    func mayClaim(_ info: SignalInfo, towards id: ProcessID) -> Bool {
        info.code < 0 && info.code != SignalInfo.threadKill || id == self.id
    }
}
