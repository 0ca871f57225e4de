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
        makeInit(root: fileSystem.root)
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
    /// A signal of the host that is meant for the guest goes to the first program, or to the group in the foreground of the
    /// host's terminal, which is the first program's where there is no terminal.
    package func forwardHostSignal(_ signal: SignalNumber, toGroup: Bool) {
        // SIGTTIN and SIGTTOU are the host's answer to a call of ours: see `awaitForeground`.
        guard let first = firstProcess, signal.rawValue != 21, signal.rawValue != 22 else { return }
        // Who sends the keys' signals (2, 3) stands in for a terminal, so these always are for the group.
        guard toGroup || (2...3).contains(signal.rawValue) else {
            _ = send(SignalInfo(signal, code: SignalInfo.user), to: first)
            return
        }
        let foreground = terminal(of: Kernel.sandboxID)?.foreground ?? first.group
        for process in Array(processes.values) {
            // A terminal that hangs up tells the leader of its session, too.
            guard process.group == foreground || signal.rawValue == 1 && process === first else { continue }
            send(SignalInfo(signal, code: SignalInfo.kernel), to: process)
        }
    }
}
