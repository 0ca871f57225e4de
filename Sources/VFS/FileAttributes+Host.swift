package import HostSystem
internal import LinuxABI

extension FileAttributes {
    /// What the host says of a file.
    package init(_ status: Host.Status) {
        self.init()
        inode = status.inode
        device = status.device
        mode = FileMode(rawValue: status.mode)
        links = UInt64(status.links)
        userID = status.userID
        groupID = status.groupID
        representedDevice = status.representedDevice
        size = Int64(clamping: status.size)
        blockSize = Int64(status.blockSize)
        blocks = Int64(clamping: status.blocks)
        accessTime = status.access
        modificationTime = status.modification
        changeTime = status.change
        birthTime = status.birth
    }
}
