package import LinuxABI
package import VFS

/// An open regular file of a tree in memory.
package final class TmpFile: FileOperations {
    package let node: TmpNode
    /// The lower file stands open for this description.
    private var usesLower: Bool
    private var wasRead = false

    init(_ node: TmpNode, usesLower: Bool) {
        self.node = node
        self.usesLower = usesLower
    }

    deinit { leaveLower() }

    private func leaveLower() {
        guard usesLower else { return }
        usesLower = false
        node.leaveLower()
    }

    package var inode: any Inode { node }
    package var isSeekable: Bool { true }

    package func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        try node.read(into: &output, at: offset ?? file.position)
        countAccess(file)
    }

    /// Reading and mapping move the time of access.
    private func countAccess(_ file: OpenFile) {
        guard !file.flags.contains(.noAccessTime), file.location?.mount.isReadOnly != true else { return }
        node.accessed(isFirst: !wasRead)
        wasRead = true
    }

    package func write(_ file: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int {
        guard file.flags.contains(.append) else { return try node.write(bytes, at: offset ?? file.position) }
        let start = node.size
        let count = try node.write(bytes, at: start)
        if offset == nil { file.position = start + Int64(count) }
        return count
    }

    package func seek(_ file: OpenFile, to offset: Int64, whence: Int32) throws(Errno) -> Int64 {
        let base: Int64
        switch whence {
        case 0: base = 0
        case 1: base = file.position
        case 2: base = node.size
        case 3, 4:
            file.position = try node.seek(from: offset, whence: whence)
            return file.position
        default: throw .EINVAL
        }
        let (target, overflow) = base.addingReportingOverflow(offset)
        guard !overflow else { throw .EINVAL }
        guard target >= 0, target <= FileContents.maximumSize else { throw .EINVAL }
        file.position = target
        return target
    }

    package func mapping(_ file: OpenFile) throws(Errno) -> FileMapping {
        let mapping = try node.mapping(writable: file.flags.mayWrite)
        countAccess(file)
        return mapping
    }

    package func localContents(_ file: OpenFile, until epoch: LocalEpoch) -> LocalContents {
        // Reading must leave nothing behind that a process could not do by itself.
        guard wasRead || file.location?.mount.isReadOnly == true else { return .unknown }
        return node.localContents(until: epoch, movesTime: file.location?.mount.isReadOnly != true)
    }

    package func localPages(_ file: OpenFile) throws(Errno) -> (descriptor: Int32, series: UInt64, size: Int64) {
        try node.localPages()
    }

    package func release(_ file: OpenFile) {
        node.locks.forget(file)
        leaveLower()
    }
}
