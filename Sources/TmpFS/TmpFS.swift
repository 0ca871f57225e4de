package import LinuxABI
package import VFS

/// A file system in memory, over a lower one or over nothing.
package final class TmpFS {
    package let device: UInt64
    package let budget: MemoryBudget
    let magic: UInt64
    private var lastInode: UInt64
    let clock: () -> Timestamp
    /// Lower files may change: what is known of them holds for a moment. Nil where they do not.
    let outside: Outside?
    let kept: KeptDescriptors
    /// What device nodes open.
    let devices: DeviceRegistry

    /// What `stat` shows as the size of a new directory: a disk's block, or nil for what a tmpfs shows.
    let directorySize: Int64?
    /// Lower files with several names: all lead to one node, which lives as long as a name of it may.
    private var shared: [LowerKey: TmpNode] = [:]

    private struct LowerKey: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    /// `device`: the device number that `stat` shows.
    /// `magic`: `statfs`'s type.
    /// `firstInode`: numbers below are those of the lower file system.
    package init(
        device: UInt64, limit: Int64, magic: UInt64 = 0x0102_1994, firstInode: UInt64 = 1, directorySize: Int64? = nil,
        devices: DeviceRegistry = DeviceRegistry(), budget: MemoryBudget? = nil, outside: Outside? = nil,
        kept: KeptDescriptors = KeptDescriptors(), clock: @escaping () -> Timestamp
    ) {
        self.outside = outside
        self.kept = kept
        self.device = device
        self.budget = budget ?? MemoryBudget(limit: limit)
        self.magic = magic
        lastInode = firstInode
        self.directorySize = directorySize
        self.clock = clock
        self.devices = devices
    }

    /// The node that shows a lower file whose attributes were just read.
    func node(over lower: any LowerNode, _ attributes: FileAttributes) -> TmpNode {
        guard attributes.links > 1, lower.kind != .directory else {
            return TmpNode(self, lower: lower, attributes: attributes)
        }
        let key = LowerKey(device: attributes.device, inode: attributes.inode)
        if let known = shared[key] {
            if known.shows(attributes) { return known }
            // The host has given the number to another file.
            known.vanish()
        }
        let node = TmpNode(self, lower: lower, attributes: attributes)
        shared[key] = node
        return node
    }

    /// The node's last name is gone.
    func forget(_ node: TmpNode) {
        guard node.lower != nil else { return }
        let key = LowerKey(device: node.stored.device, inode: node.stored.inode)
        if shared[key] === node { shared[key] = nil }
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
