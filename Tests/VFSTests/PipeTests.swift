import LinuxABI
import Testing

@testable import VFS

@Suite("A pipe that others have kept")
struct PipeTests {
    private func openPipe() -> (pipe: Pipe, ends: [PipeEnd]) {
        let pipe = Pipe()
        let node = PipeNode(number: 1, userID: 0, groupID: 0, now: Timestamp())
        return (
            pipe,
            [
                PipeEnd(pipe, node: node, reads: true, writes: false),
                PipeEnd(pipe, node: node, reads: false, writes: true),
            ]
        )
    }

    @Test("holds what they have left, in a page of which the beginning was read")
    func restored() throws {
        let (pipe, ends) = openPipe()
        #expect(pipe.isAtRest)
        pipe.restore([1, 2, 3].span, from: 4090)
        #expect(!pipe.isAtRest)
        #expect(pipe.count == 3)
        #expect(pipe.room == pipe.capacity - 4096)
        // Three more fit into that page, a fourth byte does not.
        #expect(try pipe.write([4, 5, 6].span) == 3)
        #expect(pipe.room == pipe.capacity - 4096)
        #expect(try pipe.write([7].span) == 1)
        #expect(pipe.room == pipe.capacity - 2 * 4096)
        let bytes = try [UInt8](capacity: 10) { output throws(Errno) in try pipe.read(into: &output) }
        #expect(bytes == [1, 2, 3, 4, 5, 6, 7])
        #expect(pipe.isAtRest)
        withExtendedLifetime(ends) {}
    }

    @Test("takes nothing that does not fit a page, nor on top of what it holds", arguments: [-1, 4094, 5000])
    func refused(start: Int) throws {
        let (pipe, ends) = openPipe()
        pipe.restore([1, 2, 3].span, from: start)
        #expect(pipe.count == 0)
        #expect(try pipe.write([9].span) == 1)
        pipe.restore([1, 2, 3].span, from: 0)
        #expect(pipe.peek(10) == [9])
        withExtendedLifetime(ends) {}
    }

    @Test("is not left to two processes while somebody waits, or has an end open twice")
    func notAtRest() throws {
        final class Nobody: Waiter { func fire(_ queue: WaitQueue, _ events: PollEvents) {} }
        let (pipe, ends) = openPipe()
        let waiter = Nobody()
        pipe.waitQueue.add(waiter)
        #expect(!pipe.isAtRest)
        pipe.waitQueue.remove(waiter)
        pipe.transfers.add(waiter)
        #expect(!pipe.isAtRest)
        pipe.transfers.remove(waiter)
        #expect(pipe.isAtRest)
        let third = PipeEnd(pipe, node: ends[0].inode, reads: true, writes: false)
        #expect(!pipe.isAtRest)
        withExtendedLifetime((ends, third)) {}
    }
}
