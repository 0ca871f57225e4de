import GuestMemory
import LinuxABI
import TmpFS
import VFS

@testable import Kernel
@testable import Syscalls

/// A kernel without a platform, with one process whose memory is an array: calls run as the loop would run them.
final class TestGuest {
    let kernel: Kernel
    let clock = ManualClock(now: MonotonicTime(nanoseconds: 1_000_000_000), realTime: Timestamp(seconds: 1_700_000_000))
    let memory = FlatMemory(size: 1 << 20, base: 0x10000)
    let root: Dentry
    private(set) var thread: GuestThread
    private var nextFree: UInt = 0x10000

    /// - Parameter user: of the first process; 0 has every capability.
    init(user: UInt32 = 1000) {
        kernel = Kernel(clock: clock)
        kernel.cpuTimes = NoCPUTime()
        let clock = clock
        let devices = DeviceRegistry()
        let fileSystem = TmpFS(device: 99, limit: 1 << 30, devices: devices) { clock.realTime }
        let mount = Mount(id: 1, source: "test", type: "tmpfs")
        let top = fileSystem.makeRoot(permissions: 0o777)
        root = mount.attach(top, at: nil)
        kernel.registerTerminals(in: devices)
        for (name, minor) in [("ptmx", 2), ("tty", 0)] as [(FileName, UInt32)] {
            _ = try? top.create(
                name,
                NewInode(
                    mode: FileMode(.characterDevice, 0o666), userID: 0, groupID: 0,
                    device: DeviceNumber(major: 5, minor: minor).rawValue))
        }
        _ = try? top.makeDirectory("pts", NewInode(mode: FileMode(.directory, 0o755), userID: 0, groupID: 0))
        if let point = try? root.child("pts") {
            _ = Mount(id: 2, source: "devpts", type: "devpts", isExclusive: false)
                .attach(kernel.pseudoTerminals.root, at: point)
        }
        let process = Process(
            id: ProcessID(100), kernel: kernel, parent: nil, group: ProcessID(100), session: ProcessID(1),
            actions: SignalActions())
        var credentials = Credentials()
        credentials.userID = user
        credentials.effectiveUserID = user
        credentials.savedUserID = user
        credentials.fileSystemUserID = user
        credentials.groupID = user
        credentials.effectiveGroupID = user
        credentials.savedGroupID = user
        credentials.fileSystemGroupID = user
        if user == 0 {
            credentials.permittedCapabilities = Credentials.allCapabilities
            credentials.effectiveCapabilities = Credentials.allCapabilities
        }
        thread = GuestThread(
            id: process.id, process: process, files: FileTable(),
            fileSystem: FileSystemContext(root: root, workingDirectory: root), credentials: credentials,
            memory: memory, name: Array("test".utf8))
        add(thread)
    }

    private func add(_ thread: GuestThread) {
        thread.process.threads.append(thread)
        kernel.processes[thread.process.id] = thread.process
        kernel.threads[thread.id] = thread
    }

    /// A child of the first process with copies of its descriptors and credentials, in the same memory.
    func fork(_ id: Int32, of parent: GuestThread? = nil) -> GuestThread {
        let parent = parent ?? thread
        let process = Process(
            id: ProcessID(id), kernel: kernel, parent: parent.process, group: parent.process.group,
            session: parent.process.session, actions: parent.process.actions.copy())
        process.limits = parent.process.limits
        parent.process.children.append(process)
        let child = GuestThread(
            id: process.id, process: process, files: parent.files.copy(), fileSystem: parent.fileSystem.copy(),
            credentials: parent.credentials, memory: memory, name: parent.name)
        child.settings = parent.settings.inherited
        add(child)
        return child
    }

    // MARK: Calls

    /// Makes a call.
    /// - Returns: its result, a negated errno for failure; nil if the thread waits.
    @discardableResult
    func call(_ number: Int, _ arguments: [UInt], by other: GuestThread? = nil) -> Int? {
        let thread = other ?? thread
        var registers: InlineArray<6, UInt> = .init(repeating: 0)
        for (index, argument) in arguments.prefix(6).enumerated() { registers[index] = argument }
        thread.call.number = number
        thread.call.arguments = ArgumentRegisters(registers)
        thread.call.isActive = true
        thread.restart = RestartState()
        return dispatch(thread)
    }

    @discardableResult
    func call<each Argument>(
        _ spec: SyscallSpec<repeat each Argument>, _ arguments: Int..., by other: GuestThread? = nil
    ) -> Int? {
        call(spec.number, arguments.map { UInt(bitPattern: $0) }, by: other)
    }

    /// Runs the call of a thread again whose wait has fired.
    /// - Returns: nil if nothing has fired, or the thread waits again.
    @discardableResult
    func resume(_ other: GuestThread? = nil) -> Int? {
        let thread = other ?? thread
        kernel.timers.run(until: clock.now)
        guard thread.state == .runnable else { return nil }
        kernel.runnable.removeAll { $0 === thread }
        thread.unpark()
        thread.state = .running
        thread.restart.isAgain = true
        return dispatch(thread)
    }

    private func dispatch(_ thread: GuestThread) -> Int? {
        kernel.currentThread = thread
        guard let row = HandlerTable.x86_64[thread.call.number] else { return -Int(Errno.ENOSYS.rawValue) }
        do throws(Errno) {
            let result = try row.handler(thread, thread.call.arguments)
            thread.call.isActive = false
            return result
        } catch {
            if error == .parked { return nil }
            thread.call.isActive = false
            return -Int(error.rawValue)
        }
    }

    // MARK: Memory

    /// Room for `count` bytes in the guest, aligned to 16.
    func room(_ count: Int) -> Int {
        defer { nextFree += UInt(count + 31) & ~15 }
        return Int(nextFree)
    }

    /// Bytes in the guest.
    func put(_ bytes: [UInt8]) -> Int {
        let address = room(bytes.count)
        poke(bytes, at: address)
        return address
    }

    func put(_ text: String) -> Int { put(Array(text.utf8) + [0]) }

    func put<T: FixedWidthInteger>(_ values: [T]) -> Int {
        var writer = ByteWriter()
        for value in values { writer.put(value) }
        return put(writer.bytes)
    }

    func poke(_ bytes: [UInt8], at address: Int) {
        try? memory.write(bytes.span, at: UInt(address))
    }

    func peek(_ count: Int, at address: Int) -> [UInt8] {
        let read = try? [UInt8](capacity: count) { output throws(Errno) in
            try memory.read(count, at: UInt(address), into: &output)
        }
        return read ?? []
    }

    func peek<T: FixedWidthInteger>(_: T.Type, at address: Int) -> T {
        var reader = ByteReader(peek(T.bitWidth / 8, at: address))
        return reader.take()
    }
}

/// A negated errno, as a call returns it.
prefix func - (error: Errno) -> Int { -Int(error.rawValue) }

/// Guests of tests use no processor.
private final class NoCPUTime: CPUTimeSource {
    func time(of thread: GuestThread) -> CPUTime { CPUTime() }
    func time(of process: Process) -> CPUTime { CPUTime() }
}
