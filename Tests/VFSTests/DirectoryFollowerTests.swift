import LinuxABI
import Testing

@testable import VFS

@Suite("Who asks for a directory's entries one by one")
struct DirectoryFollowerTests {
    /// `d` in a name makes a directory.
    private static func listing(_ names: [String]) -> DirectoryListing {
        DirectoryListing(
            names.enumerated().map { index, name in
                DirectoryEntry(
                    name: FileName(Array(name.utf8)), inode: UInt64(index + 1),
                    kind: name.contains("d") ? .directory : .regular)
            })
    }

    /// How many entries are worth preparing after each question.
    private static func counts(_ asked: [String], of names: [String], eager: Bool = false) -> [Int?] {
        let listing = listing(names)
        var follower = DirectoryFollower()
        return asked.map { follower.follow(Array($0.utf8).span, in: listing, eager: eager)?.count }
    }

    private static let many = (0..<100).map { "f\($0)" }

    @Test("is trusted at the third in a row, and at once by whoever has been right before")
    func trust() {
        #expect(Self.counts(["f0", "f1", "f2"], of: Self.many) == [nil, nil, 4])
        #expect(Self.counts(["f0"], of: Self.many, eager: true) == [16])
    }

    @Test("asks twice for each, and is still in a row")
    func twice() {
        #expect(Self.counts(["f0", "f0", "f1", "f1", "f2", "f2"], of: Self.many) == [nil, nil, nil, nil, 4, nil])
    }

    @Test("who asks for nothing in a row gets nothing, and is not looked after for ever")
    func random() {
        let asked = ["x", "y", "z", "u", "f0", "f1", "f2", "f3"]
        #expect(Self.counts(asked, of: Self.many).allSatisfy { $0 == nil })
    }

    @Test("finds the first again after a name that is not there")
    func again() {
        #expect(Self.counts(["f9", "x", "f0", "f1", "f2"], of: Self.many) == [nil, nil, nil, nil, 4])
    }

    private static func isNamed(_ name: String, at index: Int, in listing: DirectoryListing) -> Bool {
        listing.isNamed(Array(name.utf8).span, at: index)
    }

    @Test("a name that only begins like an entry is another")
    func prefix() {
        let listing = Self.listing(["abc", "ab"])
        #expect(Self.isNamed("abc", at: 0, in: listing))
        #expect(!Self.isNamed("ab", at: 0, in: listing))
        #expect(!Self.isNamed("abcd", at: 0, in: listing))
        #expect(!Self.isNamed("abc", at: 4096, in: listing))
        #expect(listing.name(at: 0).bytes == Array("abc".utf8))
    }

    @Test("gets directories only where only those are asked for")
    func directories() throws {
        let names = (0..<60).map { $0 % 3 == 0 ? "d\($0)" : "f\($0)" }
        let file = DirectoryFile(Listed(Self.listing(names)))
        let open = OpenFile(file, flags: [])
        _ = try file.takeEntries(open, limit: 65536) { () throws(Errno) in 1 }
        var prepared: [[UInt8]] = []
        for name in ["d0", "d3", "d6"] {
            _ = file.follow(Array(name.utf8).span, eager: false) { prepared.append($0.bytes) }
        }
        #expect(prepared == ["d9", "d12", "d15", "d18"].map { Array($0.utf8) })
    }

    /// A directory that holds just these.
    private final class Listed: Inode {
        let content: DirectoryListing
        let kind = FileKind.directory
        let locks = FileLocks()
        init(_ content: DirectoryListing) { self.content = content }
        func attributes() throws(Errno) -> FileAttributes { FileAttributes() }
        func listing() throws(Errno) -> DirectoryListing { content }
    }
}
