internal import HostSystem
internal import LinuxABI
internal import VFS

/// `/dev/null`, `/dev/zero` and `/dev/full`. See `null(4)`, `full(4)`.
final class MemoryDevice: FileOperations {
    enum Behaviour { case null, zero, full }

    private let behaviour: Behaviour
    private let node: any Inode

    init(_ behaviour: Behaviour, _ node: any Inode) {
        self.behaviour = behaviour
        self.node = node
    }

    var inode: any Inode { node }
    var isSeekable: Bool { true }
    var discards: Bool { behaviour != .full }
    var hasPosition: Bool { false }

    func localContents(_ file: OpenFile, until epoch: LocalEpoch) -> LocalContents {
        behaviour == .null ? .nothing : .zeros
    }

    func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        if behaviour != .null { output.append(repeating: 0, count: output.freeCapacity) }
    }

    func write(_ file: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int {
        if behaviour == .full { throw .ENOSPC }
        return bytes.count
    }

    func seek(_ file: OpenFile, to offset: Int64, whence: Int32) throws(Errno) -> Int64 {
        // Linux's `null_lseek`: always the beginning.
        file.position = 0
        return 0
    }

    func mapping(_ file: OpenFile) throws(Errno) -> FileMapping {
        guard behaviour == .zero else { throw .ENODEV }
        return .anonymous
    }
}

/// `/dev/random` and `/dev/urandom`. See `random(4)`.
final class RandomDevice: FileOperations {
    private let node: any Inode

    init(_ node: any Inode) { self.node = node }

    var inode: any Inode { node }
    var isSeekable: Bool { true }

    func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        let bytes = Host.random(min(output.freeCapacity, 1 << 20))
        for byte in bytes { output.append(byte) }
    }

    func write(_ file: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int { bytes.count }

    func ioctl(_ file: OpenFile, command: UInt32, argument: UInt, memory: any IoctlMemory) throws(Errno) -> Int {
        // RNDGETENTCNT
        guard command == 0x8004_5200 else { throw .EINVAL }
        var writer = ByteWriter()
        writer.put(Int32(256))
        try memory.write(writer.bytes, at: argument)
        return 0
    }
}
