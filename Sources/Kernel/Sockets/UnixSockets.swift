internal import LinuxABI
internal import VFS

/// The names under which a sandbox's `AF_UNIX` sockets can be reached, and the open files that travel between them.
package final class UnixSockets {
    /// Each type of socket has names of its own.
    private struct AbstractName: Hashable {
        let type: SocketType
        let bytes: [UInt8]
    }

    private var abstract: [AbstractName: UnixSocket] = [:]
    /// By inode, which a bound socket keeps alive: other names and renames of it lead to the same socket.
    private var bound: [ObjectIdentifier: UnixSocket] = [:]
    private var lastAutomatic: UInt32 = 0
    private var isCollectionDue = false
    private var earliestCollection = MonotonicTime(nanoseconds: 0)
    private var doomed: [OpenFile] = []
    private var isReleasing = false
    /// Open files in messages that nobody has received yet, with how often each is.
    private(set) var inFlight: [ObjectIdentifier: (file: OpenFile, count: Int)] = [:]

    package init() {}

    /// `net.core.somaxconn`.
    static let maximumBacklog = 4096
    /// `net.unix.max_dgram_qlen`.
    static let maximumQueue = 512

    // MARK: Names

    /// Throws EADDRINUSE.
    func take(_ name: [UInt8], for socket: UnixSocket) throws(Errno) {
        let key = AbstractName(type: socket.type, bytes: name)
        guard abstract[key] == nil else { throw .EADDRINUSE }
        abstract[key] = socket
    }

    /// A name of five digits that nobody has. Throws ENOSPC.
    func takeAutomatic(for socket: UnixSocket) throws(Errno) -> [UInt8] {
        for _ in 0..<0x100000 {
            lastAutomatic = (lastAutomatic + 1) & 0xf_ffff
            let digits = String(lastAutomatic, radix: 16)
            let name = Array((String(repeating: "0", count: 5 - digits.utf8.count) + digits).utf8)
            let key = AbstractName(type: socket.type, bytes: name)
            guard abstract[key] == nil else { continue }
            abstract[key] = socket
            return name
        }
        throw .ENOSPC
    }

    func bind(_ inode: any Inode, to socket: UnixSocket) { bound[ObjectIdentifier(inode)] = socket }

    func socket(at inode: any Inode) -> UnixSocket? { bound[ObjectIdentifier(inode)] }

    func socket(named name: [UInt8], _ type: SocketType) -> UnixSocket? {
        abstract[AbstractName(type: type, bytes: name)]
    }

    func forget(_ socket: UnixSocket, _ address: UnixAddress?, _ inode: (any Inode)?) {
        if case .abstract(let name) = address {
            let key = AbstractName(type: socket.type, bytes: name)
            if abstract[key] === socket { abstract[key] = nil }
        }
        if let inode, bound[ObjectIdentifier(inode)] === socket { bound[ObjectIdentifier(inode)] = nil }
    }

    // MARK: Files in flight

    /// How many references to open files are in flight.
    private var flying = 0
    /// So many at most, whoever sends them: what travels is in nobody's table of descriptors, and costs all the same.
    private static let mostFlying = 1 << 16

    /// Throws ETOOMANYREFS when a sender has more in flight than it may have open. See `unix(7)`.
    func checkDeparture(_ count: Int, by thread: GuestThread?) throws(Errno) {
        guard count > 0 else { return }
        guard flying + count <= UnixSockets.mostFlying else { throw .ETOOMANYREFS }
        guard let thread, !thread.credentials.has(capability: CapabilityNumber.resource),
            !thread.credentials.has(capability: CapabilityNumber.systemAdministration)
        else { return }
        guard flying <= thread.process.limits.openFiles else { throw .ETOOMANYREFS }
    }

    func depart(_ files: [OpenFile]) {
        flying += files.count
        for file in files {
            file.retain()
            inFlight[ObjectIdentifier(file), default: (file, 0)].count += 1
        }
    }

    /// The messages that held them are gone; the references that they had are the caller's now.
    func arrive(_ files: [OpenFile]) {
        flying -= files.count
        for file in files {
            let key = ObjectIdentifier(file)
            guard let entry = inFlight[key] else { continue }
            inFlight[key] = entry.count > 1 ? (file, entry.count - 1) : nil
        }
    }

    /// Lets go of files that nobody will receive. Those may be sockets with files in their queues, and so on as deep as a
    /// guest likes: one after the other, not one inside the other.
    func release(_ files: [OpenFile]) {
        doomed += files
        guard !isReleasing else { return }
        isReleasing = true
        while let file = doomed.popLast() { file.release() }
        isReleasing = false
    }

    /// Collects at the loop's next turn, when the descriptor that is being closed is gone.
    func collectSoon(_ kernel: Kernel) {
        guard !inFlight.isEmpty, !isCollectionDue else { return }
        isCollectionDue = true
        let time = max(kernel.clock.now, earliestCollection)
        _ = kernel.timers.schedule(at: time) { [weak self, unowned kernel] in
            self?.isCollectionDue = false
            let begun = kernel.clock.now
            self?.collect()
            // However many files a guest has under way: most of the time is for something else.
            let took = begun.interval(to: kernel.clock.now).saturatingNanoseconds
            self?.earliestCollection = kernel.clock.now.advanced(byNanoseconds: took * 20)
        }
    }

    /// Lets go of sockets that can only be reached through messages in their own queues: nobody can receive those. See
    /// `unix_gc` in Linux.
    func collect() {
        // Those whose every reference lies in a message.
        var candidates: [ObjectIdentifier: UnixSocket] = [:]
        for (key, entry) in inFlight where entry.file.references == entry.count {
            if let socket = entry.file.operations as? UnixSocket { candidates[key] = socket }
        }
        guard !candidates.isEmpty else { return }
        // How many of those references come out of the candidates' own queues.
        var inner: [ObjectIdentifier: Int] = [:]
        for socket in candidates.values {
            for file in socket.filesInQueue { inner[ObjectIdentifier(file), default: 0] += 1 }
        }
        var reached = candidates.keys.filter { inner[$0, default: 0] < inFlight[$0]?.count ?? 0 }
        while let key = reached.popLast() {
            guard let socket = candidates.removeValue(forKey: key) else { continue }
            for file in socket.filesInQueue where candidates[ObjectIdentifier(file)] != nil {
                reached.append(ObjectIdentifier(file))
            }
        }
        for socket in candidates.values { socket.dropQueue() }
    }
}
