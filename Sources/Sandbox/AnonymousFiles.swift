internal import Kernel
internal import LinuxABI
internal import TmpFS
internal import VFS

/// Where `memfd_create(2)`'s files live: a tmpfs without a place in the tree.
final class AnonymousFiles: MemoryFileMaker {
    let mount: Mount
    private let root: TmpNode

    init(_ fileSystem: TmpFS, mountID: Int) {
        mount = Mount(id: mountID, source: "tmpfs", type: "tmpfs")
        root = fileSystem.makeRoot()
        _ = mount.attach(root, at: nil)
    }

    func makeMemoryFile(_ new: NewInode) throws(Errno) -> any Inode { try root.createNameless(new) }
}
