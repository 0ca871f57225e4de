internal import GuestMemory
internal import LinuxABI
internal import VFS

/// Number 1. The sandbox itself stands in for `init`: it is the parent of the first program and of orphans, belongs to
/// root, and has neither memory nor descriptors that a guest could see. To `/proc` and to every call that takes a number
/// it is a process like others; but like any `init` it takes no signal that it has no handler for, and it has none.
extension Kernel {
    /// Makes that process, in a session and a group of its own.
    func makeInit(root: Dentry) {
        let process = Process(
            id: Kernel.sandboxID, kernel: self, parent: nil, group: Kernel.sandboxID, session: Kernel.sandboxID,
            actions: SignalActions())
        var credentials = Credentials()
        credentials.permittedCapabilities = Credentials.allCapabilities
        credentials.effectiveCapabilities = Credentials.allCapabilities
        let thread = GuestThread(
            id: Kernel.sandboxID, process: process, files: FileTable(),
            fileSystem: FileSystemContext(root: root, workingDirectory: root, umask: 0o022),
            credentials: credentials, memory: NoMemory(), name: Array("apus-init".utf8))
        // For good: it waits for children, whom `forget` reaps for it.
        thread.state = .parked
        process.hasExecuted = true
        process.threads.append(thread)
        processes[process.id] = process
        threads[thread.id] = thread
        initProcess = process
    }
}

/// Of a process that has none, as Linux's kernel threads have none.
private final class NoMemory: GuestMemory {
    func read(_ count: Int, at address: UInt, into output: inout OutputSpan<UInt8>) throws(Errno) {
        if count > 0 { throw .EFAULT }
    }

    func write(_ bytes: Span<UInt8>, at address: UInt) throws(Errno) {
        if bytes.count > 0 { throw .EFAULT }
    }
}
