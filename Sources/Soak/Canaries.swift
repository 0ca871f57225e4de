internal import Foundation
internal import HostSystem
internal import LinuxABI

/// What must be as it was, whatever guests do: files that they may see and files that they may not, the host's devices, its
/// mounts, and a process beside them.
struct Canaries {
    private struct Look: Equatable {
        var mode: UInt32
        var owner: [UInt32]
        var links: UInt32
        var inode: UInt64
        var size: UInt64
        var device: UInt64
        /// Of content and of attributes, in nanoseconds.
        var times: [Int64]
        var content: Data?
    }

    private let folders: [String]
    private let devices: [String]
    private let before: [String: Look]
    private let mounts: Int
    private let companion: Companion

    init(_ workshop: Workshop) throws {
        folders = ["inside", "outside", "stage"].map { workshop.folder.appendingPathComponent($0).path }
        for folder in folders {
            for (index, mode) in [0o644, 0o600, 0o444, 0o4755].enumerated() {
                let path = "\(folder)/canary-\(index)"
                try Data("a canary: \(folder) \(index)\n".utf8).write(to: URL(fileURLWithPath: path))
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            }
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/canary-link", withDestinationPath: "canary-0")
            try FileManager.default.createDirectory(
                atPath: "\(folder)/canary-folder/inner", withIntermediateDirectories: true)
        }
        devices = ["null", "zero", "full", "random", "urandom", "tty", "ptmx", "mem", "kmsg", "fuse", "net/tun"]
            .map { "/dev/" + $0 }.filter { FileManager.default.fileExists(atPath: $0) }
        companion = try Companion(workshop.program("canary"))
        guard companion.answer(within: 10) == "whole" else { throw SoakError("the canary did not start") }
        mounts = ProcessTable.mounts
        before = Canaries.look(folders, devices)
    }

    private static func look(_ folders: [String], _ devices: [String]) -> [String: Look] {
        var looks: [String: Look] = [:]
        for folder in folders {
            let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
            for name in names + ["."] { looks["\(folder)/\(name)"] = look("\(folder)/\(name)", withTimes: true) }
        }
        // Whoever writes to a device changes its times.
        for path in devices { looks[path] = look(path, withTimes: false) }
        return looks
    }

    private static func look(_ path: String, withTimes: Bool) -> Look? {
        guard let descriptor = try? Host.openPath(path) else { return nil }
        defer { Host.close(descriptor) }
        guard let status = try? Host.status(descriptor) else { return nil }
        let isFile = status.mode & 0o17_0000 == 0o10_0000
        return Look(
            mode: status.mode, owner: [status.userID, status.groupID], links: withTimes ? status.links : 0,
            inode: status.inode, size: status.size, device: status.representedDevice,
            times: withTimes ? [status.modification.nanoseconds, status.change.nanoseconds].map { Int64($0) } : [],
            content: isFile && status.size < 1 << 16 ? FileManager.default.contents(atPath: path) : nil)
    }

    /// What has changed; empty if nothing has.
    func changes() -> [String] {
        let after = Canaries.look(folders, devices)
        var changes = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }.sorted().map { path in
            "\(path): " + (after[path] == nil ? "is gone" : before[path] == nil ? "is new" : "has changed")
        }
        companion.say("?\n")
        let answer = companion.answer(within: 10)
        if answer != "whole" { changes.append("the canary process: \(answer ?? "gives no answer")") }
        if mounts != ProcessTable.mounts {
            // Others mount for a moment.
            Thread.sleep(forTimeInterval: 1)
            let now = ProcessTable.mounts
            if now != mounts { changes.append("the host has \(now) mounts, and had \(mounts)") }
        }
        return changes
    }

    func end() { companion.end() }
}
