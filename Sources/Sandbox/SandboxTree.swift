internal import DevFS
internal import HostFS
internal import HostSystem
internal import Kernel
internal import LinuxABI
internal import OverlayFS
internal import ProcFS
internal import TmpFS
internal import VFS

/// The guest's tree of file systems: an overlay in memory over the host's root, what every Linux has above it, and the
/// directories that the user has bound in.
final class SandboxTree {
    let root: Dentry
    let anonymousFiles: AnonymousFiles
    let mounts = MountTable()
    /// What the files in memory use, all file systems together.
    let budget: MemoryBudget
    private let information: SandboxInformation
    private let processes: ProcFS

    /// How many bytes guests may write to files in memory when `--memory` does not say.
    private static let defaultLimit: UInt64 = 8 << 30

    init(_ configuration: Configuration, _ opened: Opened, kernel: Kernel) throws(Errno) {
        let clock: () -> Timestamp = { [unowned kernel] in kernel.clock.realTime }
        let devices = DeviceRegistry()
        DevFS.register(in: devices)
        kernel.registerTerminals(in: devices)
        let limit = Int64(clamping: configuration.memory ?? SandboxTree.defaultLimit)
        let budget = MemoryBudget(limit: limit, longestFile: Host.fileSizeLimit)
        self.budget = budget
        func fileSystem(_ minor: UInt32, magic: UInt64 = 0x0102_1994) -> TmpFS {
            TmpFS(
                device: DeviceNumber(major: 0, minor: minor).rawValue, limit: limit, magic: magic, devices: devices,
                budget: budget, clock: clock)
        }
        // New files belong to the same device as the host's: it is one file system to the guest.
        // Directories and files in turn, so that neither drives the other out.
        let (directories, files) = (KeptDescriptors(), KeptDescriptors())
        let host = HostRoot(descriptor: opened.root, kept: directories)
        let overlay = OverlayFS.makeRoot(
            over: host, device: try host.node.attributes().device, limit: limit, devices: devices, budget: budget,
            outside: mounts.outside, kept: files, clock: clock)
        SandboxTree.sweep([directories, files], kernel)
        let base = mounts.add(source: "overlay", type: "overlay", showsOutside: true)
        root = base.attach(overlay, at: nil)
        anonymousFiles = AnonymousFiles(fileSystem(1), mountID: mounts.detached(source: "", type: "").id)
        information = SandboxInformation(
            kernel: kernel, mounts: mounts, host: opened.facts, memoryLimit: configuration.memory)
        processes = ProcFS(information)

        let guarded = "nosuid,nodev,noexec,relatime"
        let builder = TreeBuilder(root: root, mounts: mounts)
        try builder.mount(processes.root, at: "/proc", source: "proc", type: "proc", options: guarded)
        let system = fileSystem(22, magic: SysFS.magic).makeRoot(permissions: 0o555)
        try SysFS.populate(
            system, devices: opened.facts.systemDevices.map { ($0.name, HostRoot(descriptor: $0.descriptor).node) },
            hugePages: opened.facts.hugePages)
        try builder.mount(
            system, at: "/sys", source: "sysfs", type: "sysfs", options: guarded, isReadOnly: true)
        let deviceRoot = fileSystem(5).makeRoot()
        try DevFS.populate(deviceRoot)
        try builder.mount(
            deviceRoot, at: "/dev", source: "devtmpfs", type: "devtmpfs", options: "nosuid,relatime",
            fileSystemOptions: "mode=755")
        try builder.mount(
            fileSystem(23).makeRoot(permissions: 0o1777), at: "/dev/shm", source: "tmpfs", type: "tmpfs",
            options: "nosuid,nodev,relatime")
        try builder.mount(
            kernel.pseudoTerminals.root, at: "/dev/pts", source: "devpts", type: "devpts",
            options: "nosuid,noexec,relatime", fileSystemOptions: "mode=600,ptmxmode=000", isExclusive: false)
        if !builder.exists("/tmp") {
            try builder.mount(
                fileSystem(24).makeRoot(permissions: 0o1777), at: "/tmp", source: "tmpfs", type: "tmpfs",
                options: "nosuid,nodev,relatime")
        }
        for (bind, place) in zip(configuration.binds, opened.binds) {
            try builder.mount(
                try HostTree.root(
                    descriptor: place.descriptor, openFile: place.openFile, devices: devices, outside: mounts.outside),
                at: bind.target, source: bind.source, type: "bind", isReadOnly: bind.isReadOnly, isExclusive: false)
        }
        // Not before every place to mount at has been made: in memory, whatever the guest may change.
        base.isReadOnly = configuration.isReadOnly
    }

    /// Closes what was kept open and has not been used for some seconds, as long as there is anything.
    private static func sweep(_ all: [KeptDescriptors], _ kernel: Kernel) {
        var isDue = false
        func later() {
            guard !isDue else { return }
            isDue = true
            let time = kernel.clock.now.advanced(byNanoseconds: 2_000_000_000)
            _ = kernel.timers.schedule(at: time) {
                isDue = false
                for kept in all { kept.sweep() }
                if all.contains(where: { $0.count > 0 }) { later() }
            }
        }
        for kept in all { kept.whenFirst = { later() } }
    }
}

/// Puts file systems into a tree, making the places where they go.
struct TreeBuilder {
    let root: Dentry
    let mounts: MountTable

    func exists(_ path: String) -> Bool {
        var walk = PathWalk(root: root, start: root, credentials: .kernel)
        return (try? walk.resolve(Array(path.utf8))) != nil
    }

    func mount(
        _ inode: any Inode, at path: String, source: String, type: String, options: String = "relatime",
        fileSystemOptions: String = "", isReadOnly: Bool = false, isExclusive: Bool = true
    ) throws(Errno) {
        let point = try place(Array(path.utf8), isDirectory: inode.kind == .directory)
        let mount = mounts.add(
            source: source, type: type, options: options, fileSystemOptions: fileSystemOptions, isReadOnly: isReadOnly,
            isExclusive: isExclusive)
        _ = mount.attach(inode, at: point)
    }

    /// The place itself, made with everything above it where it is missing: nothing of that reaches the host, but below a
    /// directory that is bound for writing.
    private func place(_ path: [UInt8], isDirectory: Bool) throws(Errno) -> Dentry {
        let parts = path.split(separator: 0x2f)
        var prefix: [UInt8] = []
        for (index, part) in parts.enumerated() {
            prefix += [0x2f] + part
            var walk = PathWalk(root: root, start: root, credentials: .kernel)
            do throws(Errno) {
                _ = try walk.resolve(prefix)
            } catch {
                guard error == .ENOENT else { throw error }
                let parent = try walk.resolveParent(prefix)
                if index == parts.count - 1, !isDirectory {
                    _ = try TreeChanges.create(parent, mode: FileMode(.regular, 0o644), .kernel)
                } else {
                    try TreeChanges.makeDirectory(parent, permissions: 0o755, .kernel)
                }
            }
        }
        var walk = PathWalk(root: root, start: root, credentials: .kernel)
        let found = try walk.resolve(path)
        guard (found.inode.kind == .directory) == isDirectory else { throw isDirectory ? .ENOTDIR : .EISDIR }
        return found
    }
}
