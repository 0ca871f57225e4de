package import HostFS
package import LinuxABI
package import TmpFS
package import VFS

/// A directory of the host that guests may change in memory only.
package enum OverlayFS {
    /// The root of the overlay; what guests write takes memory up to `limit` bytes and is gone with the sandbox.
    /// `outside`: who counts the moments for which the host's files are remembered; nil if they never change.
    package static func makeRoot(
        over root: HostRoot, device: UInt64, limit: Int64, devices: DeviceRegistry, budget: MemoryBudget? = nil,
        outside: Outside? = nil, kept: KeptDescriptors = KeptDescriptors(), clock: @escaping () -> Timestamp
    ) -> TmpNode {
        // New files get numbers that no lower file has.
        let fileSystem = TmpFS(
            device: device, limit: limit, magic: 0x794c_7630, firstInode: 1 << 40, directorySize: 4096,
            devices: devices, budget: budget, outside: outside, kept: kept, clock: clock)
        return fileSystem.makeRoot(over: root.node)
    }
}
