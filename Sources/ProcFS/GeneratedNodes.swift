package import LinuxABI
package import VFS

/// What all nodes of one generated file system have in common, and what tells one from another.
package struct GeneratedFacts {
    package var number: UInt64
    package var permissions: UInt32
    package var owner: UInt32
    package var group: UInt32
    package var time: Timestamp
    package var links: UInt64?
    package var size: Int64 = 0

    package init(
        number: UInt64, permissions: UInt32, owner: UInt32 = 0, group: UInt32 = 0, time: Timestamp = Timestamp()
    ) {
        self.number = number
        self.permissions = permissions
        self.owner = owner
        self.group = group
        self.time = time
    }

    /// As `stat(2)` shows a node of that kind.
    func attributes(_ kind: FileKind) -> FileAttributes {
        var attributes = FileAttributes()
        attributes.inode = number
        attributes.device = ProcFS.device
        attributes.mode = FileMode(kind, permissions)
        attributes.userID = owner
        attributes.groupID = group
        attributes.blockSize = 1024
        attributes.size = size
        attributes.links = links ?? (kind == .directory ? 2 : 1)
        attributes.accessTime = time
        attributes.modificationTime = time
        attributes.changeTime = time
        return attributes
    }
}

/// A file of `/proc` whose text is made when it is read.
package final class GeneratedFile: Inode {
    private let facts: GeneratedFacts
    private let text: () throws(Errno) -> [UInt8]
    private let store: (([UInt8]) throws(Errno) -> Void)?
    private let check: (() throws(Errno) -> Void)?
    let readiness: PollEvents?
    /// Whether Linux makes the text line by line rather than at once (`seq_file`): then a reading ends with a whole line.
    let isMadeByLine: Bool
    package let locks = FileLocks()

    /// `check`: asked at each opening, beyond the permission bits. `readiness`: what the file is always ready for, where
    /// it has Linux's `poll` operation, without which `epoll_ctl(2)` refuses it.
    package init(
        _ facts: GeneratedFacts, isMadeByLine: Bool = false, readiness: PollEvents? = nil,
        check: (() throws(Errno) -> Void)? = nil, store: (([UInt8]) throws(Errno) -> Void)? = nil,
        _ text: @escaping () throws(Errno) -> [UInt8]
    ) {
        self.facts = facts
        self.isMadeByLine = isMadeByLine
        self.readiness = readiness
        self.check = check
        self.store = store
        self.text = text
    }

    package var kind: FileKind { .regular }
    package func attributes() throws(Errno) -> FileAttributes { facts.attributes(.regular) }
    package func setAttributes(_ change: AttributeChange) throws(Errno) { throw .EPERM }

    package func open(_ flags: OpenFlags) throws(Errno) -> any FileOperations {
        try check?()
        return GeneratedText(self)
    }

    package func truncate(to size: Int64) throws(Errno) {}
    package func fileSystemStatistics() -> FileSystemStatistics { FileSystemStatistics(type: ProcFS.magic) }

    func read() throws(Errno) -> [UInt8] { try text() }

    func write(_ bytes: [UInt8]) throws(Errno) {
        guard let store else { throw .EIO }
        try store(bytes)
    }
}

/// An open generated file. The text is made anew at each reading from the beginning: programs keep `/proc/stat` open and
/// come back to it.
final class GeneratedText: FileOperations {
    private let file: GeneratedFile
    private var text: [UInt8]?
    /// Of what is made line by line: how far it is made, and where the last reading ended.
    private var made = 0
    private var next = 0
    /// A page, less the byte by which `seq_file` knows that it has not run over.
    private static let room = 4095
    /// Linux takes no more than a page at a write.
    private static let maximumWrite = 4096

    /// Nobody ever wakes it: what these files say changes without notice.
    private let queue: WaitQueue?

    init(_ file: GeneratedFile) {
        self.file = file
        queue = file.readiness == nil ? nil : WaitQueue()
    }

    var inode: any Inode { file }
    var isSeekable: Bool { true }
    var waitQueue: WaitQueue? { queue }

    func poll(_ open: OpenFile) -> PollEvents { file.readiness ?? [.readable, .writable] }

    func read(_ open: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        let start = offset ?? open.position
        let bytes: [UInt8]
        if let text, start > 0 {
            bytes = text
        } else {
            bytes = try file.read()
            text = bytes
        }
        guard start >= 0, start < Int64(bytes.count) else { return }
        let end = file.isMadeByLine ? end(Int(start), bytes, output.freeCapacity) : bytes.count
        let part = bytes[Int(start)..<end].prefix(output.freeCapacity)
        for byte in part { output.append(byte) }
        next = part.endIndex
    }

    /// Where a reading of `count` bytes ends at the latest. What is left of the line that the last one ended in comes first,
    /// then as many lines as fill the reader's buffer or a page, whichever is less, but at least one.
    private func end(_ start: Int, _ bytes: [UInt8], _ count: Int) -> Int {
        // Whoever jumps to somewhere else finds the line there begun.
        if start != next || start > made { made = lineEnd(start > 0 ? start - 1 : 0, bytes) }
        if start == 0 { made = 0 }
        let begin = max(made, start)
        guard begin - start < count else { return begin }
        var end = begin
        while end < bytes.count, end - begin < count - (begin - start) {
            let line = lineEnd(end, bytes)
            guard line - begin <= GeneratedText.room || end == begin else { break }
            end = line
        }
        made = end
        return end
    }

    private func lineEnd(_ place: Int, _ bytes: [UInt8]) -> Int {
        (bytes[min(place, bytes.count)...].firstIndex(of: 0x0a) ?? bytes.count - 1) + 1
    }

    func write(_ open: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int {
        let count = min(bytes.count, GeneratedText.maximumWrite)
        try file.write((0..<count).map { bytes[$0] })
        return count
    }

    func seek(_ open: OpenFile, to offset: Int64, whence: Int32) throws(Errno) -> Int64 {
        // There is no end to seek from: see `seq_lseek`.
        guard whence == 0 || whence == 1 else { throw .EINVAL }
        let (target, overflow) = (whence == 1 ? open.position : 0).addingReportingOverflow(offset)
        guard !overflow, target >= 0 else { throw .EINVAL }
        open.position = target
        return target
    }
}

/// A directory of `/proc` whose entries come and go by themselves.
package final class GeneratedDirectory: ProcessDirectory {
    private let facts: GeneratedFacts
    private let find: (FileName) throws(Errno) -> any Inode
    private let list: () throws(Errno) -> [DirectoryEntry]
    private let isInherited: Bool
    private let owner: (() throws(Errno) -> ProcessID)?
    package let locks = FileLocks()

    /// `remembersNames`: true where the entries never change. `owner`: whose directory it is; throws ESRCH.
    package init(
        _ facts: GeneratedFacts, remembersNames: Bool = false, owner: (() throws(Errno) -> ProcessID)? = nil,
        find: @escaping (FileName) throws(Errno) -> any Inode, list: @escaping () throws(Errno) -> [DirectoryEntry]
    ) {
        self.facts = facts
        self.owner = owner
        self.isInherited = remembersNames
        self.find = find
        self.list = list
    }

    var number: UInt64 { facts.number }
    package var kind: FileKind { .directory }
    package var remembersNames: Bool { isInherited }

    package func attributes() throws(Errno) -> FileAttributes { facts.attributes(.directory) }

    package func process() throws(Errno) -> ProcessID {
        guard let owner else { throw .EBADF }
        return try owner()
    }

    package func lookup(_ name: FileName) throws(Errno) -> any Inode { try find(name) }
    package func entries() throws(Errno) -> [DirectoryEntry] { try list() }
    package func create(_ name: FileName, _ new: NewInode) throws(Errno) -> any Inode { throw .ENOENT }
    package func makeDirectory(_ name: FileName, _ new: NewInode) throws(Errno) -> any Inode { throw .ENOENT }
    package func fileSystemStatistics() -> FileSystemStatistics { FileSystemStatistics(type: ProcFS.magic) }
}

/// A link of `/proc`, which may lead somewhere without a path.
package final class GeneratedLink: Inode {
    private let facts: GeneratedFacts
    private let text: () throws(Errno) -> [UInt8]
    private let target: () throws(Errno) -> MagicTarget?
    /// Descriptors' links show what the descriptor allows.
    private let mode: () throws(Errno) -> UInt32
    private let size: Int?
    package let locks = FileLocks()

    package init(
        _ facts: GeneratedFacts, size: Int? = nil, mode: @escaping () throws(Errno) -> UInt32 = { 0o777 },
        target: @escaping () throws(Errno) -> MagicTarget? = { nil }, _ text: @escaping () throws(Errno) -> [UInt8]
    ) {
        self.facts = facts
        self.size = size
        self.mode = mode
        self.target = target
        self.text = text
    }

    package var kind: FileKind { .symbolicLink }

    package func attributes() throws(Errno) -> FileAttributes {
        var attributes = facts.attributes(.symbolicLink)
        attributes.mode = FileMode(.symbolicLink, try mode())
        if let size { attributes.size = numericCast(size) }
        return attributes
    }

    /// A link that always reads the same, and so has a size.
    package convenience init(_ facts: GeneratedFacts, text: String) {
        let bytes = Array(text.utf8)
        self.init(facts, size: bytes.count) { () throws(Errno) in bytes }
    }

    package func readLink() throws(Errno) -> [UInt8] { try text() }
    package func magicTarget() throws(Errno) -> MagicTarget? { try target() }
    package func fileSystemStatistics() -> FileSystemStatistics { FileSystemStatistics(type: ProcFS.magic) }
}
