package import LinuxABI
package import VFS

/// An open regular file of a tree in memory.
package final class TmpFile: FileOperations {
    package let node: TmpNode
    private let usesLower: Bool

    init(_ node: TmpNode, usesLower: Bool) {
        self.node = node
        self.usesLower = usesLower
    }

    package var inode: any Inode { node }
    package var isSeekable: Bool { true }

    package func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        try node.read(into: &output, at: offset ?? file.position)
    }

    package func write(_ file: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int {
        var start = offset ?? file.position
        if file.flags.contains(.append) {
            start = try node.attributes().size
            let count = try node.write(bytes, at: start)
            if offset == nil { file.position = start + Int64(count) }
            return count
        }
        return try node.write(bytes, at: start)
    }

    package func seek(_ file: OpenFile, to offset: Int64, whence: Int32) throws(Errno) -> Int64 {
        let size = try node.attributes().size
        switch whence {
        // Everything is data, with one hole at the end: what `lseek(2)` allows a file system to say.
        case 3:
            guard offset >= 0, offset < size else { throw .ENXIO }
            file.position = offset
        case 4:
            guard offset >= 0, offset < size else { throw .ENXIO }
            file.position = size
        default:
            let base: Int64 =
                switch whence {
                case 0: 0
                case 1: file.position
                case 2: size
                default: throw .EINVAL
                }
            let (target, overflow) = base.addingReportingOverflow(offset)
            guard !overflow else { throw .EOVERFLOW }
            guard target >= 0 else { throw .EINVAL }
            file.position = target
        }
        return file.position
    }

    package func mapping(_ file: OpenFile) throws(Errno) -> FileMapping {
        try node.mapping(writable: file.flags.mayWrite)
    }

    package func release(_ file: OpenFile) {
        node.locks.forget(file)
        if usesLower { node.leaveLower() }
    }
}
