internal import HostSystem
package import LinuxABI

/// An open directory. Its entries are taken when reading begins, so that a position is an entry's number; a seek to the
/// beginning takes them anew.
package final class DirectoryFile: FileOperations {
    private let directory: any Inode
    private(set) var taken: DirectoryListing?
    /// Who asks for the entries one by one.
    var follower = DirectoryFollower()
    /// Where in the listing the entry of a position begins: of the one that was read up to last.
    private var cursor = (position: DirectoryListing.firstPosition, index: 0)

    package init(_ directory: any Inode) { self.directory = directory }

    package var inode: any Inode { directory }
    package var isSeekable: Bool { true }

    package func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        throw .EISDIR
    }

    package func write(_ file: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int { throw .EBADF }

    /// Entries from the file's position on as `getdents64(2)` packs them, as many as fit into `limit` bytes; `.` and `..`
    /// come first. Moves the position behind them. None are the end. Throws EINVAL when not even one fits.
    /// `parentInode`: the number that `..` has.
    package func takeEntries(
        _ file: OpenFile, limit: Int, parentInode: () throws(Errno) -> UInt64
    ) throws(Errno) -> [UInt8] {
        guard file.position >= 0 else { throw .EINVAL }
        var bytes: [UInt8] = []
        var position = file.position
        while position < DirectoryListing.firstPosition {
            guard bytes.count + 24 <= limit else { break }
            let name: [UInt8] = position == 0 ? [0x2e] : [0x2e, 0x2e]
            let inode = try position == 0 ? directory.attributes().inode : parentInode()
            position += 1
            DirectoryListing.put(
                name.span, inode: inode, next: position, type: FileKind.directory.directoryEntryType, to: &bytes)
        }
        let listing = try listing()
        guard position >= DirectoryListing.firstPosition else { return try moved(file, position, bytes) }
        var (place, index) = cursor
        if place != position {
            (place, index) = (DirectoryListing.firstPosition, 0)
            while place < position, listing.length(at: index) > 0 {
                index += listing.length(at: index)
                place += 1
            }
            // Past the end.
            if place < position { return [] }
        }
        let start = index
        while true {
            let length = listing.length(at: index)
            guard length > 0 else { break }
            guard bytes.count + index - start + length <= limit else {
                if bytes.isEmpty, index == start { throw .EINVAL }
                break
            }
            index += length
            place += 1
        }
        cursor = (place, index)
        if index > start { bytes.append(copying: listing.bytes.span.extracting(start..<index)) }
        return try moved(file, place, bytes)
    }

    /// All entries at once, if they fit into `limit` bytes and nobody has read any: then `readToEnd` is due if they are read, and
    /// otherwise `forget`.
    package func allEntries(
        _ file: OpenFile, limit: Int, parentInode: () throws(Errno) -> UInt64
    ) -> [UInt8]? {
        guard file.position == 0, taken == nil else { return nil }
        let bytes = try? takeEntries(file, limit: limit, parentInode: parentInode)
        let areAll = isAtEnd(file)
        file.position = 0
        if areAll { return bytes }
        taken = nil
        return nil
    }

    /// What `allEntries` has given was read.
    package func readToEnd(_ file: OpenFile) {
        guard let taken, file.position == 0 else { return }
        file.position = DirectoryListing.firstPosition + Int64(taken.count)
        cursor = (file.position, taken.bytes.count)
    }

    /// What `allEntries` has given was not read.
    package func forget(_ file: OpenFile) { if file.position == 0 { taken = nil } }

    /// The next call of `takeEntries` gives none, if the position stays where it is.
    package func isAtEnd(_ file: OpenFile) -> Bool {
        guard let taken, file.position == cursor.position, file.position >= DirectoryListing.firstPosition else {
            return false
        }
        return taken.length(at: cursor.index) == 0
    }

    private func moved(_ file: OpenFile, _ position: Int64, _ bytes: [UInt8]) throws(Errno) -> [UInt8] {
        if bytes.isEmpty, position < DirectoryListing.firstPosition { throw .EINVAL }
        file.position = position
        return bytes
    }

    private func listing() throws(Errno) -> DirectoryListing {
        if let taken { return taken }
        let listing = try directory.listing()
        taken = listing
        follower = DirectoryFollower()
        cursor = (DirectoryListing.firstPosition, 0)
        return listing
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
