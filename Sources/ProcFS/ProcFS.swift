package import LinuxABI
package import VFS

/// Where `/proc` gets what it shows; the kernel implements it.
package protocol ProcessInformation: AnyObject {
    /// The numbers of all processes, ascending.
    var processIDs: [ProcessID] { get }
    /// The process of the thread whose call is being handled.
    var currentProcess: ProcessID { get }
    /// That thread itself.
    var currentThread: ProcessID { get }
    func threadIDs(of process: ProcessID) -> [ProcessID]
    func exists(_ process: ProcessID) -> Bool
    func owner(of process: ProcessID) -> UInt32
    /// The text of one of `files`. Throws ENOENT, ESRCH.
    func text(_ file: String, of process: ProcessID, thread: ProcessID) throws(Errno) -> [UInt8]
    /// `exe`, `cwd`, `root`.
    func link(_ name: String, of process: ProcessID) throws(Errno) -> Dentry
    func descriptors(of process: ProcessID) throws(Errno) -> [Int32]
    /// An open file, with the text its link shows. Throws ENOENT.
    func descriptor(_ number: Int32, of process: ProcessID) throws(Errno) -> (target: MagicTarget, text: [UInt8])
    func store(_ bytes: [UInt8], to file: String, of process: ProcessID) throws(Errno)
    /// A path as the reader's root shows it.
    func path(of dentry: Dentry) -> [UInt8]
    /// The text of a file that belongs to no process, by its path below `/proc`.
    func systemText(_ path: String) throws(Errno) -> [UInt8]
}

/// The file system of `proc(5)`.
package final class ProcFS {
    private unowned let information: any ProcessInformation

    package init(_ information: any ProcessInformation) { self.information = information }

    /// Files of each process and thread.
    private static let files: [String] = [
        "auxv", "cgroup", "cmdline", "comm", "environ", "gid_map", "io", "limits", "loginuid", "maps", "mountinfo",
        "mounts", "oom_adj", "oom_score", "oom_score_adj", "personality", "sessionid", "setgroups", "smaps", "stat",
        "statm", "status", "uid_map", "wchan",
    ]
    private static let writable: Set<String> = [
        "comm", "oom_score_adj", "oom_adj", "loginuid", "uid_map", "gid_map", "setgroups",
    ]
    private static let links = ["cwd", "exe", "root"]

    /// Directories and files of the system: by path, with what each directory holds.
    private static let system: [String: [String]] = [
        "": [
            "cmdline", "cpuinfo", "devices", "filesystems", "loadavg", "meminfo", "partitions", "stat", "swaps", "sys/",
            "uptime", "version", "vmstat",
        ],
        "sys": ["fs/", "kernel/", "net/", "vm/"],
        "sys/fs": ["file-max", "file-nr", "nr_open", "pipe-max-size"],
        "sys/kernel": [
            "cap_last_cap", "domainname", "hostname", "ngroups_max", "osrelease", "ostype", "overflowgid",
            "overflowuid", "pid_max", "random/", "threads-max", "version", "shmmax", "sem",
        ],
        "sys/kernel/random": ["boot_id", "entropy_avail", "poolsize", "uuid"],
        "sys/net": ["core/"],
        "sys/net/core": ["somaxconn"],
        "sys/vm": ["max_map_count", "mmap_min_addr", "overcommit_memory", "overcommit_ratio", "swappiness"],
    ]

    package var root: any Inode {
        let system = directory("")
        return GeneratedDirectory(1) { [unowned self] name throws(Errno) in
            switch String(decoding: name.bytes, as: UTF8.self) {
            case "self":
                return GeneratedLink(2) { [unowned self] () throws(Errno) in
                    Array("\(information.currentProcess)".utf8)
                }
            case "thread-self":
                return GeneratedLink(3) { [unowned self] () throws(Errno) in
                    Array("\(information.currentProcess)/task/\(information.currentThread)".utf8)
                }
            case "mounts":
                return GeneratedLink(4) { () throws(Errno) in Array("self/mounts".utf8) }
            case let text:
                guard let number = Int32(text), number > 0, text.first != "0" else { return try system.lookup(name) }
                let id = ProcessID(number)
                guard information.exists(id) else { throw .ENOENT }
                return process(id)
            }
        } list: { [unowned self] () throws(Errno) in
            let processes = information.processIDs.map { id in
                DirectoryEntry(name: FileName(Array("\(id)".utf8)), inode: number(id, 1), kind: .directory)
            }
            let links = [("self", 2), ("thread-self", 3), ("mounts", 4)].map { name, inode in
                DirectoryEntry(name: FileName(Array(name.utf8)), inode: UInt64(inode), kind: .symbolicLink)
            }
            return try system.entries() + links + processes
        }
    }

    /// Inode numbers: a block for each process.
    private func number(_ id: ProcessID, _ file: Int) -> UInt64 { UInt64(UInt32(bitPattern: id.rawValue)) << 16 | UInt64(file) }

    private func entry(_ name: String, _ inode: UInt64, _ kind: FileKind) -> DirectoryEntry {
        DirectoryEntry(name: FileName(Array(name.utf8)), inode: inode, kind: kind)
    }

    // MARK: The system's files

    private func directory(_ path: String) -> GeneratedDirectory {
        let names = ProcFS.system[path] ?? []
        let base = UInt64(16 + 64 * (ProcFS.system.keys.sorted().firstIndex(of: path) ?? 0))
        return GeneratedDirectory(base) { [unowned self] name throws(Errno) in
            let text = String(decoding: name.bytes, as: UTF8.self)
            let full = path.isEmpty ? text : path + "/" + text
            if ProcFS.system[full] != nil { return directory(full) }
            guard let index = names.firstIndex(of: text) else { throw .ENOENT }
            return GeneratedFile(base + UInt64(index) + 1) { [unowned self] () throws(Errno) in
                try information.systemText(full)
            }
        } list: { [unowned self] () throws(Errno) in
            names.enumerated().map { index, name in
                name.hasSuffix("/")
                    ? entry(String(name.dropLast()), base + UInt64(index) + 1, .directory)
                    : entry(name, base + UInt64(index) + 1, .regular)
            }
        }
    }

    // MARK: Processes

    private func process(_ id: ProcessID) -> any Inode {
        GeneratedDirectory(number(id, 1), owner: information.owner(of: id)) { [unowned self] name throws(Errno) in
            let text = String(decoding: name.bytes, as: UTF8.self)
            if text == "task" { return tasks(of: id) }
            return try file(text, of: id, thread: id)
        } list: { [unowned self] () throws(Errno) in
            try processEntries(id) + [entry("task", number(id, 4), .directory)]
        }
    }

    private func processEntries(_ id: ProcessID) throws(Errno) -> [DirectoryEntry] {
        guard information.exists(id) else { throw .ENOENT }
        return ProcFS.files.enumerated().map { entry($1, number(id, 16 + $0), .regular) }
            + ProcFS.links.enumerated().map { entry($1, number(id, 8 + $0), .symbolicLink) }
            + [entry("fd", number(id, 2), .directory), entry("fdinfo", number(id, 3), .directory)]
    }

    private func tasks(of id: ProcessID) -> any Inode {
        GeneratedDirectory(number(id, 4), owner: information.owner(of: id)) { [unowned self] name throws(Errno) in
            guard let value = Int32(String(decoding: name.bytes, as: UTF8.self)) else { throw .ENOENT }
            let thread = ProcessID(value)
            guard information.threadIDs(of: id).contains(thread) else { throw .ENOENT }
            return GeneratedDirectory(number(thread, 5)) { [unowned self] name throws(Errno) in
                try file(String(decoding: name.bytes, as: UTF8.self), of: id, thread: thread)
            } list: { [unowned self] () throws(Errno) in try processEntries(id) }
        } list: { [unowned self] () throws(Errno) in
            information.threadIDs(of: id).map { entry("\($0)", number($0, 5), .directory) }
        }
    }

    private func file(_ name: String, of id: ProcessID, thread: ProcessID) throws(Errno) -> any Inode {
        let owner = information.owner(of: id)
        if name == "fd" || name == "fdinfo" { return descriptors(of: id, info: name == "fdinfo") }
        if let index = ProcFS.links.firstIndex(of: name) {
            return GeneratedLink(number(id, 8 + index), owner: owner) { [unowned self] () throws(Errno) in
                .dentry(try information.link(name, of: id))
            } text: { [unowned self] () throws(Errno) in
                information.path(of: try information.link(name, of: id))
            }
        }
        guard let index = ProcFS.files.firstIndex(of: name) else { throw .ENOENT }
        let isWritable = ProcFS.writable.contains(name)
        let isPrivate = ["auxv", "environ", "io", "personality"].contains(name)
        return GeneratedFile(
            number(thread, 16 + index), permissions: isPrivate ? 0o400 : isWritable ? 0o644 : 0o444, owner: owner,
            store: isWritable
                ? { [unowned self] bytes throws(Errno) in try information.store(bytes, to: name, of: id) } : nil
        ) { [unowned self] () throws(Errno) in try information.text(name, of: id, thread: thread) }
    }

    private func descriptors(of id: ProcessID, info: Bool) -> any Inode {
        let base = info ? 3 : 2
        return GeneratedDirectory(number(id, base), permissions: 0o500, owner: information.owner(of: id)) {
            [unowned self] name throws(Errno) in
            let text = String(decoding: name.bytes, as: UTF8.self)
            guard let value = Int32(text), value >= 0 else { throw .ENOENT }
            _ = try information.descriptor(value, of: id)
            if info {
                return GeneratedFile(number(id, 0x8000 + Int(value & 0x3fff)), permissions: 0o400) {
                    [unowned self] () throws(Errno) in try information.text("fdinfo/\(value)", of: id, thread: id)
                }
            }
            return GeneratedLink(number(id, 0x4000 + Int(value & 0x3fff))) { [unowned self] () throws(Errno) in
                try information.descriptor(value, of: id).target
            } text: { [unowned self] () throws(Errno) in try information.descriptor(value, of: id).text }
        } list: { [unowned self] () throws(Errno) in
            try information.descriptors(of: id).map {
                entry("\($0)", number(id, (info ? 0x8000 : 0x4000) + Int($0 & 0x3fff)), info ? .regular : .symbolicLink)
            }
        }
    }
}
