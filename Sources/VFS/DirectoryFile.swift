package import LinuxABI

/// An open directory. Its entries are taken when reading begins, so that a cookie is an index; a seek to the beginning
/// takes them anew.
package final class DirectoryFile: FileOperations {
    private let directory: any Inode
    private var taken: [DirectoryEntry]?

    package init(_ directory: any Inode) { self.directory = directory }

    package var inode: any Inode { directory }
    package var isSeekable: Bool { true }

    package func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        throw .EISDIR
    }

    package func write(_ file: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int { throw .EBADF }

    /// The entry at a position, with `.` and `..` first; nil past the end.
    package func entry(at position: Int64, parentInode: UInt64) throws(Errno) -> DirectoryEntry? {
        guard position >= 0 else { throw .EINVAL }
        if position == 0 {
            return DirectoryEntry(name: FileName("."), inode: try directory.attributes().inode, kind: .directory)
        }
        if position == 1 { return DirectoryEntry(name: FileName(".."), inode: parentInode, kind: .directory) }
        let entries: [DirectoryEntry]
        if let taken {
            entries = taken
        } else {
            entries = try directory.entries()
            taken = entries
        }
        let index = position - 2
        return index < Int64(entries.count) ? entries[Int(index)] : nil
    }

    package func seek(_ file: OpenFile, to offset: Int64, whence: Int32) throws(Errno) -> Int64 {
        switch whence {
        case 0: guard offset >= 0 else { throw .EINVAL }
        case 1 where offset == 0: return file.position
        default: throw .EINVAL
        }
        if offset == 0 { taken = nil }
        file.position = offset
        return offset
    }
}
