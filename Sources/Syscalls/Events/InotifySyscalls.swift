internal import Kernel
internal import LinuxABI
internal import VFS

/// inotify_init(2), inotify_add_watch(2), inotify_rm_watch(2).
extension GuestThread {
    private static let onlyDirectory: UInt32 = 0x0100_0000
    private static let dontFollow: UInt32 = 0x0200_0000
    private static let known: UInt32 = 0xf700_0fff

    func inotifyInit(_ flags: Int32) throws(Errno) -> Int {
        guard flags & ~0o2_004_000 == 0 else { throw .EINVAL }
        guard kernel.fileWatches.instances < Inotify.mostInstances else { throw .EMFILE }
        let file = OpenFile(
            Inotify(kernel.fileWatches, node: eventNode("inotify")), flags: flags & 0o4000 != 0 ? [.nonBlocking] : [])
        do throws(Errno) {
            return try install(file, closeOnExec: flags & 0o2_000_000 != 0)
        } catch {
            file.retain()
            file.release()
            throw error
        }
    }

    private func inotify(_ number: FileNumber) throws(Errno) -> Inotify {
        guard let inotify = try file(number).operations as? Inotify else { throw .EINVAL }
        return inotify
    }

    func inotifyAddWatch(_ number: FileNumber, _ pointer: UserString, _ mask: UInt32) throws(Errno) -> Int {
        guard mask & GuestThread.known != 0 else { throw .EINVAL }
        guard mask & (Inotify.maskAdd | Inotify.maskCreate) != Inotify.maskAdd | Inotify.maskCreate else {
            throw .EINVAL
        }
        guard mask & FileEvents.all.rawValue != 0 else { throw .EINVAL }
        let inotify = try inotify(number)
        let options: WalkOptions = mask & GuestThread.dontFollow != 0 ? [] : [.followLast]
        let dentry = try resolve(.currentDirectory, try copyInPath(from: pointer), options)
        if mask & GuestThread.onlyDirectory != 0, dentry.inode.kind != .directory { throw .ENOTDIR }
        let attributes = try dentry.inode.attributes()
        try fileCredentials.check(.read, attributes)
        // Whoever reads such a file is to be heard of from now on.
        kernel.localEpoch.end()
        kernel.revokeCards()
        kernel.withdrawWrites()
        dentry.mount.watches = kernel.fileWatches
        return Int(try inotify.add(FileIdentity(attributes), mask: mask))
    }

    func inotifyRemoveWatch(_ number: FileNumber, _ watch: Int32) throws(Errno) -> Int {
        try inotify(number).remove(watch)
        return 0
    }
}
