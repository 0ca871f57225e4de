internal import LinuxABI
package import VFS

/// The file system of `proc(5)`.
package struct ProcFS {
    let information: any ProcessInformation

    package init(_ information: any ProcessInformation) { self.information = information }

    /// `PROC_SUPER_MAGIC`.
    package static let magic: UInt64 = 0x9fa0
    package static let device = DeviceNumber(major: 0, minor: 21).rawValue

    package var root: any Inode {
        let system = systemDirectory("")
        return GeneratedDirectory(facts(1, 0o555)) { name throws(Errno) in
            switch String(decoding: name.bytes, as: UTF8.self) {
            case "self":
                return GeneratedLink(facts(2, 0o777)) { () throws(Errno) in
                    Array("\(information.currentProcess)".utf8)
                }
            case "thread-self":
                return GeneratedLink(facts(3, 0o777)) { () throws(Errno) in
                    Array("\(information.currentProcess)/task/\(information.currentThread)".utf8)
                }
            case "mounts": return GeneratedLink(facts(4, 0o777), text: "self/mounts")
            case "net": return GeneratedLink(facts(5, 0o777), text: "self/net")
            case let text:
                guard let number = ProcFS.number(text) else { return try system.lookup(name) }
                // A thread can be asked for by its own number, though no listing shows it.
                guard let process = information.process(ofThread: ProcessID(number)) else { throw .ENOENT }
                return processDirectory(process, thread: ProcessID(number))
            }
        } list: { () throws(Errno) in
            let processes = information.processIDs.map { entry("\($0)", number($0, 1), .directory) }
            let links = [("self", 2), ("thread-self", 3), ("mounts", 4), ("net", 5)].map { name, inode in
                entry(name, UInt64(inode), .symbolicLink)
            }
            return try links + system.entries() + processes
        }
    }

    /// The facts of a file that belongs to no process.
    func facts(_ number: UInt64, _ permissions: UInt32) -> GeneratedFacts {
        GeneratedFacts(number: number, permissions: permissions, time: information.startTime)
    }

    /// A number as `/proc` writes it: no sign, no leading zero.
    static func number(_ text: String) -> Int32? {
        guard let value = Int32(text), value >= 0, "\(value)" == text else { return nil }
        return value
    }

    /// Inode numbers: a block for each process.
    func number(_ id: ProcessID, _ file: Int) -> UInt64 {
        1 << 40 | UInt64(UInt32(bitPattern: id.rawValue)) << 20 | UInt64(file)
    }

    func entry(_ name: String, _ inode: UInt64, _ kind: FileKind) -> DirectoryEntry {
        DirectoryEntry(name: FileName(Array(name.utf8)), inode: inode, kind: kind)
    }
}
