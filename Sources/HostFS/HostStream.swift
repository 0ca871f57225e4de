internal import HostSystem
package import LinuxABI
package import VFS

/// Who tells when a host descriptor may be ready.
package protocol HostReadiness: AnyObject {
    /// Fires the queue once when one of the events is there.
    func arm(_ descriptor: Int32, _ events: PollEvents, _ queue: WaitQueue)
}

/// A descriptor that the sandbox was given from outside: standard input, output and error.
///
/// The description may be shared with other programs, so its flags stay as they are: what might wait is asked first.
package final class HostStream: TerminalFile {
    private let descriptor: Int32
    private let node: HostStreamNode
    private unowned let readiness: any HostReadiness
    private let queue = WaitQueue()
    private let outside: Outside?
    private let kind: FileKind
    private let device: DeviceNumber
    /// What job control knows of it, if it is a terminal.
    package var terminal: Terminal?

    /// `attributes`: what the guest has changed of any such file, which several descriptors may lead to.
    package init(
        descriptor: Int32, readiness: any HostReadiness, attributes: HostStreamAttributes = HostStreamAttributes(),
        outside: Outside? = nil
    ) throws(Errno) {
        self.outside = outside
        self.descriptor = descriptor
        self.readiness = readiness
        let status = try Host.status(descriptor)
        node = HostStreamNode(status, descriptor: descriptor, attributes: attributes)
        device = DeviceNumber(rawValue: status.representedDevice)
        kind = node.kind
        node.stream = self
    }

    package var inode: any Inode { node }
    package var isMaster: Bool { false }

    /// True if it is a terminal of the host's.
    package var isTerminal: Bool {
        var buffer = [UInt8](repeating: 0, count: 64)
        // TCGETS
        return kind == .characterDevice && (try? Host.ioctl(descriptor, 0x5401, &buffer)) != nil
    }

    package var isSeekable: Bool { kind == .regular || kind == .blockDevice || isMemory }
    package var waitQueue: WaitQueue? { mayWait ? queue : nil }
    package var discards: Bool { isMemory && [3, 5].contains(device.minor) }

    private var mayWait: Bool { kind != .regular && kind != .blockDevice && kind != .directory }

    /// `/dev/null` and its like.
    private var isMemory: Bool { kind == .characterDevice && device.major == 1 }

    /// Throws EAGAIN, with the queue armed, when the host has nothing ready.
    private func require(_ events: PollEvents) throws(Errno) {
        guard mayWait else { return }
        let ready = Host.readiness(descriptor, events)
        if !ready.isDisjoint(with: events.union([.error, .hangUp, .invalid])) { return }
        readiness.arm(descriptor, events, queue)
        throw .EAGAIN
    }

    package func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        if let terminal {
            try terminal.control?.checkReading(terminal)
            // Now, and not when there is something to read, which is for somebody else then.
            try Host.requireForeground(descriptor)
        }
        try require(.in)
        // The host keeps the position: others share it.
        let limit = output.freeCapacity
        _ = try Host.read(descriptor, at: offset, into: &output, limit: limit)
        outside?.cameIn()
    }

    package func write(_ file: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int {
        try require(.out)
        // A pipe or terminal that says it has room takes at least a page without waiting.
        let piece = mayWait ? bytes.extracting(first: 4096) : bytes
        return try Host.write(descriptor, at: offset, piece)
    }

    package func poll(_ file: OpenFile) -> PollEvents {
        guard mayWait else { return [.readable, .writable] }
        let ready = Host.readiness(descriptor, [.in, .out, .priority, .readHangUp])
        let missing = PollEvents([.in, .out]).subtracting(ready)
        if !missing.isEmpty { readiness.arm(descriptor, missing, queue) }
        return ready.union(ready.contains(.in) ? .readNormal : []).union(ready.contains(.out) ? .writeNormal : [])
    }

    package func seek(_ file: OpenFile, to offset: Int64, whence: Int32) throws(Errno) -> Int64 {
        guard isSeekable else { throw .ESPIPE }
        file.position = try Host.seek(descriptor, to: offset, whence: whence)
        return file.position
    }

    /// Terminal ioctls that only look at or set the terminal itself: TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGWINSZ,
    /// TIOCSWINSZ, FIONREAD, TIOCOUTQ. The number of bytes that each moves.
    private static let forwarded: [UInt32: (reads: Int, writes: Int)] = [
        0x5401: (0, 36), 0x5402: (36, 0), 0x5403: (36, 0), 0x5404: (36, 0), 0x5413: (0, 8), 0x5414: (8, 0),
        0x541b: (0, 4), 0x5411: (0, 4),
    ]

    package func ioctl(_ file: OpenFile, command: UInt32, argument: UInt, memory: any IoctlMemory) throws(Errno) -> Int
    {
        if terminal != nil {
            switch command {
            // TCSBRK, TCSBRKP, TCXONC: nothing is waited for, broken or stopped on behalf of a guest.
            case 0x5409, 0x5425, 0x540a: return 0
            // TCFLSH
            case 0x540b:
                guard argument <= 2 else { throw .EINVAL }
                try Host.flushTerminal(descriptor, UInt32(argument))
                return 0
            default: break
            }
        }
        guard let sizes = HostStream.forwarded[command] else { throw .ENOTTY }
        var buffer = [UInt8](repeating: 0, count: 64)
        if sizes.reads > 0 { buffer.replaceSubrange(0..<sizes.reads, with: try memory.read(sizes.reads, at: argument)) }
        let result = try Host.ioctl(descriptor, command, &buffer)
        if sizes.writes > 0 { try memory.write(Array(buffer[..<sizes.writes]), at: argument) }
        return result
    }

    package func mapping(_ file: OpenFile) throws(Errno) -> FileMapping {
        guard kind == .regular else { throw .ENODEV }
        return .host(descriptor: descriptor, canWriteShared: file.flags.mayWrite)
    }
}

/// The inode of a descriptor from outside.
package final class HostStreamNode: Inode {
    private let descriptor: Int32
    package let kind: FileKind
    package let locks = FileLocks()
    /// The path that the host knows the file by; nil for pipes and sockets, which go by their inode.
    package let name: [UInt8]?
    /// The sandbox keeps the descriptor for good.
    weak var stream: HostStream?

    private let changes: HostStreamAttributes

    init(_ status: Host.Status, descriptor: Int32, attributes: HostStreamAttributes) {
        self.descriptor = descriptor
        changes = attributes
        kind = FileMode(rawValue: status.mode).kind ?? .characterDevice
        let name = (try? Host.nameOfDescriptor(descriptor)) ?? []
        self.name = name.first == 0x2f ? name : nil
    }

    package func attributes() throws(Errno) -> FileAttributes {
        changes.applied(to: FileAttributes(try Host.status(descriptor)))
    }

    /// Opening `/dev/stdin` and the like: another description of what the sandbox was given, for no more than that allows.
    /// A regular file has a position of its own in it; a pipe or terminal is the same as before.
    package func open(_ flags: OpenFlags) throws(Errno) -> any FileOperations {
        let given = try Host.statusFlags(descriptor)
        guard !flags.mayRead || given.mayRead, !flags.mayWrite || given.mayWrite else { throw .EACCES }
        guard let stream else { throw .ENXIO }
        return kind == .regular ? HostStreamFile(self, descriptor) : stream
    }

    package func setAttributes(_ change: AttributeChange) throws(Errno) {
        // The file is the host's, and stays as it is there.
        changes.note(change, of: FileAttributes(try Host.status(descriptor)))
    }

    package func truncate(to size: Int64) throws(Errno) {
        guard kind == .regular else { throw .EINVAL }
        try Host.truncate(descriptor, to: Int(size))
    }
}

/// A regular file from outside, opened anew.
final class HostStreamFile: FileOperations {
    private let node: HostStreamNode
    private let descriptor: Int32

    init(_ node: HostStreamNode, _ descriptor: Int32) {
        self.node = node
        self.descriptor = descriptor
    }

    var inode: any Inode { node }
    var isSeekable: Bool { true }

    func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        let limit = output.freeCapacity
        _ = try Host.read(descriptor, at: offset ?? file.position, into: &output, limit: limit)
    }

    func write(_ file: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int {
        let append = file.flags.contains(.append)
        let start = append ? Int64(clamping: try Host.status(descriptor).size) : offset ?? file.position
        let count = try Host.write(descriptor, at: start, bytes)
        if append, offset == nil { file.position = start + Int64(count) }
        return count
    }

    func mapping(_ file: OpenFile) throws(Errno) -> FileMapping {
        .host(descriptor: descriptor, canWriteShared: file.flags.mayWrite)
    }
}
