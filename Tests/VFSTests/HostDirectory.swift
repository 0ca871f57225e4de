import Foundation
import HostFS
import HostSystem
import LinuxABI
import TmpFS
import Testing
import VFS

/// A directory of the host for one test, gone with it.
final class HostDirectory {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "apus-vfs-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: path + "/" + name, atomically: false, encoding: .utf8)
    }

    func makeDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: true)
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path + "/" + name, withDestinationPath: target)
    }

    func hardLink(_ old: String, _ new: String) throws {
        try FileManager.default.linkItem(atPath: path + "/" + old, toPath: path + "/" + new)
    }

    private func at<T>(_ name: String, _ body: (Int32, [UInt8]) throws(Errno) -> T) throws(Errno) -> T {
        let full = (path + "/" + name) as NSString
        let directory = try Host.openDirectory(full.deletingLastPathComponent)
        defer { Host.close(directory) }
        return try body(directory, Array(full.lastPathComponent.utf8))
    }

    /// Over whatever is there.
    func move(_ old: String, _ new: String) throws(Errno) {
        try at(old) { from, oldName throws(Errno) in
            try at(new) { to, newName throws(Errno) in
                try Host.rename(from: from, oldName, to: to, newName, flags: 0)
            }
        }
    }

    func remove(_ name: String, isDirectory: Bool = false) throws(Errno) {
        try at(name) { directory, name throws(Errno) in try Host.unlink(in: directory, name, isDirectory: isDirectory) }
    }

    func setMode(_ name: String, _ mode: Int) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path + "/" + name)
    }

    func read(_ name: String) -> String? { try? String(contentsOfFile: path + "/" + name, encoding: .utf8) }

    func names(_ name: String = ".") -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: path + "/" + name).sorted()) ?? []
    }

    /// A descriptor as the sandbox gets it.
    func descriptor() throws(Errno) -> Int32 { try Host.openDirectory(path) }
}

/// A tree with one file system and root's rights, as the tests change it.
struct TestTree {
    let root: Dentry
    var credentials = FileCredentials.kernel

    init(_ inode: any Inode, isExclusive: Bool = true, outside: Outside? = nil) {
        root = Mount(
            id: 1, source: "test", type: "test", isExclusive: isExclusive, showsOutside: outside != nil,
            outside: outside ?? Outside()
        ).attach(inode, at: nil)
    }

    func find(_ path: String, follow: Bool = true, from start: Dentry? = nil) throws(Errno) -> Dentry {
        var walk = PathWalk(
            root: root, start: start ?? root, credentials: credentials, options: follow ? [.followLast] : [])
        return try walk.resolve(Array(path.utf8))
    }

    func parent(_ path: String) throws(Errno) -> Parent {
        var walk = PathWalk(root: root, start: root, credentials: credentials)
        return try walk.resolveParent(Array(path.utf8))
    }

    @discardableResult
    func make(_ path: String, _ text: String = "") throws(Errno) -> Dentry {
        let dentry = try TreeChanges.create(try parent(path), mode: FileMode(.regular, 0o644), credentials)
        if !text.isEmpty { try write(path, text) }
        return dentry
    }

    func makeDirectory(_ path: String) throws(Errno) {
        try TreeChanges.makeDirectory(try parent(path), permissions: 0o755, credentials)
    }

    func makeLink(_ path: String, to target: String) throws(Errno) {
        try TreeChanges.makeSymbolicLink(try parent(path), to: Array(target.utf8), credentials)
    }

    func rename(_ old: String, _ new: String, _ flags: UInt32 = 0) throws(Errno) {
        try TreeChanges.rename(try parent(old), to: try parent(new), flags: flags, credentials)
    }

    func unlink(_ path: String) throws(Errno) { _ = try TreeChanges.unlink(try parent(path), credentials) }

    func removeDirectory(_ path: String) throws(Errno) {
        _ = try TreeChanges.removeDirectory(try parent(path), credentials)
    }

    func open(_ path: String, _ flags: OpenFlags = .readWrite) throws(Errno) -> OpenFile {
        let dentry = try find(path)
        let file = OpenFile(try dentry.inode.open(flags), flags: flags, location: dentry)
        file.retain()
        return file
    }

    @discardableResult
    func write(_ path: String, _ text: String, at offset: Int64 = 0) throws(Errno) -> Int {
        let file = try open(path)
        defer { file.release() }
        return try file.operations.write(file, Array(text.utf8).span, at: offset)
    }

    func text(_ path: String) throws(Errno) -> String {
        let file = try open(path, [])
        defer { file.release() }
        return try TestTree.text(file)
    }

    static func text(_ file: OpenFile, _ count: Int = 4096, at offset: Int64 = 0) throws(Errno) -> String {
        let bytes = try [UInt8](capacity: count) { output throws(Errno) in
            try file.operations.read(file, into: &output, at: offset)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func names(_ path: String) throws(Errno) -> [String] {
        try find(path).inode.entries().map { String(decoding: $0.name.bytes, as: UTF8.self) }.sorted()
    }

    func attributes(_ path: String) throws(Errno) -> FileAttributes { try find(path, follow: false).inode.attributes() }
}

func noTime() -> Timestamp { Timestamp(seconds: 1_700_000_000) }
