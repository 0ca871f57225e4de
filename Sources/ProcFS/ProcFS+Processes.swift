internal import LinuxABI
internal import VFS

/// `/proc/pid` and `/proc/pid/task/tid`.
extension ProcFS {
    /// One file of each process.
    private struct File {
        let name: String
        var permissions: UInt32 = 0o444
        /// Only who may trace the process may open it.
        var isGuarded = false
        var isWritable = false
        /// See `GeneratedFile`.
        var isMadeByLine = false
        /// Only in the directories of threads.
        var isOfThread = false
        var readiness: PollEvents?
    }

    private static let files: [File] = [
        File(name: "environ", permissions: 0o400, isGuarded: true),
        File(name: "auxv", permissions: 0o400, isGuarded: true),
        File(name: "status"),
        File(name: "personality", permissions: 0o400, isGuarded: true),
        File(name: "limits"),
        File(name: "comm", permissions: 0o644, isWritable: true),
        File(name: "cmdline"),
        File(name: "stat"),
        File(name: "statm"),
        File(name: "maps", isGuarded: true, isMadeByLine: true),
        File(name: "mounts", isMadeByLine: true, readiness: .readable),
        File(name: "mountinfo", isMadeByLine: true, readiness: .readable),
        File(name: "smaps", isGuarded: true),
        File(name: "smaps_rollup", isGuarded: true),
        File(name: "wchan"),
        File(name: "schedstat"),
        File(name: "cpuset"),
        File(name: "cgroup"),
        File(name: "oom_score"),
        File(name: "oom_adj", permissions: 0o644, isWritable: true),
        File(name: "oom_score_adj", permissions: 0o644, isWritable: true),
        File(name: "loginuid", permissions: 0o644),
        File(name: "sessionid"),
        File(name: "uid_map", permissions: 0o644),
        File(name: "gid_map", permissions: 0o644),
        File(name: "setgroups", permissions: 0o644),
        File(name: "coredump_filter", permissions: 0o644, isWritable: true),
        File(name: "timerslack_ns", permissions: 0o666, isWritable: true),
        File(name: "io", permissions: 0o400, isGuarded: true),
        File(name: "children", isOfThread: true),
    ]
    private static let links = ["cwd", "root", "exe"]
    /// The numbers that Linux gives the first of each kind of name space.
    private static let nameSpaces: [(name: String, kind: String, number: UInt64)] = [
        ("cgroup", "cgroup", 4_026_531_835), ("ipc", "ipc", 4_026_531_839), ("mnt", "mnt", 4_026_531_832),
        ("net", "net", 4_026_531_833), ("pid", "pid", 4_026_531_836), ("pid_for_children", "pid", 4_026_531_836),
        ("time", "time", 4_026_531_834), ("time_for_children", "time", 4_026_531_834),
        ("user", "user", 4_026_531_837), ("uts", "uts", 4_026_531_838),
    ]

    private func facts(_ id: ProcessID, thread: ProcessID? = nil, _ file: Int, _ permissions: UInt32) -> GeneratedFacts
    {
        let owner = information.owner(of: id)
        return GeneratedFacts(
            number: number(thread ?? id, file), permissions: permissions, owner: owner.user, group: owner.group,
            time: owner.since)
    }

    func processDirectory(_ id: ProcessID, thread: ProcessID) -> any Inode {
        var facts = facts(id, thread: thread, 1, 0o555)
        facts.links = 6
        let start = information.start(of: id)
        let owner: () throws(Errno) -> ProcessID = { () throws(Errno) in
            // The number may have gone to another process since.
            guard let start, information.start(of: id) == start else { throw .ESRCH }
            return id
        }
        return GeneratedDirectory(facts, owner: owner) { name throws(Errno) in
            guard information.exists(id) else { throw .ENOENT }
            let text = String(decoding: name.bytes, as: UTF8.self)
            if text == "task" { return tasks(of: id) }
            return try file(text, of: id, thread: thread, inTask: false)
        } list: { () throws(Errno) in
            try [entry("task", number(thread, 4), .directory)] + processEntries(id, thread, inTask: false)
        }
    }

    private func processEntries(_ id: ProcessID, _ thread: ProcessID, inTask: Bool) throws(Errno) -> [DirectoryEntry] {
        guard information.exists(id) else { throw .ENOENT }
        var entries = [
            entry("fd", number(thread, 2), .directory), entry("fdinfo", number(thread, 3), .directory),
            entry("ns", number(thread, 6), .directory), entry("net", systemDirectory("net").number, .directory),
            entry("mem", number(thread, 7), .regular),
        ]
        for (index, file) in ProcFS.files.enumerated() where inTask || !file.isOfThread {
            entries.append(entry(file.name, number(thread, 32 + index), .regular))
        }
        for (index, name) in ProcFS.links.enumerated() {
            entries.append(entry(name, number(thread, 8 + index), .symbolicLink))
        }
        return entries
    }

    private func tasks(of id: ProcessID) -> any Inode {
        var facts = facts(id, 4, 0o555)
        facts.links = 2 + UInt64(information.threadIDs(of: id).count)
        return GeneratedDirectory(facts) { name throws(Errno) in
            guard let value = ProcFS.number(String(decoding: name.bytes, as: UTF8.self)),
                information.threadIDs(of: id).contains(ProcessID(value))
            else { throw .ENOENT }
            let thread = ProcessID(value)
            return GeneratedDirectory(self.facts(id, thread: thread, 5, 0o555)) { name throws(Errno) in
                guard information.threadIDs(of: id).contains(thread) else { throw .ENOENT }
                return try file(String(decoding: name.bytes, as: UTF8.self), of: id, thread: thread, inTask: true)
            } list: { () throws(Errno) in
                try processEntries(id, thread, inTask: true)
            }
        } list: { () throws(Errno) in
            information.threadIDs(of: id).map { entry("\($0)", number($0, 5), .directory) }
        }
    }

    private func file(
        _ name: String, of id: ProcessID, thread: ProcessID, inTask: Bool
    ) throws(Errno) -> any Inode {
        switch name {
        case "fd", "fdinfo": return descriptors(of: id, thread: thread, info: name == "fdinfo")
        case "net": return systemDirectory("net")
        case "ns": return nameSpaces(of: id, thread: thread)
        case "mem": return ProcessMemoryNode(facts(id, thread: thread, 7, 0o600), id, information)
        default: break
        }
        if let index = ProcFS.links.firstIndex(of: name) {
            return GeneratedLink(
                facts(id, thread: thread, 8 + index, 0o777),
                target: { () throws(Errno) in
                    .dentry(try guarded(id) { () throws(Errno) in try information.link(name, of: id) })
                }
            ) { () throws(Errno) in
                information.path(of: try guarded(id) { () throws(Errno) in try information.link(name, of: id) })
            }
        }
        guard let index = ProcFS.files.firstIndex(where: { $0.name == name }) else { throw .ENOENT }
        let file = ProcFS.files[index]
        guard inTask || !file.isOfThread else { throw .ENOENT }
        let store: (([UInt8]) throws(Errno) -> Void)? =
            file.isWritable
            ? { bytes throws(Errno) in try information.store(bytes, to: name, of: id, thread: thread) }
            : nil
        let check: (() throws(Errno) -> Void)? =
            file.isGuarded
            ? { () throws(Errno) in if !information.mayInspect(id) { throw .EACCES } } : nil
        return GeneratedFile(
            facts(id, thread: thread, 32 + index, file.permissions), isMadeByLine: file.isMadeByLine,
            readiness: file.readiness, check: check,
            store: store
        ) { () throws(Errno) in
            guard information.exists(id) else { throw .ESRCH }
            return try information.text(name, of: id, thread: thread)
        }
    }

    private func guarded<T>(_ id: ProcessID, _ body: () throws(Errno) -> T) throws(Errno) -> T {
        guard information.exists(id) else { throw .ENOENT }
        guard information.mayInspect(id) else { throw .EACCES }
        return try body()
    }

    private func nameSpaces(of id: ProcessID, thread: ProcessID) -> any Inode {
        GeneratedDirectory(facts(id, thread: thread, 6, 0o511)) { name throws(Errno) in
            let text = String(decoding: name.bytes, as: UTF8.self)
            guard let index = ProcFS.nameSpaces.firstIndex(where: { $0.name == text }) else { throw .ENOENT }
            let space = ProcFS.nameSpaces[index]
            return GeneratedLink(
                facts(id, thread: thread, 16 + index, 0o777),
                target: { () throws(Errno) in
                    guard information.mayInspect(id) else { throw .EACCES }
                    return .inode(NameSpaceNode(space.number))
                }
            ) { () throws(Errno) in Array("\(space.kind):[\(space.number)]".utf8) }
        } list: { () throws(Errno) in
            ProcFS.nameSpaces.enumerated().map { entry($1.name, number(thread, 16 + $0), .symbolicLink) }
        }
    }

    private func descriptors(of id: ProcessID, thread: ProcessID, info: Bool) -> any Inode {
        var facts = facts(id, thread: thread, info ? 3 : 2, info ? 0o555 : 0o500)
        if !info { facts.size = Int64((try? information.descriptors(of: id))?.count ?? 0) }
        let base = info ? 0x80000 : 0x40000
        return GeneratedDirectory(facts) { name throws(Errno) in
            guard let value = ProcFS.number(String(decoding: name.bytes, as: UTF8.self)) else { throw .ENOENT }
            _ = try guarded(id) { () throws(Errno) in try information.descriptor(value, of: id) }
            var facts = self.facts(id, thread: thread, base + Int(value & 0x3ffff), 0o444)
            if info {
                return GeneratedFile(facts) { () throws(Errno) in
                    try information.text("fdinfo/\(value)", of: id, thread: thread)
                }
            }
            facts.size = 64
            return GeneratedLink(
                facts,
                mode: { () throws(Errno) in
                    let link = try information.descriptor(value, of: id)
                    return (link.mayRead ? 0o500 : 0) | (link.mayWrite ? 0o300 : 0)
                },
                target: { () throws(Errno) in
                    try guarded(id) { () throws(Errno) in try information.descriptor(value, of: id).target }
                }
            ) { () throws(Errno) in try information.descriptor(value, of: id).text }
        } list: { () throws(Errno) in
            guard information.mayInspect(id) else { throw .EACCES }
            return try information.descriptors(of: id).map {
                entry("\($0)", number(thread, base + Int($0 & 0x3ffff)), info ? .regular : .symbolicLink)
            }
        }
    }
}

/// What the links of `/proc/pid/ns` lead to: a file that can be compared, and no more.
final class NameSpaceNode: Inode {
    private let number: UInt64
    let locks = FileLocks()

    init(_ number: UInt64) { self.number = number }

    var kind: FileKind { .regular }

    func attributes() throws(Errno) -> FileAttributes {
        var attributes = FileAttributes()
        attributes.inode = number
        attributes.device = DeviceNumber(major: 0, minor: 4).rawValue
        attributes.mode = FileMode(.regular, 0o444)
        return attributes
    }

    func open(_ flags: OpenFlags) throws(Errno) -> any FileOperations {
        guard !flags.mayWrite else { throw .EPERM }
        return NameSpaceFile(self)
    }
}

/// An open name space.
final class NameSpaceFile: FileOperations {
    private let node: NameSpaceNode

    init(_ node: NameSpaceNode) { self.node = node }

    var inode: any Inode { node }
}
