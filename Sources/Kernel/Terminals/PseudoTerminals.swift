package import LinuxABI
package import VFS

/// The pseudo-terminals of a sandbox, and the file system that shows them (`devpts`). See `pts(4)`.
package final class PseudoTerminals {
    private var pairs: [Int: PseudoTerminal] = [:]
    /// Terminals of the host by the name that they have there, so that a guest finds its standard input again.
    package var hostTerminals: [FileName: any Inode] = [:]

    package init() {}

    /// `kernel.pty.max`.
    private static let most = 4096

    /// Makes a pair and opens its master: what `/dev/ptmx` does. Throws ENOSPC.
    package func open(_ node: any Inode, for kernel: Kernel) throws(Errno) -> any FileOperations {
        // Numbers that the host's terminals have are taken.
        let free = (0..<PseudoTerminals.most).first { index in
            pairs[index] == nil && hostTerminals[FileName(Array("\(index)".utf8))] == nil
        }
        guard let index = free else { throw .ENOSPC }
        let credentials = kernel.currentThread?.credentials
        let owner = (credentials?.fileSystemUserID ?? 0, credentials?.fileSystemGroupID ?? 0)
        let pair = PseudoTerminal(index, kernel: kernel, owner: owner)
        pairs[index] = pair
        return PseudoTerminalMaster(pair, node: node)
    }

    func forget(_ index: Int) { pairs[index] = nil }

    /// The root of a `devpts`.
    package var root: any Inode { PseudoTerminalDirectory(self) }

    fileprivate func node(_ name: FileName) -> (any Inode)? {
        if let known = hostTerminals[name] { return known }
        guard let index = Int(String(decoding: name.bytes, as: UTF8.self)), let pair = pairs[index],
            name == FileName(Array("\(index)".utf8))
        else { return nil }
        return pair.node
    }

    fileprivate var entries: [DirectoryEntry] {
        let own = pairs.keys.sorted().map { index in
            DirectoryEntry(
                name: FileName(Array("\(index)".utf8)), inode: UInt64(index) + 3, kind: .characterDevice)
        }
        return own
            + hostTerminals.keys.map { DirectoryEntry(name: $0, inode: 2, kind: .characterDevice) }
    }
}

/// `/dev/pts`
private final class PseudoTerminalDirectory: Inode {
    private let terminals: PseudoTerminals
    let locks = FileLocks()

    init(_ terminals: PseudoTerminals) { self.terminals = terminals }

    var kind: FileKind { .directory }
    var remembersNames: Bool { false }

    func attributes() throws(Errno) -> FileAttributes {
        var attributes = FileAttributes()
        attributes.inode = 1
        attributes.device = PseudoTerminalNode.device
        attributes.mode = FileMode(.directory, 0o755)
        attributes.links = 2
        attributes.blockSize = 1024
        return attributes
    }

    func lookup(_ name: FileName) throws(Errno) -> any Inode {
        guard let node = terminals.node(name) else { throw .ENOENT }
        return node
    }

    func entries() throws(Errno) -> [DirectoryEntry] { terminals.entries }
    func fileSystemStatistics() -> FileSystemStatistics { FileSystemStatistics(type: 0x1cd1) }
}

/// `/dev/pts/N`
package final class PseudoTerminalNode: Inode {
    /// Whoever holds on to the name may outlive the pair.
    private weak var pair: PseudoTerminal?
    private var stored = FileAttributes()
    package let locks = FileLocks()

    /// The number of the file system.
    static var device: UInt64 { DeviceNumber(major: 0, minor: 25).rawValue }

    init(_ pair: PseudoTerminal) {
        self.pair = pair
        stored.inode = UInt64(pair.index) + 3
        stored.device = PseudoTerminalNode.device
        stored.mode = FileMode(.characterDevice, 0o600)
        stored.representedDevice = pair.terminal.device.rawValue
        stored.userID = pair.owner.user
        stored.groupID = pair.owner.group
        stored.blockSize = 1024
        let now = pair.kernel.clock.realTime
        stored.accessTime = now
        stored.modificationTime = now
        stored.changeTime = now
    }

    package var kind: FileKind { .characterDevice }
    package func attributes() throws(Errno) -> FileAttributes { stored }

    package func setAttributes(_ change: AttributeChange) throws(Errno) {
        if let permissions = change.permissions { stored.mode = FileMode(.characterDevice, permissions) }
        if let user = change.userID { stored.userID = user }
        if let group = change.groupID { stored.groupID = group }
    }

    package func open(_ flags: OpenFlags) throws(Errno) -> any FileOperations {
        guard let pair else { throw .EIO }
        return try pair.openSlave()
    }
    package func fileSystemStatistics() -> FileSystemStatistics { FileSystemStatistics(type: 0x1cd1) }
}

extension Kernel {
    /// What `/dev/tty` and `/dev/ptmx` open.
    package func registerTerminals(in devices: DeviceRegistry) {
        devices.register(DeviceNumber(major: 5, minor: 0)) { [unowned self] node, flags throws(Errno) in
            guard let thread = currentThread, let terminal = terminal(of: thread.process.session) else { throw .ENXIO }
            return TerminalAlias(try terminal.reopen(flags), of: terminal, node: node)
        }
        devices.register(DeviceNumber(major: 5, minor: 2)) { [unowned self] node, _ throws(Errno) in
            try pseudoTerminals.open(node, for: self)
        }
    }
}
