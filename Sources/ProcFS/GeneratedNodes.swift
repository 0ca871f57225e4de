package import LinuxABI
package import VFS

/// A file of `/proc` whose text is made when it is opened.
package final class GeneratedFile: Inode {
    private let number: UInt64
    private let permissions: UInt32
    private let owner: UInt32
    private let text: () throws(Errno) -> [UInt8]
    private let store: (([UInt8]) throws(Errno) -> Void)?
    package let locks = FileLocks()

    package init(
        _ number: UInt64, permissions: UInt32 = 0o444, owner: UInt32 = 0,
        store: (([UInt8]) throws(Errno) -> Void)? = nil, _ text: @escaping () throws(Errno) -> [UInt8]
    ) {
        self.number = number
        self.permissions = permissions
        self.owner = owner
        self.store = store
        self.text = text
    }

    package var kind: FileKind { .regular }

    package func attributes() throws(Errno) -> FileAttributes {
        procAttributes(number, FileMode(.regular, permissions), owner: owner)
    }

    package func setAttributes(_ change: AttributeChange) throws(Errno) { throw .EPERM }

    package func open(_ flags: OpenFlags) throws(Errno) -> any FileOperations {
        GeneratedText(self, flags.mayRead ? try text() : [])
    }

    package func truncate(to size: Int64) throws(Errno) {}

    func write(_ bytes: [UInt8]) throws(Errno) {
        guard let store else { throw .EIO }
        try store(bytes)
    }

    package func fileSystemStatistics() -> FileSystemStatistics { FileSystemStatistics(type: 0x9fa0) }
}

/// An open generated file: the text as it was at the opening.
final class GeneratedText: FileOperations {
    private let file: GeneratedFile
    private let text: [UInt8]

    init(_ file: GeneratedFile, _ text: [UInt8]) {
        self.file = file
        self.text = text
    }

    var inode: any Inode { file }
    var isSeekable: Bool { true }

    func read(_ open: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        let start = offset ?? open.position
        guard start < Int64(text.count) else { return }
        for byte in text[Int(start)...].prefix(output.freeCapacity) { output.append(byte) }
    }

    func write(_ open: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int {
        try file.write((0..<bytes.count).map { bytes[$0] })
        return bytes.count
    }
}

/// A directory of `/proc` whose entries come and go by themselves.
package final class GeneratedDirectory: Inode {
    private let number: UInt64
    private let owner: UInt32
    private let permissions: UInt32
    private let find: (FileName) throws(Errno) -> any Inode
    private let list: () throws(Errno) -> [DirectoryEntry]
    package let locks = FileLocks()

    package init(
        _ number: UInt64, permissions: UInt32 = 0o555, owner: UInt32 = 0,
        find: @escaping (FileName) throws(Errno) -> any Inode, list: @escaping () throws(Errno) -> [DirectoryEntry]
    ) {
        self.number = number
        self.permissions = permissions
        self.owner = owner
        self.find = find
        self.list = list
    }

    package var kind: FileKind { .directory }
    package var remembersNames: Bool { false }

    package func attributes() throws(Errno) -> FileAttributes {
        var attributes = procAttributes(number, FileMode(.directory, permissions), owner: owner)
        attributes.links = 2
        return attributes
    }

    package func lookup(_ name: FileName) throws(Errno) -> any Inode { try find(name) }
    package func entries() throws(Errno) -> [DirectoryEntry] { try list() }
    package func create(_ name: FileName, _ new: NewInode) throws(Errno) -> any Inode { throw .ENOENT }
    package func makeDirectory(_ name: FileName, _ new: NewInode) throws(Errno) -> any Inode { throw .ENOENT }
    package func fileSystemStatistics() -> FileSystemStatistics { FileSystemStatistics(type: 0x9fa0) }
}

/// A link of `/proc`, which may lead somewhere without a path.
package final class GeneratedLink: Inode {
    private let number: UInt64
    private let owner: UInt32
    private let text: () throws(Errno) -> [UInt8]
    private let target: () throws(Errno) -> MagicTarget?
    package let locks = FileLocks()

    package init(
        _ number: UInt64, owner: UInt32 = 0, target: @escaping () throws(Errno) -> MagicTarget? = { nil },
        text: @escaping () throws(Errno) -> [UInt8]
    ) {
        self.number = number
        self.owner = owner
        self.target = target
        self.text = text
    }

    package var kind: FileKind { .symbolicLink }

    package func attributes() throws(Errno) -> FileAttributes {
        procAttributes(number, FileMode(.symbolicLink, 0o777), owner: owner)
    }

    package func readLink() throws(Errno) -> [UInt8] { try text() }
    package func magicTarget() throws(Errno) -> MagicTarget? { try target() }
}

/// `/proc` shows no sizes, and its own device.
private func procAttributes(_ number: UInt64, _ mode: FileMode, owner: UInt32) -> FileAttributes {
    var attributes = FileAttributes()
    attributes.inode = number
    attributes.device = DeviceNumber(major: 0, minor: 21).rawValue
    attributes.mode = mode
    attributes.userID = owner
    attributes.groupID = owner
    attributes.blockSize = 1024
    return attributes
}
