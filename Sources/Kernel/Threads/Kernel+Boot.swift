package import LinuxABI
internal import Platform
internal import VFS

/// How the first process comes to be.
extension Kernel {
    /// Makes the first process in an empty stub; `whenReady` runs when the stub stands, and is to execute a program.
    ///
    /// The process has no parent: the sandbox itself is, with the number 1, and adopts orphans. It leads a group of its own
    /// in the sandbox's session, as a shell's job does.
    package func startFirstProcess(
        files: FileTable, fileSystem: FileSystemContext, credentials: Credentials, limits: ResourceLimits,
        whenReady: @escaping (GuestThread) -> Void
    ) throws(Errno) {
        guard let platform else { throw .ENOSYS }
        let stub = try platform.newProcess()
        let id = try newID()
        let process = Process(
            id: id, kernel: self, parent: nil, group: id, session: Kernel.sandboxID, actions: SignalActions())
        process.limits = limits
        let map = MemoryMap(stub: stub.process)
        map.users = 1
        let thread = GuestThread(
            id: id, process: process, files: files, fileSystem: fileSystem, credentials: credentials,
            memory: map.memory, name: Array("apus".utf8))
        thread.map = map
        thread.stub = stub
        stub.owner = thread
        thread.whenReady = whenReady
        process.threads.append(thread)
        threads[id] = thread
        processes[id] = process
        firstProcess = process
    }

    /// The number under which the sandbox itself passes for `init`.
    package static let sandboxID = ProcessID(1)
}

extension Kernel {
    /// A signal of the host that is meant for the guest goes to the group in the foreground of the host's terminal, or to the
    /// first program's.
    package func forwardHostSignal(_ signal: SignalNumber) {
        // SIGTTIN and SIGTTOU are the host's answer to a call of ours: see `awaitForeground`.
        guard let first = firstProcess, signal.rawValue != 21, signal.rawValue != 22 else { return }
        let foreground = terminal(of: Kernel.sandboxID)?.foreground ?? first.group
        for process in Array(processes.values) where process.group == foreground {
            send(SignalInfo(signal, code: SignalInfo.kernel), to: process)
        }
    }
}
