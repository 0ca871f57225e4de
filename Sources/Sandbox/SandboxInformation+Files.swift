internal import HostFS
internal import Kernel
internal import LinuxABI
internal import ProcFS
internal import VFS

/// A process's files and mounts as `/proc` shows them.
extension SandboxInformation {
    func link(_ name: String, of process: ProcessID) throws(Errno) -> Dentry {
        guard let process = kernel.processes[process] else { throw .ENOENT }
        if name == "exe" {
            guard let executable = process.executable, !process.threads.isEmpty else { throw .ENOENT }
            return executable
        }
        guard let thread = process.threads.first else { throw .ENOENT }
        return name == "cwd" ? thread.fileSystem.workingDirectory : thread.fileSystem.root
    }

    func descriptors(of process: ProcessID) throws(Errno) -> [Int32] {
        guard let process = kernel.processes[process] else { throw .ENOENT }
        return process.threads.first?.files.numbers.map(\.rawValue) ?? []
    }

    private func file(_ number: Int32, _ thread: GuestThread?) throws(Errno) -> OpenFile {
        guard let file = try? thread?.files.file(FileNumber(number)) else { throw .ENOENT }
        return file
    }

    func descriptor(_ number: Int32, of process: ProcessID) throws(Errno) -> DescriptorLink {
        let file = try file(number, kernel.processes[process]?.threads.first)
        let isPathOnly = file.flags.contains(.pathOnly)
        let text: [UInt8]
        let target: MagicTarget
        if let location = file.location {
            text = path(of: location)
            target = .dentry(location)
        } else {
            text = try name(of: file)
            target = .inode(file.operations.inode)
        }
        return DescriptorLink(
            target: target, text: text, mayRead: file.flags.mayRead && !isPathOnly,
            mayWrite: file.flags.mayWrite && !isPathOnly)
    }

    /// What stands for an open file that has no place in the tree.
    private func name(of file: OpenFile) throws(Errno) -> [UInt8] {
        let inode = file.operations.inode
        if let name = (inode as? HostStreamNode)?.name { return name }
        if let anonymous = inode as? AnonymousNode { return Array("anon_inode:\(anonymous.label)".utf8) }
        let number = try inode.attributes().inode
        switch inode.kind {
        case .fifo: return Array("pipe:[\(number)]".utf8)
        case .socket: return Array("socket:[\(number)]".utf8)
        default: return Array("anon_inode:[\(number)]".utf8)
        }
    }

    /// As seen from the reader's root; what it cannot reach is shown from the root of all.
    func path(of dentry: Dentry) -> [UInt8] {
        var path: [UInt8] = []
        if let root = reader?.fileSystem.root, let below = dentry.path(from: root) {
            path = below
        } else {
            var top = dentry
            while let above = top.parent ?? top.mount.point { top = above }
            // A file of the kernel's own tmpfs stands nowhere.
            path =
                top === dentry && !dentry.name.bytes.isEmpty ? [0x2f] + dentry.name.bytes : dentry.path(from: top) ?? []
        }
        return dentry.isDeleted ? path + Array(" (deleted)".utf8) : path
    }

    // MARK: fdinfo

    func descriptorInformation(_ number: Int32, _ thread: GuestThread?) throws(Errno) -> String {
        let file = try file(number, thread)
        let isClosing = (try? thread?.files.closeOnExec(FileNumber(number))) ?? false
        let flags = file.flags.rawValue | (isClosing ? OpenFlags.closeOnExec.rawValue : 0)
        var text = "pos:\t\(file.position)\nflags:\t0\(flags.octal())\nmnt_id:\t\(file.location?.mount.id ?? 15)\n"
        let attributes = try file.operations.inode.attributes()
        text += "ino:\t\(attributes.inode)\n"
        text += (file.operations as? any DescribedFile)?.description ?? ""
        let locks = file.operations.inode.locks.held(
            through: file, table: thread.map { ObjectIdentifier($0.files) }, process: thread?.process.id.rawValue ?? 0)
        for (index, held) in locks.enumerated() { text += "lock:\t" + line(index + 1, held, attributes) }
        return text
    }

    private func line(_ index: Int, _ held: FileLocks.Held, _ attributes: FileAttributes) -> String {
        let device = DeviceNumber(rawValue: attributes.device)
        let end = held.end == .max ? "EOF" : "\(held.end - 1)"
        return "\(index): \(held.kind.rawValue.left(6)) ADVISORY  \(held.isExclusive ? "WRITE" : "READ ") "
            + "\(held.processID) \(device.major.hex(2)):\(device.minor.hex(2)):\(attributes.inode) \(held.start) \(end)\n"
    }

    /// `/proc/locks`: each lock once, though several descriptors may lead to it.
    func lockLines() -> String {
        var text = ""
        var count = 0
        var seen: Set<[ObjectIdentifier]> = []
        for thread in kernel.threads.values.sorted(by: { $0.id < $1.id }) {
            let table = ObjectIdentifier(thread.files)
            for number in thread.files.numbers {
                guard let file = try? thread.files.file(number) else { continue }
                let inode = file.operations.inode
                let held = inode.locks.held(through: file, table: table, process: thread.process.id.rawValue)
                guard !held.isEmpty, let attributes = try? inode.attributes() else { continue }
                let ofTable = seen.insert([table, ObjectIdentifier(inode.locks)]).inserted
                let ofFile = seen.insert([ObjectIdentifier(file)]).inserted
                for lock in held where lock.kind == .posix ? ofTable : ofFile {
                    count += 1
                    text += line(count, lock, attributes)
                }
            }
        }
        return text
    }

    // MARK: Mounts

    /// The mounts that the reader's root shows, each with its place.
    private var visibleMounts: [(mount: Mount, root: Dentry, path: [UInt8])] {
        let top = reader?.fileSystem.root ?? mounts.mounts.first?.root
        guard let top else { return [] }
        return mounts.mounts.compactMap { mount -> (mount: Mount, root: Dentry, path: [UInt8])? in
            guard let root = mount.root, let path = root.path(from: top) else { return nil }
            return (mount, root, path.escaped(" \t\n\\#"))
        }
    }

    private func options(_ mount: Mount) -> String {
        (mount.isReadOnly ? "ro" : "rw") + (mount.options.isEmpty ? "" : "," + mount.options)
    }

    func mountLines() -> [UInt8] {
        var text: [UInt8] = []
        for (mount, _, path) in visibleMounts {
            let extra = mount.fileSystemOptions.isEmpty ? "" : "," + mount.fileSystemOptions
            text += Array(mount.source.utf8).escaped(" \t\n\\#") + [0x20] + path
            text += Array(" \(mount.type) \(options(mount))\(extra) 0 0\n".utf8)
        }
        return text
    }

    func mountInformation() -> [UInt8] {
        var text: [UInt8] = []
        for (mount, root, path) in visibleMounts {
            let device = DeviceNumber(rawValue: (try? root.inode.attributes())?.device ?? 0)
            let parent = mount.point?.mount.id ?? 1
            let extra = mount.fileSystemOptions.isEmpty ? "" : "," + mount.fileSystemOptions
            text += Array("\(mount.id) \(parent) \(device.major):\(device.minor) / ".utf8) + path
            text += Array(" \(options(mount)) - \(mount.type) ".utf8) + Array(mount.source.utf8).escaped(" \t\n\\#")
            text += Array(" \(mount.isReadOnly ? "ro" : "rw")\(extra)\n".utf8)
        }
        return text
    }
}
