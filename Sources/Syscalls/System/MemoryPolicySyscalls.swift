internal import Kernel
internal import LinuxABI

/// get_mempolicy(2), set_mempolicy(2), mbind(2) on a machine with one node of memory.
extension GuestThread {
    /// `MPOL_DEFAULT` to `MPOL_WEIGHTED_INTERLEAVE`, and the flags beside a mode.
    private static let modes: ClosedRange<Int32> = 0...6
    private static let modeFlags: Int32 = 0xe000
    private static let mostNodes: UInt = 1 << 20

    /// A set of nodes, of which only the first may be there. Throws EINVAL, EFAULT.
    private func checkNodes(_ mode: Int32, _ address: UInt, _ count: UInt) throws(Errno) {
        guard GuestThread.modes.contains(mode & ~GuestThread.modeFlags), count <= GuestThread.mostNodes else {
            throw .EINVAL
        }
        var nodes: [UInt8] = []
        if address != 0, count > 1 { nodes = try copyIn(Int((count - 1 + 63) / 64) * 8, from: address) }
        let isEmpty = nodes.allSatisfy { $0 == 0 }
        switch mode & ~GuestThread.modeFlags {
        // The default and local allocation name no nodes; preferring none is local allocation too.
        case 0, 4: guard isEmpty else { throw .EINVAL }
        case 1 where isEmpty: break
        default:
            guard nodes.first.map({ $0 & 1 == 1 }) == true, nodes.dropFirst().allSatisfy({ $0 == 0 }) else {
                throw .EINVAL
            }
        }
    }

    func setMempolicy(_ mode: Int32, _ nodes: UInt, _ count: UInt) throws(Errno) -> Int {
        try checkNodes(mode, nodes, count)
        settings.memoryPolicy = mode
        return 0
    }

    func mbind(
        _ start: UInt, _ length: UInt, _ mode: UInt, _ nodes: UInt, _ count: UInt, _ flags: UInt32
    ) throws(Errno) -> Int {
        guard flags & ~7 == 0, MemoryMap.isAligned(start) else { throw .EINVAL }
        try checkNodes(Int32(truncatingIfNeeded: mode), nodes, count)
        guard let length = MemoryMap.pageUp(length), !start.addingReportingOverflow(length).overflow else {
            throw .EINVAL
        }
        return 0
    }

    /// The flags: 1 asks for a node, 2 for that of an address, 4 for the nodes that may be used.
    func getMempolicy(_ policy: UInt, _ nodes: UInt, _ count: UInt, _ address: UInt, _ flags: UInt) throws(Errno) -> Int
    {
        guard flags & ~7 == 0, nodes == 0 || count >= 1 else { throw .EINVAL }
        guard count <= GuestThread.mostNodes else { throw .EINVAL }
        var mode = settings.memoryPolicy
        var set: UInt8 = mode == 0 || mode == 4 ? 0 : 1
        if flags & 4 != 0 {
            guard flags & 3 == 0 else { throw .EINVAL }
            mode = 0
            set = 1
        } else if flags & 2 != 0 {
            guard map?.areas.area(at: address) != nil else { throw .EFAULT }
            mode = 0
            set = 0
        } else {
            guard address == 0, flags & 1 == 0 else { throw .EINVAL }
        }
        if policy != 0 { try copyOut(integer: mode, to: policy) }
        if nodes != 0 {
            var bytes = [UInt8](repeating: 0, count: Int((count - 1 + 63) / 64) * 8)
            if !bytes.isEmpty { bytes[0] = set }
            try copyOut(bytes, to: nodes)
        }
        return 0
    }
}
