package import LinuxABI
package import VFS

/// A file system in memory, over a lower one or over nothing.
package final class TmpFS {
    package let device: UInt64
    package let budget: MemoryBudget
    let magic: UInt64
    private var lastInode: UInt64
    let clock: () -> Timestamp
    /// What device nodes open.
    let devices: DeviceRegistry

    /// `device`: the device number that `stat` shows.
    /// `magic`: `statfs`'s type.
    /// `firstInode`: numbers below are those of the lower file system.
    package init(
        device: UInt64, limit: Int64, magic: UInt64 = 0x0102_1994, firstInode: UInt64 = 1,
        devices: DeviceRegistry = DeviceRegistry(), budget: MemoryBudget? = nil, clock: @escaping () -> Timestamp
    ) {
        self.device = device
        self.budget = budget ?? MemoryBudget(limit: limit)
        self.magic = magic
        lastInode = firstInode
        self.clock = clock
        self.devices = devices
    }

    func newInodeNumber() -> UInt64 {
        lastInode += 1
        return lastInode
    }

    /// An empty root directory.
    package func makeRoot(permissions: UInt32 = 0o755) -> TmpNode {
        TmpNode(self, NewInode(mode: FileMode(.directory, permissions), userID: 0, groupID: 0))
    }

    /// A root directory that shows a lower one.
    package func makeRoot(over lower: any LowerNode) -> TmpNode { TmpNode(self, lower: lower) }
}
