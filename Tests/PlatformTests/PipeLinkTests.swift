import Testing

@testable import Platform

@Suite("What two stubs share of a pipe")
struct PipeLinkTests {
    /// A link whose first pipe is as a stub, or a guest in its place, has left it.
    private func left(_ word: UInt64, version: UInt32 = 7, bytes: String = "") throws -> (start: Int, bytes: [UInt8]) {
        let link = try PipeLink()
        link.open(0, version: version)
        link.overwrite(0, word, Array(bytes.utf8))
        let found = link.close(0, version: version)
        // Once, and not again.
        #expect(link.close(0, version: version).bytes.isEmpty)
        return (found.start, found.bytes)
    }

    @Test("comes back with where it begins in its page")
    func whole() throws {
        #expect(try left(7 << 32 | 5 << 16, bytes: "hello").bytes == Array("hello".utf8))
        let rest = try left(7 << 32 | 5 << 16 | 3, bytes: "hello")
        #expect(rest.start == 3)
        #expect(rest.bytes == Array("lo".utf8))
        #expect(try left(7 << 32 | 4096 << 16 | 4095).bytes == [0])
    }

    @Test(
        "is nothing where no stub can have meant it",
        arguments: [
            // None, another version, what ends before it begins, and what lies outside of the page.
            7 << 32, 7 << 32 | 9 << 16 | 9, 0, 8 << 32 | 5 << 16, 5 << 16, 7 << 32 | 3 << 16 | 5, 7 << 32 | 4097 << 16,
            .max,
            7 << 32 | 0xffff_ffff,
        ] as [UInt64])
    func forged(word: UInt64) throws { #expect(try left(word, bytes: "hello").bytes.isEmpty) }

    @Test("is empty when it is opened again")
    func again() throws {
        let link = try PipeLink()
        link.overwrite(1, 7 << 32 | 5 << 16, Array("hello".utf8))
        link.open(1, version: 7)
        #expect(link.close(1, version: 7).bytes.isEmpty)
    }
}
