internal import DevFS
internal import HostFS
internal import HostSystem
internal import Kernel
internal import LinuxABI
internal import OverlayFS
internal import TmpFS
internal import VFS

/// The guest's tree of file systems.
final class SandboxTree {
    let root: Dentry
    let anonymousFiles: AnonymousFiles

    init(_ configuration: Configuration, _ opened: Opened, kernel: Kernel) throws(Errno) {
        let clock: () -> Timestamp = { [unowned kernel] in kernel.clock.realTime }
        let devices = DeviceRegistry()
        DevFS.register(in: devices)
        let limit = Int64(clamping: configuration.memory ?? 8 << 30)
        let overlay = OverlayFS.makeRoot(
            over: HostRoot(descriptor: opened.root), device: DeviceNumber(major: 0, minor: 30).rawValue, limit: limit,
            devices: devices, clock: clock)
        let mount = Mount(id: 1, source: "overlay", type: "overlay", isReadOnly: configuration.isReadOnly)
        root = mount.attach(overlay, at: nil)
        let deviceFiles = TmpFS(
            device: DeviceNumber(major: 0, minor: 5).rawValue, limit: limit, devices: devices, clock: clock)
        let deviceRoot = deviceFiles.makeRoot()
        try DevFS.populate(deviceRoot)
        var walk = PathWalk(root: root, start: root, credentials: .kernel)
        if let point = try? walk.resolve(Array("/dev".utf8)) {
            _ = Mount(id: 2, source: "devtmpfs", type: "devtmpfs").attach(deviceRoot, at: point)
        }
        let anonymous = TmpFS(device: DeviceNumber(major: 0, minor: 1).rawValue, limit: limit, clock: clock)
        anonymousFiles = AnonymousFiles(anonymous, mountID: 3)
    }
}
