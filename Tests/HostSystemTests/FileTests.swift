import Foundation
import LinuxABI
import Testing

@testable import HostSystem

@Suite("files of the host below a directory")
final class FileTests {
    private let path: String
    private let directory: Int32

    init() throws {
        path = NSTemporaryDirectory() + "apus-host-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path + "/d", withIntermediateDirectories: true)
        try "content".write(toFile: path + "/d/f", atomically: false, encoding: .utf8)
        try FileManager.default.createSymbolicLink(atPath: path + "/out", withDestinationPath: "/etc")
        try FileManager.default.createSymbolicLink(atPath: path + "/in", withDestinationPath: "d")
        directory = try Host.openDirectory(path)
    }

    deinit {
        Host.close(directory)
        try? FileManager.default.removeItem(atPath: path)
    }

    private func open(_ name: String, _ flags: OpenFlags = []) throws(Errno) -> Int32 {
        try Host.open(below: directory, Array(name.utf8), flags: flags)
    }

    @Test(
        "no path leads out, through no link",
        arguments: [
            ("..", Errno.EXDEV), ("d/../..", .EXDEV), ("/etc/passwd", .EXDEV), ("out", .ELOOP), ("out/passwd", .ELOOP),
            ("in/f", .ELOOP), ("none", .ENOENT), ("d/f/x", .ENOTDIR),
        ])
    func contained(_ name: String, _ error: Errno) {
        #expect(throws: error) { try open(name) }
    }

    @Test("reads at an offset, as much as there is room for")
    func reads() throws {
        let file = try open("d/f")
        defer { Host.close(file) }
        let bytes = try [UInt8](capacity: 3) { output throws(Errno) in
            #expect(try Host.read(file, at: 2, into: &output, limit: 100) == 3)
        }
        #expect(bytes == Array("nte".utf8))
        #expect(try Host.status(file).size == 7)
        #expect(FileMode(rawValue: try Host.status(file).mode).kind == .regular)
    }

    @Test("lists names without dot and dot-dot")
    func entries() throws {
        let opened = try open("", [.directory])
        defer { Host.close(opened) }
        #expect(
            try Host.entries(opened).map { String(decoding: $0.name, as: UTF8.self) }.sorted() == ["d", "in", "out"])
    }

    @Test(
        "a name with a slash or none at all is refused before the host sees it: EINVAL", arguments: ["", "a/b", "/x"])
    func names(_ name: String) {
        let bytes = Array(name.utf8)
        #expect(throws: Errno.EINVAL) { try Host.makeDirectory(in: directory, bytes, mode: 0o755) }
        #expect(throws: Errno.EINVAL) { try Host.unlink(in: directory, bytes, isDirectory: false) }
        #expect(throws: Errno.EINVAL) {
            try Host.rename(from: directory, bytes, to: directory, Array("x".utf8), flags: 0)
        }
    }

    @Test("devices are not for guests to make: EPERM")
    func devices() {
        #expect(throws: Errno.EPERM) {
            try Host.makeNode(in: directory, Array("n".utf8), mode: FileMode(.characterDevice, 0o666))
        }
    }

    @Test("a descriptor that is open knows its name and can be doubled")
    func descriptors() throws {
        let file = try open("d/f")
        let copy = try Host.duplicate(file)
        Host.close(file)
        #expect(try Host.nameOfDescriptor(copy) == Array((path + "/d/f").utf8))
        Host.close(copy)
        #expect(throws: Errno.EBADF) { try Host.status(copy) }
    }

    @Test("random bytes fill what is asked for")
    func random() {
        #expect(Host.random(0).isEmpty)
        #expect(Host.random(1000).count == 1000)
        #expect(Host.random(32) != Host.random(32))
    }
}

@Suite("copying bytes at once")
struct BytesTests {
    @Test("a span is appended as far as there is room", arguments: [0, 1, 5, 8, 20])
    func append(_ count: Int) {
        let source = (0..<UInt8(count)).map { $0 }
        let bytes = [UInt8](capacity: 8) { output in
            output.append(0xff)
            output.append(copying: source.span)
        }
        #expect(bytes == [0xff] + source.prefix(7))
    }

    @Test(
        "bytes replace others as far as they fit", arguments: [(0, 3, 3), (6, 3, 2), (8, 3, 0), (-1, 3, 0), (2, 0, 0)])
    func replace(_ start: Int, _ count: Int, _ taken: Int) {
        var bytes = [UInt8](repeating: 0, count: 8)
        let source = [UInt8](repeating: 7, count: count)
        var span = bytes.mutableSpan
        #expect(span.replace(at: start, with: source.span) == taken)
        #expect(bytes.filter { $0 == 7 }.count == taken)
        if taken > 0 { #expect(bytes[start] == 7) }
    }

    @Test("an array grows by a copy")
    func array() {
        var bytes: [UInt8] = [1]
        bytes.append(copying: ([2, 3] as [UInt8]).span)
        #expect(bytes == [1, 2, 3])
        #expect([UInt8](copying: bytes.span.extracting(droppingFirst: 1)) == [2, 3])
    }
}
