internal import HostSystem

/// What the kernel process keeps of its caller's capabilities: docs/decisions/0012-the-seal.md has the reasons.
enum Capabilities {
    private static let changeOwner: UInt64 = 1 << 0
    private static let overrideAccess: UInt64 = 1 << 1
    private static let readAndSearch: UInt64 = 1 << 2
    private static let actAsOwner: UInt64 = 1 << 3
    private static let keepSetID: UInt64 = 1 << 4
    private static let trace: UInt64 = 1 << 19
    private static let setFileCapabilities: UInt64 = 1 << 31

    /// A caller who has them sees files that others do not, and so do the programs that it runs; changes reach the host only
    /// where something was bound for writing.
    static func kept(binds: [Configuration.Bind], tracingScope: Int) -> UInt64 {
        var kept = readAndSearch
        // O_NOATIME.
        if !binds.isEmpty { kept |= actAsOwner }
        if binds.contains(where: { !$0.isReadOnly }) {
            kept |= changeOwner | overrideAccess | keepSetID | setFileCapabilities
        }
        // Where only the administrator may look into a child's memory.
        if tracingScope >= 2 { kept |= trace }
        return kept
    }
}
