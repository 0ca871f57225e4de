internal import HostSystem
package import LinuxABI

/// The bytes between the ends of a pipe. See `pipe(7)`.
///
/// They lie in one ring, but room is counted as Linux counts it: in pages, each of which holds what one write put into it
/// and what later ones could add without crossing its end. A page is free again when all of it has been read.
package final class Pipe {
    /// `PIPE_BUF`: writes up to this are not torn apart. The size of a page as well.
    package static let atomicSize = 4096
    package static let defaultCapacity = 65536
    /// `/proc/sys/fs/pipe-max-size`.
    package static let maximumCapacity = 1 << 20

    /// What is left in one page.
    private struct Page {
        /// Bytes of the page that were read already.
        var start: Int
        var count: Int
        /// Written with `O_DIRECT`: one read takes it, or as much as it asks for, and the rest is gone.
        let isPacket: Bool
    }

    private var ring: [UInt8] = []
    private var head = 0
    package private(set) var count = 0
    package private(set) var capacity = Pipe.defaultCapacity
    private var pages: [Page] = []
    package internal(set) var readers = 0
    package internal(set) var writers = 0
    /// Both ends wait here, told apart by what they wait for.
    package let waitQueue = WaitQueue()
    /// Those who are signalled at every transfer (`O_ASYNC`), be it news to a waiter or not.
    package let transfers = WaitQueue()

    package init() {}

    /// In bytes of pages that hold nothing.
    package var room: Int { capacity - pages.count * Pipe.atomicSize }

    /// Takes bytes out; nothing when there are none and a writer may still come.
    /// Throws EAGAIN when the pipe is empty and has writers.
    package func read(into output: inout OutputSpan<UInt8>) throws(Errno) {
        guard count > 0 else {
            if writers == 0 { return }
            throw .EAGAIN
        }
        let wasFull = room <= 0
        let (wanted, dropped) = takePages(output.freeCapacity)
        // At most two pieces: up to the ring's end, and on from its beginning.
        let first = min(wanted, ring.count - head)
        let source = ring
        let span = source.span
        output.append(copying: span.extracting(head..<head + first))
        output.append(copying: span.extracting(0..<wanted - first))
        head = ring.isEmpty ? 0 : (head + wanted + dropped) % ring.count
        count -= wanted + dropped
        if count == 0 { head = 0 }
        // Who could write before learns nothing new.
        if wasFull, room > 0 { waitQueue.wake(.writable) }
        transfers.wake(.writable)
    }

    /// How many bytes a read of at most `limit` gets, and how many of a packet are lost to it.
    private func takePages(_ limit: Int) -> (taken: Int, dropped: Int) {
        var taken = 0
        var emptied = 0
        defer { pages.removeFirst(emptied) }
        while taken < limit, emptied < pages.count {
            let page = pages[emptied]
            let part = min(page.count, limit - taken)
            taken += part
            guard !page.isPacket else {
                emptied += 1
                return (taken, page.count - part)
            }
            if part == page.count {
                emptied += 1
            } else {
                pages[emptied].start += part
                pages[emptied].count -= part
            }
        }
        return (taken, 0)
    }

    /// Puts bytes in, all of them when there are at most `atomicSize`.
    /// Throws EPIPE without readers, EAGAIN without room.
    package func write(_ bytes: Span<UInt8>, asPacket: Bool = false) throws(Errno) -> Int {
        guard readers > 0 else { throw .EPIPE }
        guard !bytes.isEmpty else { return 0 }
        var taken = 0
        // What does not fill a page goes behind what the last one holds, if all of it fits.
        let odd = bytes.count % Pipe.atomicSize
        if odd > 0, let last = pages.last, !last.isPacket, last.start + last.count + odd <= Pipe.atomicSize {
            pages[pages.count - 1].count += odd
            taken = odd
        }
        while taken < bytes.count, room > 0 {
            let part = min(bytes.count - taken, Pipe.atomicSize)
            pages.append(Page(start: 0, count: part, isPacket: asPacket))
            taken += part
        }
        guard taken > 0 else { throw .EAGAIN }
        grow(to: count + taken)
        let tail = (head + count) % ring.count
        var span = ring.mutableSpan
        let first = span.replace(at: tail, with: bytes.extracting(first: taken))
        span.replace(at: 0, with: bytes.extracting(first..<taken))
        count += taken
        waitQueue.wake(.readable)
        transfers.wake(.readable)
        return taken
    }

    /// Copies the first bytes without taking them, for tee(2).
    package func peek(_ limit: Int) -> [UInt8] {
        (0..<min(limit, count)).map { ring[(head + $0) % ring.count] }
    }

    /// `F_SETPIPE_SZ`. Throws EBUSY when more is in it, EPERM above what an unprivileged caller may have.
    package func setCapacity(_ wanted: Int, privileged: Bool) throws(Errno) -> Int {
        guard wanted >= 0, wanted <= 1 << 31 else { throw .EINVAL }
        var size = Pipe.atomicSize
        while size < wanted { size *= 2 }
        guard privileged || size <= Pipe.maximumCapacity || size <= capacity else { throw .EPERM }
        guard size <= 64 << 20 else { throw .ENOMEM }
        guard size >= pages.count * Pipe.atomicSize else { throw .EBUSY }
        let grows = size > capacity
        capacity = size
        if ring.count > size { resize(to: size) }
        if grows { waitQueue.wake(.writable) }
        return size
    }

    /// Each end is open once, nothing is in it, and nobody waits for anything.
    package var isAtRest: Bool {
        count == 0 && readers == 1 && writers == 1 && waitQueue.isEmpty && transfers.isEmpty
    }

    /// Puts back what one page held while others kept it, from `start` on; nothing has come meanwhile, and nobody waits.
    package func restore(_ bytes: Span<UInt8>, from start: Int) {
        guard count == 0, !bytes.isEmpty, start >= 0, bytes.count <= Pipe.atomicSize - start else { return }
        pages = [Page(start: start, count: bytes.count, isPacket: false)]
        head = 0
        grow(to: bytes.count)
        var span = ring.mutableSpan
        span.replace(at: 0, with: bytes)
        count = bytes.count
    }

    private func grow(to needed: Int) {
        guard needed > ring.count else { return }
        var size = max(4096, ring.count)
        while size < needed { size *= 2 }
        resize(to: min(size, max(capacity, needed)))
    }

    private func resize(to size: Int) {
        var larger = peek(count)
        larger.append(contentsOf: repeatElement(0, count: size - larger.count))
        ring = larger
        head = 0
    }

    /// What nobody has read is gone with the last end: a FIFO's name leads to an empty pipe again.
    func forgetBytes() {
        ring = []
        head = 0
        count = 0
        pages = []
    }

    func endClosed() {
        waitQueue.wakeAll()
        transfers.wakeAll()
    }
}

/// One end of a pipe, or both for a FIFO opened with `O_RDWR`.
package final class PipeEnd: FileOperations {
    package let pipe: Pipe
    private let node: any Inode
    private let reads: Bool
    private let writes: Bool

    package init(_ pipe: Pipe, node: any Inode, reads: Bool, writes: Bool) {
        self.pipe = pipe
        self.node = node
        self.reads = reads
        self.writes = writes
        if reads { pipe.readers += 1 }
        if writes { pipe.writers += 1 }
        (node as? PipeNode)?.pipe = pipe
    }

    package var inode: any Inode { node }
    package var waitQueue: WaitQueue? { pipe.waitQueue }

    package func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        guard output.freeCapacity > 0 else { return }
        try pipe.read(into: &output)
    }

    package func write(_ file: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int {
        try pipe.write(bytes, asPacket: file.flags.contains(.direct))
    }

    package var isReadyByKernel: Bool { true }

    package func poll(_ file: OpenFile) -> PollEvents {
        var events: PollEvents = []
        if reads {
            if pipe.count > 0 { events.formUnion(.readable) }
            if pipe.writers == 0 { events.insert(.hangUp) }
        }
        if writes {
            if pipe.room > 0 { events.formUnion(.writable) }
            if pipe.readers == 0 { events.insert(.error) }
        }
        return events
    }

    package func ioctl(_ file: OpenFile, command: UInt32, argument: UInt, memory: any IoctlMemory) throws(Errno) -> Int
    {
        // FIONREAD
        guard command == 0x541b else { throw .ENOTTY }
        var writer = ByteWriter()
        writer.put(Int32(clamping: pipe.count))
        try memory.write(writer.bytes, at: argument)
        return 0
    }

    package func release(_ file: OpenFile) {
        if reads { pipe.readers -= 1 }
        if writes { pipe.writers -= 1 }
        if pipe.readers == 0, pipe.writers == 0 { pipe.forgetBytes() }
        pipe.endClosed()
    }
}

/// The inode of an unnamed pipe.
package final class PipeNode: Inode {
    private var stored: FileAttributes
    /// The pipe while an end of it is open; `/proc/pid/fd` leads back to it.
    fileprivate weak var pipe: Pipe?
    package let locks = FileLocks()

    package init(number: UInt64, userID: UInt32, groupID: UInt32, now: Timestamp) {
        stored = FileAttributes()
        stored.inode = number
        stored.device = DeviceNumber(major: 0, minor: 13).rawValue
        stored.mode = FileMode(.fifo, 0o600)
        stored.userID = userID
        stored.groupID = groupID
        stored.accessTime = now
        stored.modificationTime = now
        stored.changeTime = now
    }

    package var kind: FileKind { .fifo }
    package func attributes() throws(Errno) -> FileAttributes { stored }
    /// `PIPEFS_MAGIC`.
    package func fileSystemStatistics() -> FileSystemStatistics { FileSystemStatistics(type: 0x5049_5045) }

    /// Another end of the pipe, at once: unlike a FIFO with a name it waits for nobody.
    package func open(_ flags: OpenFlags) throws(Errno) -> any FileOperations {
        guard let pipe, flags.accessMode < 3 else { throw .ENXIO }
        return PipeEnd(pipe, node: self, reads: flags.mayRead, writes: flags.mayWrite)
    }

    package func setAttributes(_ change: AttributeChange) throws(Errno) {
        if let permissions = change.permissions { stored.mode = FileMode(.fifo, permissions) }
        if let user = change.userID { stored.userID = user }
        if let group = change.groupID { stored.groupID = group }
    }
}
