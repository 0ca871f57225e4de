internal import Kernel
internal import LinuxABI
internal import VFS

/// truncate(2), ftruncate(2), fallocate(2).
extension GuestThread {
    func truncate(_ pointer: UserString, _ size: Int) throws(Errno) -> Int {
        guard size >= 0 else { throw .EINVAL }
        let dentry = try resolve(.currentDirectory, try copyInPath(from: pointer))
        guard dentry.inode.kind != .directory else { throw .EISDIR }
        guard dentry.inode.kind == .regular else { throw .EINVAL }
        guard !dentry.mount.isReadOnly else { throw .EROFS }
        try fileCredentials.check(.write, try dentry.inode.attributes())
        try checkExecuting(dentry.inode)
        try checkSizeLimit(size, dentry.inode)
        try dentry.inode.truncate(to: Int64(size))
        dentry.notify(.modify)
        try losePrivileges(dentry.inode)
        return 0
    }

    func ftruncate(_ number: FileNumber, _ size: Int) throws(Errno) -> Int {
        guard size >= 0 else { throw .EINVAL }
        let file = try file(number)
        guard file.operations.inode.kind == .regular, file.flags.mayWrite else { throw .EINVAL }
        try checkSizeLimit(size, file.operations.inode)
        try file.operations.inode.truncate(to: Int64(size))
        file.location?.notify(.modify)
        try losePrivileges(file.operations.inode)
        return 0
    }

    /// RLIMIT_FSIZE bounds growth. Throws EFBIG with SIGXFSZ.
    private func checkSizeLimit(_ size: Int, _ inode: any Inode) throws(Errno) {
        guard UInt64(size) > process.limits.fileSize.soft, Int64(size) > (try inode.attributes().size) else { return }
        sendToItself(.fileSizeExceeded)
        throw .EFBIG
    }

    private static let keepSize: Int32 = 0x01
    private static let punchHole: Int32 = 0x02
    private static let zeroRange: Int32 = 0x10

    /// See `fallocate(2)`; the checks stand in the order of Linux's `vfs_fallocate`.
    func fallocate(_ number: FileNumber, _ mode: Int32, _ offset: Int, _ length: Int) throws(Errno) -> Int {
        let file = try file(number)
        guard offset >= 0, length > 0 else { throw .EINVAL }
        guard mode & ~0x7f == 0 else { throw .EOPNOTSUPP }
        // Of allocating, punching, collapsing, zeroing, inserting and unsharing only one; collapsing and the like are not
        // supported, as on a tmpfs.
        let operation = mode & ~GuestThread.keepSize
        guard operation & (operation - 1) == 0, operation & 0x6c == 0 else { throw .EOPNOTSUPP }
        if operation == GuestThread.punchHole, mode & GuestThread.keepSize == 0 { throw .EOPNOTSUPP }
        guard file.flags.mayWrite else { throw .EBADF }
        let inode = file.operations.inode
        switch inode.kind {
        case .regular: break
        case .fifo: throw .ESPIPE
        case .directory: throw .EISDIR
        default: throw .ENODEV
        }
        let (end, overflow) = offset.addingReportingOverflow(length)
        guard !overflow, end <= (1 << 44) - 4096 else { throw .EFBIG }
        guard let target = inode as? any HolePunching else { throw .EOPNOTSUPP }
        let size = try inode.attributes().size
        let grows = mode & GuestThread.keepSize == 0 && Int64(end) > size
        if grows { try checkSizeLimit(end, inode) }
        switch operation {
        case 0: try target.allocate(at: Int64(offset), count: Int64(length))
        case GuestThread.zeroRange:
            try target.punch(at: Int64(offset), count: Int64(length))
            try target.allocate(at: Int64(offset), count: Int64(length))
        default: try target.punch(at: Int64(offset), count: Int64(length))
        }
        if grows { try inode.truncate(to: Int64(end)) }
        file.location?.notify(.modify)
        try losePrivileges(inode)
        return 0
    }

    /// Whoever writes a program without being privileged takes its set-id bits away. Linux's `file_remove_privs`.
    func losePrivileges(_ inode: any Inode) throws(Errno) {
        guard !fileCredentials.has(.keepSetID) else { return }
        let mode = try inode.attributes().mode
        guard mode.kind == .regular, mode.permissions & 0o6000 != 0 else { return }
        var permissions = mode.permissions & ~0o4000
        if permissions & 0o010 != 0 { permissions &= ~0o2000 }
        guard permissions != mode.permissions else { return }
        var change = AttributeChange()
        change.permissions = permissions
        try inode.setAttributes(change)
    }
}
