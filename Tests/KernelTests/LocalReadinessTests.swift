import LinuxABI
import Testing
import VFS

@testable import Kernel

@Suite("What a stub is told of an epoll")
struct LocalReadinessTests {
    /// An epoll with counters that are ready from the beginning, by descriptors from 0 on.
    private struct Watched {
        let epoll = Epoll(node: AnonymousNode(1, label: "[eventpoll]"))
        private(set) var files: [OpenFile] = []

        mutating func add(_ events: UInt32 = 1, _ operations: (any FileOperations)? = nil) throws {
            let counter = EventFile(1, isSemaphore: false, node: AnonymousNode(2, label: "[eventfd]"))
            let file = OpenFile(operations ?? counter, flags: [.readWrite])
            file.retain()
            files.append(file)
            let number = files.count - 1
            try epoll.add(FileNumber(Int32(number)), file, events: events, data: UInt64(number))
        }

        func take(_ limit: Int) -> [UInt8] {
            [UInt8](capacity: limit * Epoll.eventSize) { output in _ = epoll.take(limit, into: &output) }
        }
    }

    @Test("is what the next call gets, and every one after it")
    func steady() throws {
        var watched = Watched()
        #expect(watched.epoll.steadyEvents(8) == [])
        for _ in 0..<3 { try watched.add() }
        let told = try #require(watched.epoll.steadyEvents(8))
        #expect(told.count == 3 * Epoll.eventSize)
        for _ in 0..<3 { #expect(watched.take(8) == told) }
        // One after the other, to who asks for less.
        #expect(watched.take(1) == Array(told[..<12]))
        #expect(watched.take(1) == Array(told[12..<24]))
        #expect(watched.take(3) == Array(told[24...] + told[..<24]))
        #expect(watched.epoll.steadyEvents(2) == nil)
    }

    @Test(
        "is nothing where a call changes what the next one gets",
        arguments: [Epoll.edgeTriggered, Epoll.oneShot, Epoll.exclusive, Epoll.wakeUp])
    func special(flag: UInt32) throws {
        var watched = Watched()
        try watched.add()
        try watched.add(1 | flag)
        #expect(watched.epoll.steadyEvents(8) == nil)
        #expect(watched.take(8).count == 24)
        let tellsAgain = flag == Epoll.exclusive || flag == Epoll.wakeUp
        #expect((watched.epoll.steadyEvents(8) == nil) == tellsAgain)
    }

    @Test("is nothing while somebody else may change what is ready")
    func foreign() throws {
        var watched = Watched()
        try watched.add()
        try watched.add(1, Epoll(node: AnonymousNode(3, label: "[eventpoll]")))
        #expect(watched.epoll.steadyEvents(8) == nil)
        try watched.epoll.remove(FileNumber(1), watched.files[1])
        #expect(watched.epoll.steadyEvents(8) != nil)
    }

    @Test("is worth telling when one table has asked one epoll often with nothing between")
    func hot() {
        let readiness = LocalReadiness()
        let one = Watched().epoll
        let other = Watched().epoll
        let table = FileTable()
        var turn: UInt64 = 0
        func ask(_ epoll: Epoll, _ table: FileTable, after turns: UInt64 = 1) -> Bool {
            turn += turns
            return readiness.isHot(epoll, table, at: turn)
        }
        for _ in 0..<3 {
            for time in 1...24 { #expect(ask(one, table) == (time == 24)) }
        }
        for _ in 0..<40 { #expect(!ask(one, table, after: 2)) }
        for _ in 0..<40 { #expect(!ask(one, table) && !ask(other, table)) }
        let copy = FileTable()
        for _ in 0..<40 { #expect(!ask(one, table) && !ask(one, copy)) }
    }
}
