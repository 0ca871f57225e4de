package import LinuxABI

/// A FIFO with a name: opening one end waits for the other. See `fifo(7)`.
package final class NamedPipe {
    private weak var node: (any Inode)?
    package let pipe = Pipe()
    /// How often each end has been opened: an opener that waited sees that its peer was there, even if it has left.
    package private(set) var readerOpens = 0
    package private(set) var writerOpens = 0

    package init(_ node: any Inode) { self.node = node }

    /// Opens an end at once. Throws ENXIO for a writer that must not wait and finds no reader.
    package func open(_ flags: OpenFlags) throws(Errno) -> any FileOperations {
        guard let node else { throw .ENXIO }
        if flags.accessMode == 1, flags.contains(.nonBlocking), pipe.readers == 0 { throw .ENXIO }
        let end = PipeEnd(pipe, node: node, reads: flags.mayRead, writes: flags.mayWrite)
        if flags.mayRead { readerOpens += 1 }
        if flags.mayWrite { writerOpens += 1 }
        pipe.waitQueue.wakeAll()
        return end
    }

    /// True if an opener in that mode still has to wait for its peer, who had opened `seen` times when it came.
    package func mustWait(_ flags: OpenFlags, seen: Int) -> Bool {
        guard !flags.contains(.nonBlocking) else { return false }
        return switch flags.accessMode {
        case 0: pipe.writers == 0 && writerOpens == seen
        case 1: pipe.readers == 0 && readerOpens == seen
        default: false
        }
    }

    /// How often the peer of an opener in that mode has opened.
    package func peerOpens(_ flags: OpenFlags) -> Int { flags.accessMode == 0 ? writerOpens : readerOpens }
}

/// An inode that may be a FIFO.
package protocol NamedPipeHolder: AnyObject {
    /// The pipe behind the name, once somebody has opened it.
    var namedPipe: NamedPipe? { get }
}
