internal import HostSystem
internal import LinuxABI
internal import VFS

/// An open regular file of a `HostTree`.
final class HostFile: FileOperations, Synchronizing {
    private let node: HostInode
    private let descriptor: Int32

    /// Takes the descriptor over.
    init(_ node: HostInode, _ descriptor: Int32) {
        self.node = node
        self.descriptor = descriptor
    }

    deinit { Host.close(descriptor) }

    var inode: any Inode { node }
    var isSeekable: Bool { true }

    func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        let limit = output.freeCapacity
        _ = try Host.read(descriptor, at: offset ?? file.position, into: &output, limit: limit)
        node.tree.outside?.cameIn()
    }

    func write(_ file: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int {
        guard file.flags.contains(.append) else {
            return try Host.write(descriptor, at: offset ?? file.position, bytes)
        }
        let end = Int64(clamping: try Host.status(descriptor).size)
        let count = try Host.write(descriptor, at: end, bytes)
        if offset == nil { file.position = end + Int64(count) }
        return count
    }

    func seek(_ file: OpenFile, to offset: Int64, whence: Int32) throws(Errno) -> Int64 {
        switch whence {
        // The descriptor is this description's alone, so its position is free to ask with.
        case 2, 3, 4: file.position = try Host.seek(descriptor, to: offset, whence: whence)
        default:
            let base = whence == 1 ? file.position : 0
            guard whence == 0 || whence == 1 else { throw .EINVAL }
            let (target, overflow) = base.addingReportingOverflow(offset)
            guard !overflow else { throw .EINVAL }
            guard target >= 0 else { throw .EINVAL }
            file.position = target
        }
        return file.position
    }

    func mapping(_ file: OpenFile) throws(Errno) -> FileMapping {
        .host(descriptor: descriptor, canWriteShared: file.flags.mayWrite)
    }

    func synchronize() throws(Errno) { try Host.synchronize(descriptor) }

    func release(_ file: OpenFile) { node.locks.forget(file) }
}
