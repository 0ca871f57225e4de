internal import Kernel
internal import LinuxABI
internal import VFS

/// How the calls of the file family reach files: descriptors, and paths relative to one.
extension GuestThread {
    /// The open file behind a descriptor that calls may use. Throws EBADF, also for `O_PATH`.
    func file(_ number: FileNumber) throws(Errno) -> OpenFile {
        let file = try files.file(number)
        guard !file.flags.contains(.pathOnly) else { throw .EBADF }
        return file
    }

    /// For `access(2)`: the real identity instead of the effective one.
    var realFileCredentials: FileCredentials {
        FileCredentials(
            userID: credentials.userID, groupID: credentials.groupID, groups: credentials.groups,
            capabilities: credentials.userID == 0 ? credentials.permittedCapabilities : 0)
    }

    /// Where a relative path begins. Throws EBADF, ENOTDIR.
    func start(_ directory: FileNumber, for path: [UInt8], allowsFile: Bool = false) throws(Errno) -> Dentry {
        if path.first == 0x2f || directory == .currentDirectory { return fileSystem.workingDirectory }
        let file = try files.file(directory)
        guard let location = file.location else {
            // A pipe or socket has no place in the tree, but AT_EMPTY_PATH may still mean it.
            guard allowsFile, path.isEmpty else { throw .ENOTDIR }
            return Dentry(
                name: "", parent: nil, inode: file.operations.inode, mount: fileSystem.root.mount)
        }
        guard location.inode.kind == .directory || (allowsFile && path.isEmpty) else { throw .ENOTDIR }
        return location
    }

    func walk(_ directory: FileNumber, _ path: [UInt8], _ options: WalkOptions) throws(Errno) -> PathWalk {
        // An empty path is no path, whatever the descriptor is.
        guard !path.isEmpty || options.contains(.allowEmpty) else { throw .ENOENT }
        return PathWalk(
            root: fileSystem.root,
            start: try start(directory, for: path, allowsFile: options.contains(.allowEmpty)),
            credentials: fileCredentials, options: options)
    }

    /// What stands at a path.
    func resolve(
        _ directory: FileNumber, _ path: [UInt8], _ options: WalkOptions = .followLast
    ) throws(Errno) -> Dentry {
        var walk = try walk(directory, path, options)
        return try walk.resolve(path)
    }

    /// The directory in which a path's last component stands.
    func resolveParent(_ directory: FileNumber, _ path: [UInt8]) throws(Errno) -> Parent {
        var walk = try walk(directory, path, WalkOptions(rawValue: 0))
        return try walk.resolveParent(path)
    }

    /// Puts a new open file at the lowest free number.
    func install(_ file: OpenFile, closeOnExec: Bool) throws(Errno) -> Int {
        do throws(Errno) {
            return Int(try files.install(file, closeOnExec: closeOnExec, limit: process.openFilesLimit).rawValue)
        } catch {
            // A file that nobody holds releases what its opening took.
            if file.references == 0 {
                file.retain()
                file.release()
            }
            throw error
        }
    }

    /// Runs an operation that may find its file not ready: parks unless the file or the call says not to wait.
    func waiting<T>(
        for file: OpenFile, _ events: PollEvents, noWait: Bool = false, until deadline: MonotonicTime? = nil,
        _ body: () throws(Errno) -> T
    ) throws(Errno) -> T {
        do throws(Errno) {
            return try body()
        } catch {
            throw blocked(file, events, noWait: noWait, until: deadline, by: error)
        }
    }

    /// What a file that is not ready comes to: parks unless the file or the call says not to wait.
    /// - Returns: what to throw.
    func blocked(
        _ file: OpenFile, _ events: PollEvents, noWait: Bool = false, until deadline: MonotonicTime? = nil,
        by error: Errno
    ) -> Errno {
        if error == .EINTR { return awaitForeground() }
        guard error == .EAGAIN, !noWait, !file.isNonBlocking, let queue = file.operations.waitQueue else {
            return error
        }
        if let deadline, deadline <= kernel.clock.now { return .EAGAIN }
        return park(on: [queue], for: events.union([.error, .hangUp]), until: deadline)
    }

    /// The modes of new files, without what the umask takes away.
    func masked(_ mode: FileMode) -> UInt32 { mode.permissions & ~fileSystem.umask }
}

/// A thread's memory as ioctls of files see it.
final class ThreadIoctlMemory: IoctlMemory {
    private let thread: GuestThread

    init(_ thread: GuestThread) { self.thread = thread }

    func read(_ count: Int, at address: UInt) throws(Errno) -> [UInt8] { try thread.copyIn(count, from: address) }
    func write(_ bytes: [UInt8], at address: UInt) throws(Errno) { try thread.copyOut(bytes, to: address) }
}
