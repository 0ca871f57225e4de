import LinuxABI
import Testing

@testable import VFS

@Suite("wait queues")
struct WaitQueueTests {
    private final class Counter: Waiter {
        var count = 0
        func fire(_ queue: WaitQueue, _ events: PollEvents) { count += 1 }
    }

    @Test("a waiter that has left is not woken, however many stand there", arguments: [3, 33, 500])
    func leaving(_ number: Int) {
        let queue = WaitQueue()
        let waiters = (0..<number).map { _ in Counter() }
        for _ in 0..<2 { for waiter in waiters { queue.add(waiter) } }
        for (place, waiter) in waiters.enumerated() where place % 3 != 0 { queue.remove(waiter) }
        queue.wakeAll()
        #expect(waiters.enumerated().allSatisfy { $1.count == ($0 % 3 == 0 ? 2 : 0) })
        for waiter in waiters { queue.remove(waiter) }
        #expect(queue.isEmpty)
        queue.add(waiters[0])
        #expect(queue.wake() == 1)
    }

    @Test("exclusive waiters are woken in the order of arrival, past those that have left")
    func order() {
        let queue = WaitQueue()
        let waiters = (0..<100).map { _ in Counter() }
        for waiter in waiters { queue.add(waiter, exclusive: true) }
        for waiter in waiters[..<60] { queue.remove(waiter) }
        queue.wake()
        #expect(waiters.firstIndex { $0.count > 0 } == 60)
        #expect(waiters.reduce(0) { $0 + $1.count } == 1)
    }

    @Test("a hundred thousand leave one by one in no time that anybody notices", .timeLimit(.minutes(1)))
    func many() {
        let queue = WaitQueue()
        let waiters = (0..<100_000).map { _ in Counter() }
        for waiter in waiters { queue.add(waiter) }
        for waiter in waiters { queue.remove(waiter) }
        #expect(queue.isEmpty)
    }
}

@Suite("deep trees")
struct DeepTreeTests {
    @Test("the last look at a very deep directory lets go of all above it, without a stack as deep")
    func release() {
        let fileSystem = TmpFSStandIn()
        let mount = Mount(id: 1, source: "test", type: "test")
        var here = Dentry(name: "root", parent: nil, inode: fileSystem, mount: mount)
        weak let top = here
        for _ in 0..<300_000 { here = Dentry(name: "d", parent: here, inode: fileSystem, mount: mount) }
        #expect(top != nil)
        here = Dentry(name: "other", parent: nil, inode: fileSystem, mount: mount)
        #expect(top == nil)
    }

    private final class TmpFSStandIn: Inode {
        let locks = FileLocks()
        var kind: FileKind { .directory }
        func attributes() throws(Errno) -> FileAttributes { FileAttributes() }
    }
}
