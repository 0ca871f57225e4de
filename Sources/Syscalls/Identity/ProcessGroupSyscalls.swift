internal import Kernel
internal import LinuxABI

/// setpgid(2), getsid(2), setsid(2).
extension GuestThread {
    /// The process that a thread's or process's number names; 0 is the caller's. Throws ESRCH.
    func processNamed(_ id: ProcessID) throws(Errno) -> Process {
        if id.rawValue == 0 { return process }
        guard let found = kernel.processes[id] ?? kernel.threads[id]?.process else { throw .ESRCH }
        return found
    }

    func getpgid(_ id: ProcessID) throws(Errno) -> Int { Int(try processNamed(id).group.rawValue) }

    func getsid(_ id: ProcessID) throws(Errno) -> Int { Int(try processNamed(id).session.rawValue) }

    /// See `setpgid(2)`.
    func setpgid(_ id: ProcessID, _ group: ProcessID) throws(Errno) -> Int {
        let target = id.rawValue == 0 ? process.id : id
        let group = group.rawValue == 0 ? target : group
        guard group.rawValue >= 0 else { throw .EINVAL }
        guard let member = kernel.processes[target] else {
            // A thread that leads no process has a number of its own, but no group.
            throw kernel.threads[target] == nil ? .ESRCH : .EINVAL
        }
        if member.parent === process {
            guard member.session == process.session else { throw .EPERM }
            guard !member.hasExecuted else { throw .EACCES }
        } else {
            guard member === process else { throw .ESRCH }
        }
        guard member.session != member.id else { throw .EPERM }
        if group != target {
            let isThere = kernel.processes.values.contains { $0.group == group && $0.session == process.session }
            guard isThere else { throw .EPERM }
        }
        member.group = group
        return 0
    }

    /// See `setsid(2)`.
    func setsid() throws(Errno) -> Int {
        let id = process.id
        guard process.session != id, !kernel.processes.values.contains(where: { $0.group == id }) else { throw .EPERM }
        process.session = id
        process.group = id
        return Int(id.rawValue)
    }
}
