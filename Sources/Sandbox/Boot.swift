internal import DevFS
internal import HostFS
internal import HostSystem
internal import Kernel
internal import LinuxABI
internal import OverlayFS
internal import Platform
internal import Syscalls
internal import TmpFS
internal import VFS

/// Builds a kernel and starts its first program.
final class Boot {
    let kernel: Kernel
    private let platform: TrapPlatform
    private let descriptors: HostDescriptors
    private let trace: TraceWriter?
    /// Why the first program could not be started: a message and the exit status that says so.
    private(set) var failure: (message: String, status: Int32)?

    init(_ configuration: Configuration, _ opened: Opened) throws(Errno) {
        // Made while the template sets itself up.
        var calls: [CallExtents] = []
        var vdso: Result<VDSO, Errno> = .failure(.EAGAIN)
        let hostVDSO = Host.vdso
        platform = try TrapPlatform(
            clocks: hostVDSO.flatMap(HostClocks.init), traces: configuration.platform == .trace,
            meanwhile: {
                calls = SyscallTable.extents()
                _ = HandlerTable.x86_64
                vdso = Result { () throws(Errno) in try VDSO(like: hostVDSO) }
            })
        kernel = Kernel(clock: HostClock(), platform: platform)
        // The guest has the caller's limit already, and so has the template.
        Host.raiseDescriptorLimit()
        try Boot.giveUpRights(configuration, opened)
        descriptors = try HostDescriptors(bell: platform.doorbellAddress)
        trace = opened.trace.map { [unowned kernel] descriptor in
            TraceWriter(descriptor: descriptor) { flush in
                // Soon enough for a reader, seldom enough for a program that calls all the time.
                let soon = kernel.clock.now.advanced(byNanoseconds: 20_000_000)
                _ = kernel.timers.schedule(at: soon, flush)
            }
        }
        kernel.sink = trace
        let table = HandlerTable.x86_64
        kernel.handlers = table.rows.map { $0?.handler }
        PayloadRules.install(calls, in: platform) { table[$0] != nil }
        // What is traced stops at a jump as it does at a call.
        let patchAfter = configuration.platform == .trace ? 0 : configuration.patchAfter
        platform.patchAfter = patchAfter
        kernel.patchesSites = patchAfter > 0
        kernel.hardwareCapabilities = (
            Host.auxiliary(16), Host.auxiliary(26), max(2048, Host.auxiliary(51))
        )
        kernel.vdso = try vdso.get()
        kernel.memoryLimit = configuration.memory
        // A guest may change its own copy.
        kernel.system.hostName = Host.nodeName
        kernel.onOutOfMemory = { process, bytes in
            Host.write(
                "apus-kernel: out of memory: ended process \(process.id), which used \(bytes >> 20) MiB\n", to: 2)
        }
        if configuration.isVerbose {
            kernel.onUnimplemented = { thread, number in
                let name = SyscallTable.x86_64[number]?.name ?? "unknown"
                let who = String(decoding: thread.name, as: UTF8.self)
                Host.write(
                    "apus-kernel: \(who) (\(thread.id)) called \(name) (\(number)), which is not implemented\n", to: 2)
            }
        }
        try start(configuration, opened.caller, try SandboxTree(configuration, opened, kernel: kernel))
    }

    /// What this process may do on the host by rights; what it may call is closed off last. The template stands: stubs keep
    /// nothing of this, and threads are still to be made, which inherit it.
    private static func giveUpRights(_ configuration: Configuration, _ opened: Opened) throws(Errno) {
        let isBound = try Host.keepCapabilities(
            Capabilities.kept(binds: configuration.binds, tracingScope: opened.facts.tracingScope))
        try Host.giveUpPrivileges()
        if configuration.isVerbose, !isBound {
            Host.write(
                "apus-kernel: without CAP_SETPCAP the bounding set of capabilities stays as it is; nothing can be gained "
                    + "from it (no_new_privs)\n", to: 2)
        }
    }

    /// What remains to do when the last guest is gone.
    func finish() { trace?.finish() }

    private func start(_ configuration: Configuration, _ caller: Caller, _ tree: SandboxTree) throws(Errno) {
        kernel.memoryFiles = tree.anonymousFiles
        let outside = tree.mounts.outside
        outside.epoch = kernel.localEpoch
        kernel.hostEvents = { [descriptors, unowned kernel] in
            guard descriptors.deliver(whenFirst: { kernel.somethingComesIn() }) else { return false }
            outside.cameIn()
            return true
        }
        kernel.onHostSignal = { [unowned kernel] signal, toGroup in
            outside.cameIn()
            kernel.forwardHostSignal(signal, toGroup: toGroup)
        }
        kernel.guardMemory { [budget = tree.budget] in UInt64(clamping: budget.used + budget.overhead) }
        let files = FileTable()
        let attributes = HostStreamAttributes()
        var terminal: Terminal?
        for number in caller.descriptors {
            guard let flags = try? Host.statusFlags(number) else { continue }
            let stream = try HostStream(
                descriptor: number, readiness: descriptors, attributes: attributes, outside: tree.mounts.outside)
            if stream.isTerminal { terminal = attach(stream, to: terminal) }
            let kept = flags.intersection([.writeOnly, .readWrite, .append, .largeFile, .nonBlocking])
            _ = try files.replace(
                OpenFile(stream, flags: kept), closeOnExec: false, at: FileNumber(number), limit: FileTable.maximum)
        }
        let directory = try directory(configuration.workingDirectory, tree)
        let context = FileSystemContext(root: tree.root, workingDirectory: directory, umask: caller.fileModeMask)
        try kernel.startFirstProcess(
            files: files, fileSystem: context, credentials: caller.credentials, limits: caller.limits
        ) { [unowned self] thread in
            launch(thread, configuration)
        }
        if let first = kernel.firstProcess { caller.pass(to: first) }
        if let terminal, let group = kernel.firstProcess?.group {
            kernel.attach(terminal, to: Kernel.sandboxID, foreground: group)
        }
    }

    /// Where the first program starts. A directory that is gone stays one: it has no path, and nothing can be made in it.
    private func directory(_ path: String, _ tree: SandboxTree) throws(Errno) -> Dentry {
        var walk = PathWalk(root: tree.root, start: tree.root, credentials: .kernel)
        guard path.isEmpty else {
            do throws(Errno) {
                return try walk.resolve(Array(path.utf8))
            } catch {
                Sandbox.fail(
                    "--cwd \(path): \(error) in the guest's root; give a directory that is there, or change to one")
            }
        }
        let gone = Array("/dev/shm/gone".utf8)
        try TreeChanges.makeDirectory(try walk.resolveParent(gone), permissions: 0o755, .kernel)
        let directory = try walk.resolve(gone)
        _ = try TreeChanges.removeDirectory(try walk.resolveParent(gone), .kernel)
        return directory
    }

    /// The host's terminal is the first session's; all standard streams that are terminals are taken for the same.
    private func attach(_ stream: HostStream, to known: Terminal?) -> Terminal {
        let device = (try? stream.inode.attributes().representedDevice) ?? 0
        let terminal = known ?? Terminal(device: DeviceNumber(rawValue: device))
        stream.terminal = terminal
        guard known == nil else { return terminal }
        terminal.reopen = { (_) throws(Errno) in stream }
        let place = Array("/dev/pts/".utf8)
        if let name = (stream.inode as? HostStreamNode)?.name, name.starts(with: place) {
            kernel.pseudoTerminals.hostTerminals[FileName(Array(name.dropFirst(place.count)))] = stream.inode
        }
        return terminal
    }

    /// Executes the command in the first process, whose stub stands. Searches as `execvp(3)` does.
    private func launch(_ thread: GuestThread, _ configuration: Configuration) {
        let words = configuration.command.map { Array($0.utf8) }
        let environment = configuration.environment.map { Array($0.utf8) }
        var reason = Errno.ENOENT
        for path in ProgramSearch.candidates(for: words.first ?? [], environment: environment) {
            trace?.launching(thread, path: path, words, environment)
            do throws(Errno) {
                try thread.execute(path: path, words, environment)
            } catch {
                switch error {
                case .noReturn: return
                case .ENOENT, .ENOTDIR: continue
                case .EACCES: reason = error
                default: return giveUp(thread, configuration, error)
                }
            }
        }
        giveUp(thread, configuration, reason)
    }

    private func giveUp(_ thread: GuestThread, _ configuration: Configuration, _ reason: Errno) {
        let command = configuration.command.first ?? ""
        let status: Int32 = reason == .ENOENT ? 127 : 126
        failure = ("\(command): \(reason); give a program that exists in the guest's root and may be executed", status)
        kernel.exitGroup(thread.process, waitStatus: status << 8)
    }
}
