internal import Kernel
internal import LinuxABI
internal import VFS

extension SyscallRow {
    /// Opening, reading, writing.
    static let files: [SyscallRow] = [
        implement(Linux.read) { (t, fd, buffer, count) throws(Errno) in try t.read(fd, buffer, count) },
        implement(Linux.write) { (t, fd, buffer, count) throws(Errno) in try t.write(fd, buffer, count) },
        implement(Linux.pread64) { (t, fd, buffer, count, offset) throws(Errno) in
            try t.pread(fd, buffer, count, offset)
        },
        implement(Linux.pwrite64) { (t, fd, buffer, count, offset) throws(Errno) in
            try t.pwrite(fd, buffer, count, offset)
        },
        implement(Linux.readv) { (t, fd, vector, count) throws(Errno) in
            try t.readVector(fd, vector.address, count, nil)
        },
        implement(Linux.writev) { (t, fd, vector, count) throws(Errno) in
            try t.writeVector(fd, vector.address, count, nil)
        },
        implement(Linux.preadv) { (t, fd, vector, count, offset, _) throws(Errno) in
            try t.readVector(fd, vector.address, count, Int(bitPattern: offset))
        },
        implement(Linux.pwritev) { (t, fd, vector, count, offset, _) throws(Errno) in
            try t.writeVector(fd, vector.address, count, Int(bitPattern: offset))
        },
        implement(Linux.preadv2) { (t, fd, vector, count, offset, _, flags) throws(Errno) in
            try t.readVector(fd, vector.address, count, offset == .max ? nil : Int(bitPattern: offset), flags)
        },
        implement(Linux.pwritev2) { (t, fd, vector, count, offset, _, flags) throws(Errno) in
            try t.writeVector(fd, vector.address, count, offset == .max ? nil : Int(bitPattern: offset), flags)
        },
        implement(Linux.lseek) { (t, fd, offset, whence) throws(Errno) in try t.lseek(fd, offset, whence) },
        implement(Linux.open) { (t, path, flags, mode) throws(Errno) in
            try t.openAt(.currentDirectory, path, flags, mode)
        },
        implement(Linux.openat) { (t, directory, path, flags, mode) throws(Errno) in
            try t.openAt(directory, path, flags, mode)
        },
        implement(Linux.openat2, .partial("RESOLVE_CACHED always says EAGAIN")) {
            (t, directory, path, how, size) throws(Errno) in
            try t.openAt2(directory, path, how.address, size)
        },
        implement(Linux.creat) { (t, path, mode) throws(Errno) in
            try t.openAt(.currentDirectory, path, [.create, .writeOnly, .truncate], mode)
        },
        implement(Linux.memfd_create, .partial("no huge pages")) { (t, name, flags) throws(Errno) in
            try t.memfdCreate(name, flags)
        },
        implement(Linux.sendfile) { (t, output, input, offset, count) throws(Errno) in
            try t.sendfile(output, input, offset.address, count)
        },
        implement(Linux.copy_file_range) { (t, input, inputOffset, output, outputOffset, count, flags) throws(Errno) in
            try t.copyFileRange(input, inputOffset.address, output, outputOffset.address, count, flags)
        },
    ]

    /// What a path leads to.
    static let metadata: [SyscallRow] = [
        implement(Linux.stat) { (t, path, buffer) throws(Errno) in try t.stat(path, buffer.address, follow: true) },
        implement(Linux.lstat) { (t, path, buffer) throws(Errno) in try t.stat(path, buffer.address, follow: false) },
        implement(Linux.fstat) { (t, fd, buffer) throws(Errno) in try t.fstat(fd, buffer.address) },
        implement(Linux.newfstatat) { (t, directory, path, buffer, flags) throws(Errno) in
            try t.statAt(directory, path, buffer.address, UInt32(bitPattern: flags))
        },
        implement(Linux.statx) { (t, directory, path, flags, mask, buffer) throws(Errno) in
            try t.statx(directory, path, flags, mask, buffer.address)
        },
        implement(Linux.access) { (t, path, mode) throws(Errno) in
            try t.accessAt(.currentDirectory, path, UInt32(bitPattern: mode))
        },
        implement(Linux.faccessat) { (t, directory, path, mode) throws(Errno) in
            try t.accessAt(directory, path, UInt32(bitPattern: mode))
        },
        implement(Linux.faccessat2) { (t, directory, path, mode, flags) throws(Errno) in
            try t.accessAt(directory, path, UInt32(bitPattern: mode), UInt32(bitPattern: flags))
        },
        implement(Linux.readlink) { (t, path, buffer, size) throws(Errno) in
            try t.readLinkAt(.currentDirectory, path, buffer, size)
        },
        implement(Linux.readlinkat) { (t, directory, path, buffer, size) throws(Errno) in
            try t.readLinkAt(directory, path, buffer, size)
        },
        implement(Linux.statfs) { (t, path, buffer) throws(Errno) in try t.statFS(path, buffer.address) },
        implement(Linux.fstatfs) { (t, fd, buffer) throws(Errno) in try t.fstatFS(fd, buffer.address) },
        implement(Linux.chmod) { (t, path, mode) throws(Errno) in try t.chmodAt(.currentDirectory, path, mode) },
        implement(Linux.fchmod) { (t, fd, mode) throws(Errno) in try t.fchmod(fd, mode) },
        implement(Linux.fchmodat) { (t, directory, path, mode) throws(Errno) in try t.chmodAt(directory, path, mode) },
        implement(Linux.fchmodat2) { (t, directory, path, mode, flags) throws(Errno) in
            try t.chmodAt(directory, path, mode, UInt32(truncatingIfNeeded: flags))
        },
        implement(Linux.chown) { (t, path, user, group) throws(Errno) in
            try t.chownAt(.currentDirectory, path, user, group, 0)
        },
        implement(Linux.lchown) { (t, path, user, group) throws(Errno) in
            try t.chownAt(.currentDirectory, path, user, group, 0x100)
        },
        implement(Linux.fchown) { (t, fd, user, group) throws(Errno) in try t.fchown(fd, user, group) },
        implement(Linux.fchownat) { (t, directory, path, user, group, flags) throws(Errno) in
            try t.chownAt(directory, path, user, group, UInt32(bitPattern: flags))
        },
        implement(Linux.utimensat) { (t, directory, path, times, flags) throws(Errno) in
            try t.utimensAt(directory, path, times.address, UInt32(bitPattern: flags))
        },
        implement(Linux.utime) { (t, path, times) throws(Errno) in
            try t.utimes(.currentDirectory, path, times.address, microseconds: false)
        },
        implement(Linux.utimes) { (t, path, times) throws(Errno) in
            try t.utimes(.currentDirectory, path, times.address, microseconds: true)
        },
        implement(Linux.futimesat) { (t, directory, path, times) throws(Errno) in
            try t.utimes(directory, path, times.address, microseconds: true)
        },
        implement(Linux.truncate) { (t, path, size) throws(Errno) in try t.truncate(path, size) },
        implement(Linux.ftruncate) { (t, fd, size) throws(Errno) in try t.ftruncate(fd, size) },
        implement(Linux.fallocate, .partial("no collapsing or inserting of ranges")) {
            (t, fd, mode, offset, length) throws(Errno) in
            try t.fallocate(fd, mode, offset, length)
        },
    ]

    /// Names.
    static let directories: [SyscallRow] = [
        implement(Linux.getdents64) { (t, fd, buffer, count) throws(Errno) in
            try t.getDirectoryEntries(fd, buffer.address, count)
        },
        implement(Linux.getdents) { (t, fd, buffer, count) throws(Errno) in
            try t.getDirectoryEntries(fd, buffer.address, count, old: true)
        },
        implement(Linux.mkdir) { (t, path, mode) throws(Errno) in try t.makeDirectoryAt(.currentDirectory, path, mode)
        },
        implement(Linux.mkdirat) { (t, directory, path, mode) throws(Errno) in
            try t.makeDirectoryAt(directory, path, mode)
        },
        implement(Linux.rmdir) { (t, path) throws(Errno) in try t.unlinkAt(.currentDirectory, path, 0x200) },
        implement(Linux.unlink) { (t, path) throws(Errno) in try t.unlinkAt(.currentDirectory, path, 0) },
        implement(Linux.unlinkat) { (t, directory, path, flags) throws(Errno) in
            try t.unlinkAt(directory, path, UInt32(bitPattern: flags))
        },
        implement(Linux.rename) { (t, old, new) throws(Errno) in
            try t.renameAt(.currentDirectory, old, .currentDirectory, new)
        },
        implement(Linux.renameat) { (t, oldDirectory, old, newDirectory, new) throws(Errno) in
            try t.renameAt(oldDirectory, old, newDirectory, new)
        },
        implement(Linux.renameat2) { (t, oldDirectory, old, newDirectory, new, flags) throws(Errno) in
            try t.renameAt(oldDirectory, old, newDirectory, new, flags)
        },
        implement(Linux.link) { (t, old, new) throws(Errno) in
            try t.linkAt(.currentDirectory, old, .currentDirectory, new, 0)
        },
        implement(Linux.linkat) { (t, oldDirectory, old, newDirectory, new, flags) throws(Errno) in
            try t.linkAt(oldDirectory, old, newDirectory, new, UInt32(bitPattern: flags))
        },
        implement(Linux.symlink) { (t, target, path) throws(Errno) in
            try t.symlinkAt(target, .currentDirectory, path)
        },
        implement(Linux.symlinkat) { (t, target, directory, path) throws(Errno) in
            try t.symlinkAt(target, directory, path)
        },
        implement(Linux.mknod) { (t, path, mode, device) throws(Errno) in
            try t.mknodAt(.currentDirectory, path, mode, device)
        },
        implement(Linux.mknodat) { (t, directory, path, mode, device) throws(Errno) in
            try t.mknodAt(directory, path, mode, device)
        },
        implement(Linux.chdir) { (t, path) throws(Errno) in try t.chdir(path) },
        implement(Linux.fchdir) { (t, fd) throws(Errno) in try t.fchdir(fd) },
        implement(Linux.chroot) { (t, path) throws(Errno) in try t.chroot(path) },
        implement(Linux.getcwd) { (t, buffer, size) throws(Errno) in try t.getcwd(buffer, size) },
        implement(Linux.umask) { (t, mask) throws(Errno) in try t.setUmask(Int32(truncatingIfNeeded: mask.rawValue)) },
    ]

    /// Descriptors and locks.
    static let descriptors: [SyscallRow] = [
        implement(Linux.close) { (t, fd) throws(Errno) in try t.close(fd) },
        implement(Linux.close_range) { (t, first, last, flags) throws(Errno) in
            try t.closeRange(
                UInt32(bitPattern: first.rawValue), UInt32(bitPattern: last.rawValue), flags)
        },
        implement(Linux.dup) { (t, fd) throws(Errno) in try t.dup(fd) },
        implement(Linux.dup2) { (t, old, new) throws(Errno) in try t.dup2(old, new) },
        implement(Linux.dup3) { (t, old, new, flags) throws(Errno) in try t.dup3(old, new, flags.rawValue) },
        implement(Linux.fcntl, .partial("no F_NOTIFY; leases are refused")) {
            (t, fd, command, argument) throws(Errno) in
            try t.fcntl(fd, command, argument)
        },
        implement(Linux.ioctl, .partial("each kind of file has its own; others say ENOTTY")) {
            (t, fd, command, argument) throws(Errno) in
            try t.ioctl(fd, command, argument)
        },
        implement(Linux.flock) { (t, fd, operation) throws(Errno) in try t.flock(fd, operation) },
        implement(Linux.sync) { (_) throws(Errno) in 0 },
        implement(Linux.fsync) { (t, fd) throws(Errno) in try t.synchronize(fd) },
        implement(Linux.fdatasync) { (t, fd) throws(Errno) in try t.synchronize(fd) },
        implement(Linux.syncfs) { (t, fd) throws(Errno) in
            _ = try t.file(fd)
            return 0
        },
        implement(Linux.sync_file_range) { (t, fd, offset, count, flags) throws(Errno) in
            try t.synchronizeRange(fd, offset, count, UInt32(truncatingIfNeeded: flags))
        },
        implement(Linux.fadvise64) { (t, fd, _, _, advice) throws(Errno) in try t.advise(fd, advice) },
        implement(Linux.readahead) { (t, fd, _, _) throws(Errno) in
            let file = try t.file(fd)
            guard file.flags.mayRead else { throw .EBADF }
            guard [.regular, .blockDevice].contains(file.operations.inode.kind) else { throw .EINVAL }
            return 0
        },
    ]

    /// Extended attributes.
    static let extendedAttributes: [SyscallRow] = [
        implement(Linux.setxattr) { (t, path, name, value, size, flags) throws(Errno) in
            let place = try t.resolve(.currentDirectory, try t.copyInPath(from: path))
            return try t.setAttribute(place.inode, place, name, value.address, size, flags)
        },
        implement(Linux.lsetxattr) { (t, path, name, value, size, flags) throws(Errno) in
            let place = try t.resolve(.currentDirectory, try t.copyInPath(from: path), [])
            return try t.setAttribute(place.inode, place, name, value.address, size, flags)
        },
        implement(Linux.fsetxattr) { (t, fd, name, value, size, flags) throws(Errno) in
            let file = try t.file(fd)
            return try t.setAttribute(file.operations.inode, file.location, name, value.address, size, flags)
        },
        implement(Linux.getxattr) { (t, path, name, value, size) throws(Errno) in
            let inode = try t.resolve(.currentDirectory, try t.copyInPath(from: path)).inode
            return try t.getAttribute(inode, name, value.address, size)
        },
        implement(Linux.lgetxattr) { (t, path, name, value, size) throws(Errno) in
            let inode = try t.resolve(.currentDirectory, try t.copyInPath(from: path), []).inode
            return try t.getAttribute(inode, name, value.address, size)
        },
        implement(Linux.fgetxattr) { (t, fd, name, value, size) throws(Errno) in
            try t.getAttribute(try t.file(fd).operations.inode, name, value.address, size)
        },
        implement(Linux.listxattr) { (t, path, list, size) throws(Errno) in
            let inode = try t.resolve(.currentDirectory, try t.copyInPath(from: path)).inode
            return try t.listAttributes(inode, list.address, size)
        },
        implement(Linux.llistxattr) { (t, path, list, size) throws(Errno) in
            let inode = try t.resolve(.currentDirectory, try t.copyInPath(from: path), []).inode
            return try t.listAttributes(inode, list.address, size)
        },
        implement(Linux.flistxattr) { (t, fd, list, size) throws(Errno) in
            try t.listAttributes(try t.file(fd).operations.inode, list.address, size)
        },
        implement(Linux.removexattr) { (t, path, name) throws(Errno) in
            let place = try t.resolve(.currentDirectory, try t.copyInPath(from: path))
            return try t.removeAttribute(place.inode, place, name)
        },
        implement(Linux.lremovexattr) { (t, path, name) throws(Errno) in
            let place = try t.resolve(.currentDirectory, try t.copyInPath(from: path), [])
            return try t.removeAttribute(place.inode, place, name)
        },
        implement(Linux.fremovexattr) { (t, fd, name) throws(Errno) in
            let file = try t.file(fd)
            return try t.removeAttribute(file.operations.inode, file.location, name)
        },
    ]
}
