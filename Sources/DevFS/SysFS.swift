package import LinuxABI
package import TmpFS
internal import VFS

/// The part of `/sys` that programs look at before they start work: how many processors there are, how they hang together,
/// and whether memory comes in huge pages.
package enum SysFS {
    /// `SYSFS_MAGIC`.
    package static let magic: UInt64 = 0x6265_6572

    /// `devices`: directories of the host's `/sys/devices/system`, by name, shown as they are.
    /// `hugePages`: the text of `kernel/mm/transparent_hugepage/enabled`.
    package static func populate(
        _ root: TmpNode, devices: [(name: String, lower: any LowerNode)], hugePages: [UInt8]
    ) throws(Errno) {
        let directory = NewInode(mode: FileMode(.directory, 0o555), userID: 0, groupID: 0)
        func make(_ path: String) throws(Errno) -> TmpNode {
            var here = root
            for part in path.split(separator: "/") {
                let name = FileName(Array(part.utf8))
                let next: any Inode
                do throws(Errno) {
                    next = try here.lookup(name)
                } catch {
                    next = try here.makeDirectory(name, directory)
                }
                guard let node = next as? TmpNode else { throw .EIO }
                here = node
            }
            return here
        }
        for path in ["block", "bus", "class", "dev", "firmware", "fs/cgroup", "module", "power"] { _ = try make(path) }
        let system = try make("devices/system")
        for (name, lower) in devices { try system.graft(FileName(Array(name.utf8)), lower) }
        let pages = try make("kernel/mm/transparent_hugepage")
        for (name, text) in [("enabled", hugePages), ("hpage_pmd_size", Array("2097152\n".utf8))] where !text.isEmpty {
            let new = NewInode(mode: FileMode(.regular, 0o644), userID: 0, groupID: 0)
            guard let file = try pages.create(FileName(Array(name.utf8)), new) as? TmpNode else { throw .EIO }
            try file.fill(text)
        }
    }
}
