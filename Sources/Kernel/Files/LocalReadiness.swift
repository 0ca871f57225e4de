internal import HostSystem
package import LinuxABI
package import Platform

/// What one process's stub may say of one epoll by itself: `Stub/ready.c` and
/// `docs/decisions/0034-readiness-that-the-stub-knows.md`.
///
/// It holds while nothing happens. Whatever the kernel is about to do for anybody, it takes it back first: a call of any guest,
/// a timer, something from the host, a death.
package final class LocalReadiness {
    /// Some stub was told something that holds.
    private(set) var isTold = false
    private var stub: StubProcess?
    /// Who asked last, by how many dispatches there had been, and how often without any other between.
    private var asked: (epoll: ObjectIdentifier, table: ObjectIdentifier)?
    private var turn: UInt64 = 0
    private var times = 0
    private static let hot = 24

    package init() {}

    /// An epoll was asked in the dispatch with this number.
    /// - Returns: true if it was asked so often in a row that it may pay to tell the stub.
    @inline(__always)
    package func isHot(_ epoll: AnyObject, _ table: AnyObject, at now: UInt64) -> Bool {
        defer { turn = now }
        guard now == turn &+ 1, let asked, asked.epoll == ObjectIdentifier(epoll),
            asked.table == ObjectIdentifier(table)
        else {
            asked = (ObjectIdentifier(epoll), ObjectIdentifier(table))
            times = 1
            return false
        }
        times += 1
        guard times >= LocalReadiness.hot else { return false }
        // What it was told may be of no use to it.
        times = 0
        return true
    }

    package func tell(_ stub: StubProcess, _ number: Int32, _ events: Span<UInt8>, until: UInt64) {
        withdraw()
        stub.setReadiness(number, events, until: until)
        self.stub = stub
        isTold = true
    }

    /// Something may be about to change.
    @inline(__always)
    package func withdraw() { if isTold { takeBack() } }

    private func takeBack() {
        isTold = false
        stub?.withdrawReadiness()
        stub = nil
    }
}

extension GuestThread {
    /// An epoll has said what is ready, to a call without a mask of its own. If it is asked for nothing else all the time, the
    /// stub may say it.
    @inline(__always)
    package func tellReadiness(of epoll: Epoll, at number: FileNumber) {
        if kernel.readiness.isHot(epoll, files, at: kernel.turn) { tellHotReadiness(of: epoll, at: number) }
    }

    private func tellHotReadiness(of epoll: Epoll, at number: FileNumber) {
        guard let map, map.mayReadLocally, let events = epoll.steadyEvents(StubProcess.mostReady) else { return }
        var until = UInt64.max
        if let next = kernel.timers.next, next != .never {
            let left = kernel.clock.now.interval(to: next)
            guard left > Timestamp() else { return }
            // The processor's clock counts more than one tick in a nanosecond, so this is earlier.
            until = Host.ticks &+ UInt64(clamping: left.saturatingNanoseconds)
        }
        kernel.readiness.tell(map.stub, number.rawValue, events.span, until: until)
    }
}
