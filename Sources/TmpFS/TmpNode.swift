internal import HostSystem
package import LinuxABI
package import VFS

/// One file of a tree in memory. With a lower node it shows that one until the first change copies what is needed up.
package final class TmpNode: Inode, Sealable, NamedPipeHolder {
    let fileSystem: TmpFS
    package let kind: FileKind
    var stored: FileAttributes
    /// False until the lower file's attributes were asked for.
    private var hasAttributes: Bool
    /// The attributes are the node's own from now on: something was changed.
    private(set) var isChanged: Bool
    /// The moment in which they were the lower file's (see `Outside`).
    private var seen: UInt64 = 0
    var lower: (any LowerNode)?

    /// Regular files: nil while the lower file's bytes are the file's.
    var contents: FileContents?
    /// A host descriptor for the lower file's bytes, while somebody has the file open.
    var lowerDescriptor: Int32 = -1
    var lowerUsers = 0
    /// Its number among the kept ones while nobody has.
    var keptNumber: Int?

    /// What a directory holds; nil for everything else.
    let directory: TmpDirectory?

    private var target: [UInt8]?
    private var extended: [[UInt8]: [UInt8]] = [:]
    package private(set) lazy var locks = FileLocks()
    /// What a socket or FIFO of this name is to those who open it.
    package var attachment: AnyObject?
    package var namedPipe: NamedPipe? { attachment as? NamedPipe }
    /// `memfd_create(2)`'s seals; nil where `F_ADD_SEALS` does not apply.
    package var seals: UInt32?
    /// Made by `O_TMPFILE`, without a name so far, and may get one.
    var mayGetName = false

    package var writer: (any PostingWriter)?

    /// Ends when the file changes: somebody was told what is in it.
    var epoch: LocalEpoch?

    /// What this node has taken of the budget's overhead.
    private var overhead: Int64 = 0
    /// About what a node costs with its name and dentry, in bytes.
    private static let cost: Int64 = 1536

    /// A new file, if there is room for it and `extra` bytes with it. Throws ENOSPC.
    static func make(_ fileSystem: TmpFS, _ new: NewInode, extra: Int = 0) throws(Errno) -> TmpNode {
        let overhead = cost + Int64(extra)
        guard fileSystem.budget.takeOverhead(overhead) else { throw .ENOSPC }
        let node = TmpNode(fileSystem, new)
        node.overhead = overhead
        return node
    }

    /// A new file.
    init(_ fileSystem: TmpFS, _ new: NewInode) {
        self.fileSystem = fileSystem
        kind = new.mode.kind ?? .regular
        lower = nil
        directory = kind == .directory ? TmpDirectory(showsLower: false) : nil
        hasAttributes = true
        isChanged = true
        stored = FileAttributes()
        stored.inode = fileSystem.newInodeNumber()
        stored.device = fileSystem.device
        stored.mode = new.mode
        stored.userID = new.userID
        stored.groupID = new.groupID
        stored.representedDevice = new.device
        stored.links = kind == .directory ? 2 : 1
        let now = fileSystem.clock()
        stored.accessTime = now
        stored.modificationTime = now
        stored.changeTime = now
        stored.birthTime = now
        if kind == .regular { contents = FileContents(budget: fileSystem.budget) }
        if kind == .directory, let size = fileSystem.directorySize {
            stored.size = size
            stored.blocks = (size + 511) / 512
        }
    }

    /// A file that shows a lower one, with its attributes if they are known already.
    init(_ fileSystem: TmpFS, lower: any LowerNode, attributes: FileAttributes? = nil) {
        self.fileSystem = fileSystem
        self.lower = lower
        kind = lower.kind
        directory = lower.kind == .directory ? TmpDirectory(showsLower: true) : nil
        hasAttributes = attributes != nil
        isChanged = false
        stored = attributes ?? FileAttributes()
        if attributes != nil { seen = fileSystem.outside?.moment ?? 0 }
    }

    deinit {
        if lowerDescriptor >= 0 { Host.close(lowerDescriptor) }
        fileSystem.budget.releaseOverhead(overhead)
    }

    // MARK: Attributes

    /// Reads the lower file's attributes at the first look of each moment, until a change makes them the node's own. Its
    /// device stays its own: numbers are unique only within one, and the lower tree may hold several.
    func load() throws(Errno) {
        guard !isChanged, let lower else { return }
        if hasAttributes {
            guard let outside = fileSystem.outside else { return }
            outside.look()
            guard seen != outside.moment else { return }
        }
        do throws(Errno) {
            if lowerDescriptor >= 0, lowerUsers > 0 { return show(FileAttributes(try Host.status(lowerDescriptor))) }
            let attributes = try lower.attributes()
            if !hasAttributes || shows(attributes) { return show(attributes) }
        } catch {
            guard hasAttributes, error == .ENOENT || error == .ENOTDIR || error == .ELOOP else { throw error }
        }
        // Nothing is left of it but what was known.
        stored.links = 0
        seen = fileSystem.outside?.moment ?? 0
    }

    /// The lower file's attributes as they are now.
    func show(_ attributes: FileAttributes) {
        // Reading it here does not move the lower file's time.
        let read = stored.accessTime
        let isSame = hasAttributes && attributes.changeTime == stored.changeTime
        if !isSame || attributes.size != stored.size { endEpoch() }
        stored = attributes
        if isSame, read > attributes.accessTime { stored.accessTime = read }
        hasAttributes = true
        seen = fileSystem.outside?.moment ?? 0
    }

    /// True if these are of the very file that the node shows. Numbers are given again, times of birth are not.
    func shows(_ attributes: FileAttributes) -> Bool {
        hasAttributes && attributes.inode == stored.inode && attributes.device == stored.device
            && attributes.mode.kind == kind && attributes.birthTime == stored.birthTime
    }

    /// From now on the attributes are the node's own, which are about to change.
    func own() {
        isChanged = true
        endEpoch()
    }

    /// What somebody was told of the file does not hold any more.
    private func endEpoch() {
        guard let epoch else { return }
        self.epoch = nil
        epoch.end()
    }

    package func tellsAttributes(until epoch: LocalEpoch) -> Bool {
        switch kind {
        case .directory, .symbolicLink: break
        // What a program writes through its memory takes blocks without a call.
        case .regular: guard contents?.hasMemoryFile != true else { return false }
        // Those who have them open move their times.
        default: return false
        }
        self.epoch = epoch
        return true
    }

    package func attributes() throws(Errno) -> FileAttributes {
        try load()
        if let contents {
            var attributes = stored
            attributes.size = contents.size
            attributes.blocks = contents.blocks
            return attributes
        }
        if let directory, lower == nil, fileSystem.directorySize == nil {
            var attributes = stored
            // As a tmpfs of Linux has it: 20 bytes a name, `.` and `..` included.
            attributes.size = Int64(40 + 20 * directory.count)
            return attributes
        }
        return stored
    }

    package func setAttributes(_ change: AttributeChange) throws(Errno) {
        // Writing may take rights away that the file has from now on.
        writer?.withdraw()
        try load()
        if let permissions = change.permissions {
            stored.mode.rawValue = stored.mode.rawValue & ~0o7777 | permissions & 0o7777
        }
        if let user = change.userID { stored.userID = user }
        if let group = change.groupID { stored.groupID = group }
        if let time = change.accessTime { stored.accessTime = time }
        if let time = change.modificationTime { stored.modificationTime = time }
        touchChange()
    }

    func touchModification() { touchModification(at: fileSystem.clock()) }

    func touchModification(at time: Timestamp) {
        own()
        stored.modificationTime = time
        stored.changeTime = time
    }

    func touchChange() {
        own()
        stored.changeTime = fileSystem.clock()
    }

    /// The file was read. With `relatime` the time counts when it would otherwise be older than the last change, or than a
    /// day: see `mount(8)`. `isFirst`: the first reading of an open file, when the day is looked at.
    package func accessed(isFirst: Bool) {
        guard hasAttributes else { return }
        let time = stored.accessTime
        if time > stored.modificationTime, time > stored.changeTime {
            guard isFirst, fileSystem.clock().seconds - time.seconds >= 86400 else { return }
        }
        endEpoch()
        stored.accessTime = fileSystem.clock()
    }

    /// Reading the file once more would not move the time of access.
    var isAccessSettled: Bool {
        hasAttributes && stored.accessTime > stored.modificationTime && stored.accessTime > stored.changeTime
    }

    // MARK: Symbolic links

    func setTarget(_ bytes: [UInt8]) {
        target = bytes
        stored.size = Int64(bytes.count)
        // A disk keeps short targets in the inode.
        if fileSystem.directorySize != nil, bytes.count >= 60 { stored.blocks = 8 }
    }

    package func readLink() throws(Errno) -> [UInt8] {
        guard kind == .symbolicLink else { throw .EINVAL }
        if let target { return target }
        guard let lower else { throw .EINVAL }
        let read = try lower.readLink()
        target = read
        return read
    }

    // MARK: Opening

    package func open(_ flags: OpenFlags) throws(Errno) -> any FileOperations {
        switch kind {
        case .regular:
            try load()
            let usesLower = contents == nil
            if usesLower { try useLower() }
            return TmpFile(self, usesLower: usesLower)
        case .directory: return DirectoryFile(self)
        case .fifo:
            let pipe = namedPipe ?? NamedPipe(self)
            attachment = pipe
            return try pipe.open(flags)
        case .characterDevice, .blockDevice:
            return try fileSystem.devices.open(
                DeviceNumber(rawValue: try attributes().representedDevice), self, flags)
        case .socket: throw .ENXIO
        case .symbolicLink: throw .ELOOP
        }
    }

    // MARK: Extended attributes

    package func extendedAttribute(_ name: [UInt8]) throws(Errno) -> [UInt8] {
        guard let value = extended[name] else { throw .ENODATA }
        return value
    }

    package func setExtendedAttribute(_ name: [UInt8], to value: [UInt8], flags: Int32) throws(Errno) {
        if flags & 1 != 0, extended[name] != nil { throw .EEXIST }
        if flags & 2 != 0, extended[name] == nil { throw .ENODATA }
        guard extended.count < 1024 else { throw .ENOSPC }
        let more = Int64(name.count + value.count) + 128
        guard fileSystem.budget.takeOverhead(more) else { throw .ENOSPC }
        overhead += more
        releaseAttribute(name)
        extended[name] = value
        try load()
        touchChange()
    }

    package func extendedAttributeNames() throws(Errno) -> [[UInt8]] {
        extended.keys.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// Gives back what an attribute took, if there is one.
    private func releaseAttribute(_ name: [UInt8]) {
        guard let value = extended[name] else { return }
        let bytes = Int64(name.count + value.count) + 128
        overhead -= bytes
        fileSystem.budget.releaseOverhead(bytes)
    }

    package func removeExtendedAttribute(_ name: [UInt8]) throws(Errno) {
        releaseAttribute(name)
        guard extended.removeValue(forKey: name) != nil else { throw .ENODATA }
        try load()
        touchChange()
    }

    package func fileSystemStatistics() -> FileSystemStatistics {
        var statistics = FileSystemStatistics(type: fileSystem.magic)
        let budget = fileSystem.budget
        statistics.blocks = UInt64(budget.limit / 4096)
        statistics.freeBlocks = UInt64(max(0, budget.limit - budget.used) / 4096)
        statistics.files = 1 << 20
        statistics.freeFiles = 1 << 19
        return statistics
    }
}
