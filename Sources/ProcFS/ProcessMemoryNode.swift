internal import LinuxABI
internal import VFS

/// `/proc/pid/mem`: a process's memory as a file; the offset is the address.
final class ProcessMemoryNode: Inode {
    private let facts: GeneratedFacts
    private let process: ProcessID
    private let information: any ProcessInformation
    let locks = FileLocks()

    init(_ facts: GeneratedFacts, _ process: ProcessID, _ information: any ProcessInformation) {
        self.facts = facts
        self.process = process
        self.information = information
    }

    var kind: FileKind { .regular }
    func attributes() throws(Errno) -> FileAttributes { facts.attributes(.regular) }
    func truncate(to size: Int64) throws(Errno) {}
    func fileSystemStatistics() -> FileSystemStatistics { FileSystemStatistics(type: ProcFS.magic) }

    func open(_ flags: OpenFlags) throws(Errno) -> any FileOperations {
        guard information.mayInspect(process) else { throw .EACCES }
        return ProcessMemoryFile(self, process, information)
    }
}

/// An open `/proc/pid/mem`.
final class ProcessMemoryFile: FileOperations {
    private let node: ProcessMemoryNode
    private let process: ProcessID
    private let information: any ProcessInformation

    init(_ node: ProcessMemoryNode, _ process: ProcessID, _ information: any ProcessInformation) {
        self.node = node
        self.process = process
        self.information = information
    }

    var inode: any Inode { node }
    var isSeekable: Bool { true }

    func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        guard information.exists(process) else { return }
        let address = UInt(bitPattern: Int(offset ?? file.position))
        try information.readMemory(of: process, at: address, into: &output)
    }

    func write(_ file: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int {
        guard information.exists(process) else { return 0 }
        return try information.writeMemory(
            of: process, at: UInt(bitPattern: Int(offset ?? file.position)), bytes)
    }

    func seek(_ file: OpenFile, to offset: Int64, whence: Int32) throws(Errno) -> Int64 {
        switch whence {
        case 0: file.position = offset
        case 1: file.position = file.position.addingReportingOverflow(offset).partialValue
        default: throw .EINVAL
        }
        return file.position
    }
}
