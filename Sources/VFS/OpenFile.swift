package import LinuxABI

/// An open file description: what `open(2)` makes and what descriptors of any number of processes may share.
package final class OpenFile {
    /// What the file does; never changes.
    package let operations: any FileOperations
    /// Its inode is a socket's.
    package let isSocket: Bool
    /// It is an end of a pipe without a name.
    package let isPipe: Bool
    /// Access mode and status flags (`F_GETFL`); creation flags and `O_CLOEXEC` are not kept.
    package var flags: OpenFlags {
        get { storedFlags }
        set { storedFlags = newValue }
    }
    // Stored apart: the language watches at run time over accesses to what other modules may store to.
    private var storedFlags: OpenFlags
    /// Where the next `read` or `write` without an explicit offset starts.
    package var position: Int64 {
        get { storedPosition }
        set { storedPosition = newValue }
    }
    private var storedPosition: Int64 = 0
    /// Where in the tree the file was opened; nil for pipes, sockets and the like.
    package let location: Dentry?
    package var owner = Owner()
    /// `F_SETSIG`.
    package var signal: Int32 = 0
    /// Whoever sends the owner signals while `O_ASYNC` is set, and where it stands in line.
    package var asynchronous: (waiter: any Waiter, queue: WaitQueue)? {
        get { storedAsynchronous }
        set { storedAsynchronous = newValue }
    }
    private var storedAsynchronous: (waiter: any Waiter, queue: WaitQueue)? = nil
    /// True if the very `open(2)` that made the description also made the file: `F_CREATED_QUERY`.
    package var hasCreated: Bool {
        get { storedHasCreated }
        set { storedHasCreated = newValue }
    }
    private var storedHasCreated = false

    /// `F_SETOWN`: who gets SIGIO.
    package struct Owner: Sendable {
        package enum Kind: Int32, Sendable {
            case thread = 0
            case process = 1
            case group = 2
        }

        package var kind = Kind.thread
        /// 0 for nobody.
        package var number: Int32 = 0
        /// Who said so.
        package var userID: UInt32 = 0
        package var effectiveUserID: UInt32 = 0

        package init() {}
    }

    /// How often one process has read it without anybody else coming between: see `isHot`.
    private var uses: Int32 = 0
    private var user: ObjectIdentifier?
    /// The epoch in which somebody asked for it last.
    private var epoch: UInt64 = 0
    private static let hot: Int32 = 24

    /// Descriptors, mappings and messages in flight that name the description.
    package var references: Int { count }
    private var count = 0
    /// The last of them is gone.
    package var isReleased: Bool { wasReleased }
    private var wasReleased = false
    /// Counted among those who may write the file, which is not executed meanwhile.
    private var writes: FileLocks?
    /// Counted among those who hold the file, which lives on without a name meanwhile.
    private var holds: FileLocks?

    package init(_ operations: any FileOperations, flags: OpenFlags, location: Dentry? = nil) {
        self.operations = operations
        storedFlags = flags
        self.location = location
        let inode = operations.inode
        let kind = inode.kind
        isSocket = kind == .socket
        isPipe = kind == .fifo && location == nil
        // Nobody can do without the kernel there.
        if kind == .fifo { uses = .min }
        guard location != nil else { return }
        let locks = inode.locks
        holds = locks
        locks.enterHolders()
        if flags.mayWrite, kind == .regular {
            writes = locks
            locks.enterWriters()
        }
    }

    deinit {
        writes?.leaveWriters()
        holds?.leaveHolders()
    }

    /// A process, known by its descriptors, reads or writes the file: true if it has done so often that it may pay to tell it
    /// how to do without the kernel.
    @inline(__always)
    package func isHot(for table: AnyObject) -> Bool {
        guard uses != .min else { return false }
        return counted(ObjectIdentifier(table))
    }

    private func counted(_ table: ObjectIdentifier) -> Bool {
        if user != table { (user, uses) = (table, 0) }
        guard uses < OpenFile.hot else { return true }
        uses += 1
        return uses == OpenFile.hot
    }

    /// Nobody can be told anything of it that would help.
    package func staysCold() { uses = .min }

    /// True if the file was asked for in this epoch before: what changes all the time is not worth telling.
    package func rests(in now: UInt64) -> Bool {
        defer { epoch = now }
        return epoch == now
    }

    package var isNonBlocking: Bool { flags.contains(.nonBlocking) }

    /// One more descriptor (or mapping, or message in flight) names the description.
    package func retain() { count += 1 }

    /// One less; the last one releases what the file holds (`release` of `file_operations`).
    package func release() {
        count -= 1
        guard count == 0 else { return }
        wasReleased = true
        if let writes {
            writes.leaveWriters()
            self.writes = nil
        }
        if !flags.contains(.pathOnly) { location?.notify(flags.mayWrite ? .closeWritten : .closeUnwritten) }
        if storedAsynchronous != nil { stopSignals() }
        operations.release(self)
        guard let held = holds else { return }
        holds = nil
        if held.leaveHolders() == 0 { location?.notifyEnd() }
    }

    /// No signals for the owner from now on.
    package func stopSignals() {
        guard let (waiter, queue) = asynchronous else { return }
        asynchronous = nil
        queue.remove(waiter)
    }
}

/// What one kind of open file can do. Linux's `file_operations`; what a kind lacks has a default that gives Linux's errno.
///
/// Nothing here waits: an operation that cannot proceed throws `EAGAIN`, whatever `O_NONBLOCK` says, and the system
/// call that asked decides whether to park the thread on `waitQueue`.
package protocol FileOperations: AnyObject {
    /// Appends at most `output.freeCapacity` bytes read at `offset` (nil: not seekable); appending none is the end of file.
    func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno)
    /// Writes some of `bytes` at `offset` (nil: not seekable). With `O_APPEND` the file itself finds the end and says
    /// where the write ended by setting `file.position` if the call used it.
    /// - Returns: how many bytes were written, at least one unless `bytes` is empty.
    func write(_ file: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int
    /// True if writes succeed whatever their bytes are: nobody looks at them (`/dev/null`).
    var discards: Bool { get }
    /// True if `pread`, `pwrite` and `lseek` make sense (not for pipes and sockets: ESPIPE).
    var isSeekable: Bool { get }
    /// False if the position stays where it is whatever is read or written there (`/dev/zero`).
    var hasPosition: Bool { get }
    /// What reading gives at the moment; and what the file's changes end, until `localContents` is asked for again.
    func localContents(_ file: OpenFile, until epoch: LocalEpoch) -> LocalContents
    /// The host file that holds the pages which `localContents` speaks of, open for reading only. Throws where there is none.
    func localPages(_ file: OpenFile) throws(Errno) -> (descriptor: Int32, series: UInt64, size: Int64)
    /// What is ready now.
    func poll(_ file: OpenFile) -> PollEvents
    /// True if only this kernel's calls and timers change what is ready, nobody else on the host, and for all who ask.
    var isReadyByKernel: Bool { get }
    /// What wakes when readiness may have changed; nil for files that are always ready.
    var waitQueue: WaitQueue? { get }
    /// Called once, when the last descriptor is gone.
    func release(_ file: OpenFile)
    /// Called at every `close(2)` of a descriptor (Linux's `flush`); POSIX locks go here.
    func flush(_ file: OpenFile) throws(Errno)
    /// See `ioctl(2)`. The argument is a raw register; guest memory is reached through `memory`.
    func ioctl(_ file: OpenFile, command: UInt32, argument: UInt, memory: any IoctlMemory) throws(Errno) -> Int
    /// The inode behind the file: what `fstat(2)` and friends look at.
    var inode: any Inode { get }
    /// Linux's `lseek(2)`; the default implements SEEK_SET, SEEK_CUR and SEEK_END over `inode.attributes().size`.
    func seek(_ file: OpenFile, to offset: Int64, whence: Int32) throws(Errno) -> Int64
    /// What a mapping of the file maps. Throws ENODEV where the file cannot be mapped.
    func mapping(_ file: OpenFile) throws(Errno) -> FileMapping
    /// Changes `O_ASYNC`, `O_NONBLOCK` and the like; called before `file.flags` changes.
    func flagsWillChange(_ file: OpenFile, to flags: OpenFlags) throws(Errno)
}

/// An open file whose bytes somebody else keeps, who can be asked to keep them safe: `fsync(2)`.
package protocol Synchronizing: AnyObject {
    func synchronize() throws(Errno)
}

/// How an ioctl of a file reaches the calling guest's memory.
package protocol IoctlMemory: AnyObject {
    /// Throws EFAULT.
    func read(_ count: Int, at address: UInt) throws(Errno) -> [UInt8]
    /// Throws EFAULT.
    func write(_ bytes: [UInt8], at address: UInt) throws(Errno)
}

/// The host object that backs a mapping of a file.
package enum FileMapping {
    /// Pages come from a host descriptor at the same offset. The platform hands it to the stub: a shared mapping of it
    /// must be harmless, so a file of the host's root gives one that is open read-only, and `canWriteShared` is false
    /// unless the descriptor is a memory file of this very object.
    case host(descriptor: Int32, canWriteShared: Bool)
    /// Zero-filled memory: `/dev/zero`.
    case anonymous
}

extension FileOperations {
    package func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        throw .EINVAL
    }

    package func write(_ file: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int {
        throw .EINVAL
    }

    package var isSeekable: Bool { false }
    package var discards: Bool { false }
    package var hasPosition: Bool { isSeekable }
    package func localContents(_ file: OpenFile, until epoch: LocalEpoch) -> LocalContents { .unknown }
    package func localPages(_ file: OpenFile) throws(Errno) -> (descriptor: Int32, series: UInt64, size: Int64) {
        throw .ENODEV
    }

    package func poll(_ file: OpenFile) -> PollEvents { [.readable, .writable] }

    package var isReadyByKernel: Bool { false }
    package var waitQueue: WaitQueue? { nil }

    package func release(_ file: OpenFile) {}

    package func flush(_ file: OpenFile) throws(Errno) {}

    package func ioctl(_ file: OpenFile, command: UInt32, argument: UInt, memory: any IoctlMemory) throws(Errno) -> Int
    {
        throw .ENOTTY
    }

    package func mapping(_ file: OpenFile) throws(Errno) -> FileMapping { throw .ENODEV }

    package func flagsWillChange(_ file: OpenFile, to flags: OpenFlags) throws(Errno) {}

    package func seek(_ file: OpenFile, to offset: Int64, whence: Int32) throws(Errno) -> Int64 {
        guard isSeekable else { throw .ESPIPE }
        let base: Int64
        switch whence {
        case 0: base = 0
        case 1: base = file.position
        case 2: base = try inode.attributes().size
        default: throw .EINVAL
        }
        let (target, overflow) = base.addingReportingOverflow(offset)
        guard !overflow else { throw .EINVAL }
        guard target >= 0 else { throw .EINVAL }
        file.position = target
        return target
    }
}
