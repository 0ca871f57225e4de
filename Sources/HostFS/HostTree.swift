internal import HostSystem
package import LinuxABI
package import VFS

/// A file or directory of the host that guests see as it is, and change if its mount lets them: what `--bind` gives.
///
/// Others change it, too, so nothing is remembered: mount it with `isExclusive: false`.
package final class HostTree {
    /// One inode object for each file that is in use, however it was reached.
    private var inodes: [Key: Weak] = [:]
    private var sweepAt = 64
    /// What device nodes open: the sandbox's own devices, never the host's.
    let devices: DeviceRegistry
    /// The root itself opened for reading, and for writing where that is allowed, if it is a regular file: its directory is
    /// not the sandbox's, so it cannot be opened by name.
    let rootFile: Int32?

    struct Key: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private struct Weak {
        weak var inode: HostInode?
    }

    /// What is read here has come from outside.
    let outside: Outside?

    private init(devices: DeviceRegistry, rootFile: Int32?, outside: Outside?) {
        self.outside = outside
        self.devices = devices
        self.rootFile = rootFile
    }

    deinit { if let rootFile { Host.close(rootFile) } }

    /// The root of a tree. Takes the descriptors over.
    /// `descriptor`: of a directory or any other file; it may be `O_PATH`.
    /// `openFile`: the same file opened, if it is a regular one.
    package static func root(
        descriptor: Int32, openFile: Int32? = nil, devices: DeviceRegistry = DeviceRegistry(),
        outside: Outside? = nil
    ) throws(Errno) -> HostInode {
        let tree = HostTree(devices: devices, rootFile: openFile, outside: outside)
        let status = try Host.status(descriptor)
        let node = HostInode(tree, descriptor: descriptor, status, parent: nil, name: FileName([]))
        tree.inodes[node.key] = Weak(inode: node)
        return node
    }

    /// The inode behind a name that was just opened with `O_PATH`; takes the descriptor over.
    func inode(_ descriptor: Int32, in parent: HostInode, as name: FileName) throws(Errno) -> HostInode {
        let status: Host.Status
        do throws(Errno) {
            status = try Host.status(descriptor)
        } catch {
            Host.close(descriptor)
            throw error
        }
        let key = Key(device: status.device, inode: status.inode)
        if let known = inodes[key]?.inode {
            Host.close(descriptor)
            known.isAt(parent, name)
            return known
        }
        let node = HostInode(self, descriptor: descriptor, status, parent: parent, name: name)
        inodes[key] = Weak(inode: node)
        if inodes.count >= sweepAt {
            inodes = inodes.filter { $0.value.inode != nil }
            sweepAt = max(64, inodes.count * 2)
        }
        return node
    }
}
