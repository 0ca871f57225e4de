internal import LinuxABI
internal import VFS

/// What `/dev/tty` opens: the session's terminal, which does everything, under a name and number of its own.
final class TerminalAlias: TerminalFile {
    private let target: any FileOperations
    private let node: any Inode
    let terminal: Terminal?

    init(_ target: any FileOperations, of terminal: Terminal, node: any Inode) {
        self.target = target
        self.terminal = terminal
        self.node = node
    }

    var inode: any Inode { node }
    var isMaster: Bool { false }
    var waitQueue: WaitQueue? { target.waitQueue }

    func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        try target.read(file, into: &output, at: offset)
    }

    func write(_ file: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int {
        try target.write(file, bytes, at: offset)
    }

    func poll(_ file: OpenFile) -> PollEvents { target.poll(file) }
    func release(_ file: OpenFile) { target.release(file) }

    func ioctl(_ file: OpenFile, command: UInt32, argument: UInt, memory: any IoctlMemory) throws(Errno) -> Int {
        try target.ioctl(file, command: command, argument: argument, memory: memory)
    }
}
