package import LinuxABI

/// What `O_PATH` opens: a place in the tree and nothing to do with it. See `open(2)`.
package final class PathOnlyFile: FileOperations {
    private let node: any Inode

    package init(_ node: any Inode) { self.node = node }

    package var inode: any Inode { node }

    package func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        throw .EBADF
    }

    package func write(_ file: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int { throw .EBADF }

    package func poll(_ file: OpenFile) -> PollEvents { .invalid }
}
