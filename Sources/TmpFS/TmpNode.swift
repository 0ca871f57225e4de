internal import HostSystem
package import LinuxABI
package import VFS

/// One file of a tree in memory. With a lower node it shows that one until the first change copies what is needed up.
package final class TmpNode: Inode, Sealable, HolePunching, NamedPipeHolder {
    let fileSystem: TmpFS
    package let kind: FileKind
    private var stored: FileAttributes
    /// False until the lower file's attributes were asked for.
    private var hasAttributes: Bool
    let lower: (any LowerNode)?

    /// Regular files: nil while the lower file's bytes are the file's.
    private(set) var contents: FileContents?
    /// A host descriptor for the lower file's bytes, while somebody has the file open.
    private var lowerDescriptor: Int32 = -1
    private var lowerUsers = 0

    /// Directories: what stands in memory; a name that is not here stands in the lower directory, unless it is hidden.
    private var children: [FileName: TmpNode] = [:]
    private var order: [FileName: UInt64] = [:]
    private var nextOrder: UInt64 = 0
    private var hidden: Set<FileName> = []
    /// The lower directory's entries are all in `children` or hidden.
    private var showsLower: Bool

    private var target: [UInt8]?
    private var extended: [[UInt8]: [UInt8]] = [:]
    package private(set) lazy var locks = FileLocks()
    /// What a socket or FIFO of this name is to those who open it.
    package var attachment: AnyObject?
    package var namedPipe: NamedPipe? { attachment as? NamedPipe }
    /// `memfd_create(2)`'s seals; nil where `F_ADD_SEALS` does not apply.
    package var seals: UInt32?

    /// A new file.
    init(_ fileSystem: TmpFS, _ new: NewInode) {
        self.fileSystem = fileSystem
        kind = new.mode.kind ?? .regular
        lower = nil
        showsLower = false
        hasAttributes = true
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
    }

    /// A file that shows a lower one.
    init(_ fileSystem: TmpFS, lower: any LowerNode) {
        self.fileSystem = fileSystem
        self.lower = lower
        kind = lower.kind
        showsLower = lower.kind == .directory
        hasAttributes = false
        stored = FileAttributes()
    }

    deinit { if lowerDescriptor >= 0 { Host.close(lowerDescriptor) } }

    // MARK: Attributes

    /// The attributes that are kept; the lower file's at the first look.
    private func load() throws(Errno) {
        guard !hasAttributes, let lower else { return }
        // The lower file's own device: numbers are unique only within one, and the lower tree may hold several.
        stored = try lower.attributes()
        hasAttributes = true
    }

    package func attributes() throws(Errno) -> FileAttributes {
        try load()
        guard let contents else { return stored }
        var attributes = stored
        attributes.size = contents.size
        attributes.blocks = contents.blocks
        return attributes
    }

    package func setAttributes(_ change: AttributeChange) throws(Errno) {
        try load()
        if let permissions = change.permissions {
            stored.mode.rawValue = stored.mode.rawValue & ~0o7777 | permissions & 0o7777
        }
        if let user = change.userID { stored.userID = user }
        if let group = change.groupID { stored.groupID = group }
        if let time = change.accessTime { stored.accessTime = time }
        if let time = change.modificationTime { stored.modificationTime = time }
        stored.changeTime = fileSystem.clock()
    }

    private func touch(access: Bool = false, modification: Bool = false) {
        let now = fileSystem.clock()
        if access { stored.accessTime = now }
        if modification {
            stored.modificationTime = now
            stored.changeTime = now
        }
    }

    // MARK: Directories

    package func lookup(_ name: FileName) throws(Errno) -> any Inode { try child(name) }

    private func child(_ name: FileName) throws(Errno) -> TmpNode {
        if let child = children[name] { return child }
        guard showsLower, !hidden.contains(name), let lower else { throw .ENOENT }
        let child = TmpNode(fileSystem, lower: try lower.lookup(name))
        children[name] = child
        return child
    }

    private func insert(_ name: FileName, _ node: TmpNode) {
        children[name] = node
        nextOrder += 1
        order[name] = nextOrder
        if showsLower { hidden.insert(name) }
        touch(modification: true)
    }

    private func take(_ name: FileName) {
        children[name] = nil
        order[name] = nil
        if showsLower { hidden.insert(name) }
        touch(modification: true)
    }

    /// Shows a lower directory or file under a name.
    package func graft(_ name: FileName, _ lower: any LowerNode) throws(Errno) {
        try load()
        insert(name, TmpNode(fileSystem, lower: lower))
        if lower.kind == .directory { stored.links += 1 }
    }

    /// Gives a regular file its first bytes.
    package func fill(_ bytes: [UInt8]) throws(Errno) {
        var done = 0
        while done < bytes.count { done += try write(bytes.span.extracting(droppingFirst: done), at: Int64(done)) }
    }

    package func create(_ name: FileName, _ new: NewInode) throws(Errno) -> any Inode {
        try load()
        let node = TmpNode(fileSystem, new)
        insert(name, node)
        return node
    }

    package func makeDirectory(_ name: FileName, _ new: NewInode) throws(Errno) -> any Inode {
        try load()
        let node = TmpNode(fileSystem, new)
        insert(name, node)
        stored.links += 1
        return node
    }

    package func makeSymbolicLink(_ name: FileName, to target: [UInt8], _ new: NewInode) throws(Errno) -> any Inode {
        try load()
        let node = TmpNode(fileSystem, new)
        node.target = target
        node.stored.size = Int64(target.count)
        insert(name, node)
        return node
    }

    package func link(_ inode: any Inode, as name: FileName) throws(Errno) {
        guard let node = inode as? TmpNode, node.fileSystem === fileSystem else { throw .EXDEV }
        try load()
        try node.load()
        // A nameless file whose last name went cannot come back; one made with O_TMPFILE can.
        guard node.stored.links > 0 || node.isNameless else { throw .ENOENT }
        node.isNameless = false
        node.stored.links += 1
        node.touchChange()
        insert(name, node)
    }

    /// Made by `O_TMPFILE`, without a name so far.
    private var isNameless = false

    private func touchChange() { stored.changeTime = fileSystem.clock() }

    package func unlink(_ name: FileName) throws(Errno) {
        let node = try child(name)
        try load()
        try node.load()
        node.stored.links -= min(node.stored.links, 1)
        node.touchChange()
        take(name)
    }

    package func removeDirectory(_ name: FileName) throws(Errno) {
        let node = try child(name)
        guard try node.entries().isEmpty else { throw .ENOTEMPTY }
        try load()
        try node.load()
        node.stored.links = 0
        stored.links -= min(stored.links, 1)
        take(name)
    }

    package func rename(
        _ name: FileName, to directory: any Inode, as newName: FileName, exchange: Bool
    ) throws(Errno) {
        guard let target = directory as? TmpNode, target.fileSystem === fileSystem else { throw .EXDEV }
        let node = try child(name)
        try load()
        try target.load()
        try node.load()
        if exchange {
            let other = try target.child(newName)
            take(name)
            target.take(newName)
            insert(name, other)
            target.insert(newName, node)
            if node.kind == .directory, other.kind != .directory { moveLink(to: target) }
            if node.kind != .directory, other.kind == .directory { target.moveLink(to: self) }
            return
        }
        if let replaced = try? target.child(newName) {
            try replaced.load()
            if replaced.kind == .directory {
                guard try replaced.entries().isEmpty else { throw .ENOTEMPTY }
                replaced.stored.links = 0
                target.stored.links -= 1
            } else {
                replaced.stored.links -= min(replaced.stored.links, 1)
                replaced.touchChange()
            }
        }
        take(name)
        target.insert(newName, node)
        node.touchChange()
        if node.kind == .directory { moveLink(to: target) }
    }

    /// A subdirectory's `..` counts for another directory now.
    private func moveLink(to other: TmpNode) {
        guard other !== self else { return }
        stored.links -= min(stored.links, 1)
        other.stored.links += 1
    }

    package func entries() throws(Errno) -> [DirectoryEntry] {
        guard kind == .directory else { throw .ENOTDIR }
        var entries: [DirectoryEntry] = []
        if showsLower, let lower {
            for entry in try lower.entries() where !hidden.contains(entry.name) { entries.append(entry) }
        }
        let own = order.sorted { $0.value < $1.value }
        for (name, _) in own {
            guard let node = children[name] else { continue }
            try node.load()
            entries.append(DirectoryEntry(name: name, inode: node.stored.inode, kind: node.kind))
        }
        return entries
    }

    package func createNameless(_ new: NewInode) throws(Errno) -> any Inode {
        let node = TmpNode(fileSystem, new)
        node.stored.links = 0
        node.isNameless = true
        return node
    }

    // MARK: Links

    package func readLink() throws(Errno) -> [UInt8] {
        guard kind == .symbolicLink else { throw .EINVAL }
        if let target { return target }
        guard let lower else { throw .EINVAL }
        let read = try lower.readLink()
        target = read
        return read
    }

    // MARK: Bytes

    package func open(_ flags: OpenFlags) throws(Errno) -> any FileOperations {
        switch kind {
        case .regular:
            if contents == nil, !flags.mayWrite { try useLower() }
            return TmpFile(self, usesLower: contents == nil && !flags.mayWrite)
        case .directory: return DirectoryFile(self)
        case .fifo:
            let pipe = attachment as? NamedPipe ?? NamedPipe(self)
            attachment = pipe
            return try pipe.open(flags)
        case .characterDevice, .blockDevice:
            return try fileSystem.devices.open(
                DeviceNumber(rawValue: try attributes().representedDevice), self, flags)
        case .socket: throw .ENXIO
        case .symbolicLink: throw .ELOOP
        }
    }

    private func useLower() throws(Errno) {
        if lowerDescriptor < 0, let lower { lowerDescriptor = try lower.open() }
        lowerUsers += 1
    }

    func leaveLower() {
        lowerUsers -= 1
        if lowerUsers == 0, lowerDescriptor >= 0 {
            Host.close(lowerDescriptor)
            lowerDescriptor = -1
        }
    }

    func read(into output: inout OutputSpan<UInt8>, at offset: Int64) throws(Errno) {
        if let contents { return try contents.read(into: &output, at: offset) }
        if lowerDescriptor >= 0 {
            let limit = output.freeCapacity
            _ = try Host.read(lowerDescriptor, at: offset, into: &output, limit: limit)
        }
    }

    func write(_ bytes: Span<UInt8>, at offset: Int64) throws(Errno) -> Int {
        if let seals, seals & 0x18 != 0 { throw .EPERM }
        let contents = try copyUp()
        if let seals, seals & 4 != 0, offset + Int64(bytes.count) > contents.size { throw .EPERM }
        let count = try contents.write(bytes, at: offset)
        touch(modification: true)
        return count
    }

    var size: Int64 { contents?.size ?? stored.size }

    package func truncate(to size: Int64) throws(Errno) {
        guard kind == .regular else { throw kind == .directory ? .EISDIR : .EINVAL }
        if let seals {
            if seals & 2 != 0, size < self.size { throw .EPERM }
            if seals & 4 != 0, size > self.size { throw .EPERM }
        }
        try (size == 0 && contents == nil ? startEmpty() : copyUp()).truncate(to: size)
        touch(modification: true)
    }

    /// Zeros a range: `FALLOC_FL_PUNCH_HOLE`, `FALLOC_FL_ZERO_RANGE`.
    package func punch(at offset: Int64, count: Int64) throws(Errno) {
        try copyUp().punch(at: offset, count: count)
        touch(modification: true)
    }

    /// The file's own bytes, copied from the lower file at the first change.
    @discardableResult
    func copyUp() throws(Errno) -> FileContents {
        if let contents { return contents }
        let copy = try startEmpty(keep: false)
        if let lower {
            let descriptor = try lower.open()
            defer { Host.close(descriptor) }
            var offset: Int64 = 0
            while true {
                let piece = try [UInt8](capacity: 1 << 20) { output throws(Errno) in
                    _ = try Host.read(descriptor, at: offset, into: &output, limit: 1 << 20)
                }
                if piece.isEmpty { break }
                _ = try copy.write(piece.span, at: offset)
                offset += Int64(piece.count)
            }
        }
        contents = copy
        return copy
    }

    private func startEmpty(keep: Bool = true) throws(Errno) -> FileContents {
        try load()
        let empty = FileContents(budget: fileSystem.budget)
        if keep { contents = empty }
        return empty
    }

    /// What a mapping maps: the memory file of changed bytes, or the lower file itself.
    func mapping(writable: Bool) throws(Errno) -> FileMapping {
        if contents == nil, !writable, lowerDescriptor >= 0 {
            return .host(descriptor: lowerDescriptor, canWriteShared: false)
        }
        return .host(descriptor: try copyUp().mappable(), canWriteShared: seals.map { $0 & 0x18 == 0 } ?? true)
    }

    // MARK: Extended attributes

    package func extendedAttribute(_ name: [UInt8]) throws(Errno) -> [UInt8] {
        guard let value = extended[name] else { throw .ENODATA }
        return value
    }

    package func setExtendedAttribute(_ name: [UInt8], to value: [UInt8], flags: Int32) throws(Errno) {
        if flags == 1, extended[name] != nil { throw .EEXIST }
        if flags == 2, extended[name] == nil { throw .ENODATA }
        guard extended.count < 1024 else { throw .ENOSPC }
        extended[name] = value
        try load()
        touchChange()
    }

    package func extendedAttributeNames() throws(Errno) -> [[UInt8]] {
        extended.keys.sorted { $0.lexicographicallyPrecedes($1) }
    }

    package func removeExtendedAttribute(_ name: [UInt8]) throws(Errno) {
        guard extended.removeValue(forKey: name) != nil else { throw .ENODATA }
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
