import LinuxABI
import Platform
import TmpFS
import Testing
import VFS

@testable import Kernel

@Suite("What a stub is told of descriptors")
struct LocalFilesTests {
    /// A table with files at 0 to 4, of which a stub has been told.
    private final class Told {
        let table = FileTable()
        var told: [Int: LocalFile] = [:]
        private(set) var local: LocalFiles

        init() throws {
            local = LocalFiles { _, _ in }
            for number in 0..<5 {
                _ = try table.replace(Self.file(), closeOnExec: number == 3, at: FileNumber(Int32(number)), limit: 1024)
            }
            local = LocalFiles { [unowned self] number, file in told[number] = file }
            local.bind(to: table)
            for number in 0..<5 {
                let range = try #require(local.place(4096))
                local.set(LocalFiles.Window(series: 1, range: range), for: number)
                var file = LocalFile()
                file.reads = .pages
                file.address = range.lowerBound
                local.tell(file, of: number)
            }
        }

        static func file() -> OpenFile {
            let node = TmpFS(device: 1, limit: 1 << 20) { Timestamp() }.makeRoot(permissions: 0o777)
            return OpenFile(DirectoryFile(node), flags: [])
        }

        var numbers: [Int] { told.keys.sorted() }
    }

    @Test("is taken back before a number means something else, and that number's only")
    func numbers() throws {
        let told = try Told()
        #expect(told.numbers == [0, 1, 2, 3, 4])
        let file = try told.table.remove(FileNumber(1))
        #expect(told.numbers == [0, 2, 3, 4])
        #expect(try told.table.install(file, closeOnExec: false, limit: 1024) == FileNumber(1))
        _ = try told.table.replace(file, closeOnExec: false, at: FileNumber(4), limit: 1024)
        #expect(told.numbers == [0, 2, 3])
        told.table.closeForExec()
        #expect(told.numbers == [0, 2])
        #expect(told.local.window(1) == nil && told.local.window(0) != nil)
        // What is unmapped is what was left, once.
        #expect(told.local.takeLeft().count == 3)
        #expect(told.local.takeLeft().isEmpty)
        told.table.removeUser()
        #expect(told.numbers.isEmpty)
        #expect(told.table.local == nil)
    }

    @Test("is of one table: another one's begins with nothing, and a copy is told nothing")
    func tables() throws {
        let told = try Told()
        let copy = told.table.copy()
        #expect(copy.local == nil)
        _ = try copy.remove(FileNumber(0))
        #expect(told.numbers == [0, 1, 2, 3, 4])
        told.local.bind(to: copy)
        #expect(told.numbers.isEmpty)
        #expect(told.table.local == nil && copy.local === told.local)
        _ = try told.table.remove(FileNumber(2))
        told.local.release()
        #expect(copy.local == nil)
        told.table.removeUser()
        copy.removeUser()
    }

    @Test("pages get places of their own, which come again only when all are given away and nothing is mapped")
    func places() throws {
        let local = LocalFiles { _, _ in }
        let whole = StubProcess.pages
        let half = (whole.upperBound - whole.lowerBound) / 2
        let first = try #require(local.place(half)), second = try #require(local.place(half))
        #expect(!first.overlaps(second) && whole.contains(first.lowerBound) && second.upperBound <= whole.upperBound)
        #expect(local.place(4096) == nil)
        local.forget()
        #expect(local.place(4096) == nil)
        local.set(LocalFiles.Window(series: 1, range: second), for: 7)
        local.withdraw(7)
        #expect(local.place(4096) == nil)
        #expect(local.hasLeft && local.takeLeft() == [second])
        #expect(local.place(4096) != nil)
        #expect(local.place(0) == nil && local.place(.max) == nil)
    }

    @Test("is not written again where it has not changed")
    func same() throws {
        var count = 0
        let local = LocalFiles { _, _ in count += 1 }
        var file = LocalFile()
        file.reads = .zeros
        local.tell(file, of: 3)
        local.tell(file, of: 3)
        #expect(count == 1)
        file.epoch = 2
        local.tell(file, of: 3)
        local.withdraw(200)
        local.withdraw(3)
        local.withdraw(3)
        #expect(count == 3)
    }
}
