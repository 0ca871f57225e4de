import LinuxABI
import ProcFS
import Testing
import TmpFS
import VFS

/// Two processes, 7 with threads 7 and 8, and 9, which is somebody else's.
private final class FakeProcesses: ProcessInformation {
    var living: Set<Int32> = [7, 9]
    var stored: [String: [UInt8]] = [:]
    let target: Dentry

    init(_ target: Dentry) { self.target = target }

    var processIDs: [ProcessID] { living.sorted().map { ProcessID($0) } }
    var currentProcess: ProcessID { ProcessID(7) }
    var currentThread: ProcessID { ProcessID(8) }
    var startTime: Timestamp { noTime() }
    func threadIDs(of process: ProcessID) -> [ProcessID] {
        process.rawValue == 7 ? [ProcessID(7), ProcessID(8)] : [process]
    }
    func process(ofThread thread: ProcessID) -> ProcessID? {
        if thread.rawValue == 8 { return ProcessID(7) }
        return living.contains(thread.rawValue) ? thread : nil
    }
    func exists(_ process: ProcessID) -> Bool { living.contains(process.rawValue) }
    func start(of process: ProcessID) -> MonotonicTime? {
        living.contains(process.rawValue) ? MonotonicTime(nanoseconds: Int64(process.rawValue)) : nil
    }
    func owner(of process: ProcessID) -> (user: UInt32, group: UInt32, since: Timestamp) { (1000, 1000, noTime()) }
    func mayInspect(_ process: ProcessID) -> Bool { process.rawValue == 7 }
    func text(_ file: String, of process: ProcessID, thread: ProcessID) throws(Errno) -> [UInt8] {
        // A hundred lines of a hundred bytes.
        let line = [UInt8](repeating: 0x61, count: 99) + [0x0a]
        if file == "maps" { return Array(repeatElement(line, count: 100).joined()) }
        return Array("\(file) of \(process)/\(thread)".utf8)
    }
    func link(_ name: String, of process: ProcessID) throws(Errno) -> Dentry { target }
    func descriptors(of process: ProcessID) throws(Errno) -> [Int32] { [0, 3] }
    func descriptor(_ number: Int32, of process: ProcessID) throws(Errno) -> DescriptorLink {
        guard number == 0 || number == 3 else { throw .ENOENT }
        return DescriptorLink(target: .dentry(target), text: Array("/there".utf8), mayRead: true, mayWrite: number == 3)
    }
    func store(_ bytes: [UInt8], to file: String, of process: ProcessID, thread: ProcessID) throws(Errno) {
        stored["\(file)/\(thread)"] = bytes
    }
    func readMemory(of process: ProcessID, at address: UInt, into output: inout OutputSpan<UInt8>) throws(Errno) {
        guard address >= 0x1000 else { throw .EIO }
        output.append(UInt8(truncatingIfNeeded: address))
    }
    func writeMemory(of process: ProcessID, at address: UInt, _ bytes: Span<UInt8>) throws(Errno) -> Int { bytes.count }
    func path(of dentry: Dentry) -> [UInt8] { Array("/there".utf8) }
    func systemText(_ path: String) throws(Errno) -> [UInt8] { Array("text of \(path)".utf8) }
    func storeSystem(_ bytes: [UInt8], to path: String) throws(Errno) { stored[path] = bytes }
}

@Suite("the shape of /proc")
struct ProcFSTests {
    private let information: FakeProcesses
    private let tree: TestTree

    init() throws {
        let place = TestTree(TmpFS(device: 7, limit: 1 << 20, clock: noTime).makeRoot())
        information = FakeProcesses(try place.make("there", "the file"))
        tree = TestTree(ProcFS(information).root)
    }

    @Test("lists processes by number, and the links to oneself")
    func root() throws {
        let names = try tree.names(".")
        for name in ["7", "9", "self", "thread-self", "mounts", "cpuinfo", "meminfo", "sys"] {
            #expect(names.contains(name))
        }
        #expect(!names.contains("8"))
        #expect(try tree.find("self", follow: false).inode.readLink() == Array("7".utf8))
        #expect(try tree.find("thread-self", follow: false).inode.readLink() == Array("7/task/8".utf8))
    }

    @Test(
        "a thread is found by its own number, too, but not what is no number", arguments: ["08", "+7", "-7", "7x", ""])
    func numbers(_ name: String) throws {
        #expect(try tree.text("8/stat") == "stat of 7/8")
        guard !name.isEmpty else { return }
        #expect(throws: Errno.ENOENT) { try tree.find(name) }
    }

    @Test("a process that is gone is not found, and its open files say so: ESRCH")
    func gone() throws {
        let file = try tree.open("9/status", [])
        #expect(try TestTree.text(file) == "status of 9/9")
        information.living.remove(9)
        #expect(throws: Errno.ENOENT) { try tree.find("9") }
        #expect(throws: Errno.ESRCH) { try TestTree.text(file) }
        #expect(throws: Errno.ENOENT) { try tree.find("9/status") }
    }

    @Test("texts are made anew at each reading from the beginning, and go on where they were")
    func anew() throws {
        let file = try tree.open("7/stat", [])
        #expect(try TestTree.text(file, 4) == "stat")
        #expect(try TestTree.text(file, 100, at: 5) == "of 7/7")
        #expect(try file.operations.seek(file, to: 0, whence: 0) == 0)
        #expect(throws: Errno.EINVAL) { try file.operations.seek(file, to: 0, whence: 2) }
    }

    @Test("what is made line by line is read in whole lines, a page at most, and what is left of a line before")
    func lines() throws {
        let file = try tree.open("7/maps", [])
        var place: Int64 = 0
        func read(_ count: Int) throws -> Int {
            let length = try TestTree.text(file, count, at: place).utf8.count
            place += Int64(length)
            return length
        }
        // 40 lines fit into a page.
        #expect(try read(8192) == 4000)
        // Lines until the buffer is full, the last one in part; then its rest and another page.
        #expect(try read(250) == 250)
        #expect(try read(8192) == 50 + 4000)
        #expect(try read(8192) == 1700)
        #expect(try read(8192) == 0)
        // Whoever jumps into a line gets its rest first.
        place = 150
        #expect(try read(8192) == 50 + 4000)
    }

    @Test("the files of threads are the thread's", arguments: ["comm", "stat", "status"])
    func threads(_ name: String) throws {
        #expect(try tree.names("7/task") == ["7", "8"])
        #expect(try tree.text("7/task/8/" + name) == "\(name) of 7/8")
        #expect(throws: Errno.ENOENT) { try tree.find("7/task/9") }
        #expect(throws: Errno.ENOENT) { try tree.find("7/children") }
        #expect(try tree.text("7/task/7/children") == "children of 7/7")
    }

    @Test("what only a tracer may see is EACCES for others", arguments: ["maps", "environ", "auxv", "smaps", "mem"])
    func guarded(_ name: String) throws {
        #expect(throws: Errno.EACCES) { try tree.open("9/" + name, []) }
        let own = try tree.open("7/" + name, [])
        own.release()
    }

    @Test("another's links and descriptors are EACCES", arguments: ["exe", "cwd", "root"])
    func guardedLinks(_ name: String) throws {
        #expect(try tree.find("7/" + name) === information.target)
        #expect(throws: Errno.EACCES) { try tree.find("9/" + name) }
        #expect(throws: Errno.EACCES) { try tree.names("9/fd") }
    }

    @Test("descriptors are links with the descriptor's rights, leading to the file itself")
    func descriptors() throws {
        #expect(try tree.names("7/fd") == ["0", "3"])
        #expect(try tree.attributes("7/fd/0").mode == FileMode(.symbolicLink, 0o500))
        #expect(try tree.attributes("7/fd/3").mode == FileMode(.symbolicLink, 0o700))
        #expect(try tree.attributes("7/fd/0").size == 64)
        #expect(try tree.attributes("7/fd").size == 2)
        #expect(try tree.find("7/fd/3") === information.target)
        #expect(try tree.text("7/fd/0") == "the file")
        #expect(throws: Errno.ENOENT) { try tree.find("7/fd/1") }
        #expect(throws: Errno.ENOENT) { try tree.find("7/fd/00") }
        #expect(try tree.text("7/fdinfo/3") == "fdinfo/3 of 7/7")
    }

    @Test("what may be written reaches the kernel; the rest is EIO or has no right to be opened")
    func writes() throws {
        try tree.write("7/task/8/comm", "renamed")
        #expect(information.stored["comm/8"] == Array("renamed".utf8))
        try tree.write("sys/kernel/hostname", "box")
        #expect(information.stored["sys/kernel/hostname"] == Array("box".utf8))
        #expect(throws: Errno.EIO) { try tree.write("7/status", "x") }
        #expect(try tree.attributes("7/status").mode.permissions == 0o444)
        #expect(try tree.attributes("7/comm").mode.permissions == 0o644)
    }

    @Test(
        "files of the system are found in their directories",
        arguments: [
            "cpuinfo", "stat", "sys/kernel/osrelease", "sys/kernel/random/uuid", "sys/vm/overcommit_memory",
            "sys/fs/pipe-max-size", "sys/net/core/somaxconn",
        ])
    func system(_ path: String) throws {
        #expect(try tree.text(path) == "text of " + path)
        #expect(throws: Errno.ENOENT) { try tree.find(path + "x") }
    }

    @Test("names can be neither made nor removed")
    func unchangeable() throws {
        #expect(throws: Errno.ENOENT) { try tree.make("new") }
        #expect(throws: Errno.ENOENT) { try tree.makeDirectory("sys/new") }
        #expect(throws: Errno.EPERM) { try tree.unlink("7/stat") }
        #expect(throws: Errno.EPERM) { try tree.unlink("cpuinfo") }
    }

    @Test("memory is read at its address, and EIO where there is none")
    func memory() throws {
        let file = try tree.open("7/mem", [])
        #expect(try TestTree.text(file, 4, at: 0x1041) == "A")
        #expect(throws: Errno.EIO) { try TestTree.text(file, 4, at: 0x10) }
    }

    @Test("name spaces are links that can be compared")
    func nameSpaces() throws {
        #expect(try tree.find("7/ns/pid", follow: false).inode.readLink() == Array("pid:[4026531836]".utf8))
        #expect(try tree.find("7/ns/pid").inode.attributes().inode == 4_026_531_836)
        #expect(try tree.names("7/ns").count == 10)
    }

    @Test(
        "entries have the inode numbers that a look at them shows", arguments: ["7", "7/fd", "7/ns", "7/task", "sys"])
    func inodes(_ path: String) throws {
        for entry in try tree.find(path).inode.entries() {
            let name = String(decoding: entry.name.bytes, as: UTF8.self)
            #expect(try tree.attributes(path + "/" + name).inode == entry.inode)
        }
    }
}
