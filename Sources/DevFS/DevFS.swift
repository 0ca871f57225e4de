package import LinuxABI
package import TmpFS
package import VFS

/// `/dev`: a small tmpfs with the devices that every program expects.
package enum DevFS {
    /// What the device numbers of the sandbox mean, wherever their nodes stand.
    package static func register(in devices: DeviceRegistry) {
        devices.register(DeviceNumber(major: 1, minor: 3)) { inode, _ throws(Errno) in MemoryDevice(.null, inode) }
        devices.register(DeviceNumber(major: 1, minor: 5)) { inode, _ throws(Errno) in MemoryDevice(.zero, inode) }
        devices.register(DeviceNumber(major: 1, minor: 7)) { inode, _ throws(Errno) in MemoryDevice(.full, inode) }
        for minor in [8, 9] as [UInt32] {
            devices.register(DeviceNumber(major: 1, minor: minor)) { inode, _ throws(Errno) in RandomDevice(inode) }
        }
    }

    /// Makes the nodes and links in an empty root.
    package static func populate(_ root: TmpNode) throws(Errno) {
        let nodes: [(StaticString, UInt32, UInt32)] = [
            ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
            ("ptmx", 5, 2),
        ]
        for (name, major, minor) in nodes {
            let new = NewInode(
                mode: FileMode(.characterDevice, 0o666), userID: 0, groupID: 0,
                device: DeviceNumber(major: major, minor: minor).rawValue)
            _ = try root.create(FileName(name), new)
        }
        let links: [(StaticString, String)] = [
            ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
        ]
        let link = NewInode(mode: FileMode(.symbolicLink, 0o777), userID: 0, groupID: 0)
        for (name, target) in links {
            _ = try root.makeSymbolicLink(FileName(name), to: Array(target.utf8), link)
        }
        let directory = NewInode(mode: FileMode(.directory, 0o1777), userID: 0, groupID: 0)
        _ = try root.makeDirectory("shm", directory)
        _ = try root.makeDirectory("mqueue", directory)
        _ = try root.makeDirectory("pts", NewInode(mode: FileMode(.directory, 0o755), userID: 0, groupID: 0))
    }
}
