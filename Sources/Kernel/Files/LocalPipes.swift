package import LinuxABI
internal import Platform
package import VFS

/// The pipes between two processes whose stubs may read and write them by themselves: `Stub/pipes.c` and
/// `docs/decisions/0039-pipes-from-stub-to-stub.md`.
///
/// As with readiness (`LocalReadiness`) it holds while nothing happens. Whatever the kernel is about to do for anybody, it takes
/// the pipes back first: then what nobody has read is in them again.
package final class LocalPipes {
    /// Two stubs were told something that holds.
    private(set) var isTold = false
    private var told: [Told] = []
    private var stubs: [StubProcess] = []
    private var version: UInt32 = 0
    /// The two processes' memory. Nobody else ever gets it.
    private(set) var link: PipeLink?
    private var linked: (MemoryMap, MemoryMap)?
    /// Who has used which pipes, in dispatches without any other between; the last one's number, and how many there were.
    private var ends: [End] = []
    private var turn: UInt64 = 0
    private var times = 0
    /// After so many it may pay. More each time that it has not paid.
    private var needed = LocalPipes.hot

    private static let hot = 32
    private static let coldest = 1 << 16
    /// From then on it is looked at who they are.
    private static let noticed = 16
    /// A permission pays that was good for so many writes.
    private static let worthwhile = 128

    fileprivate struct End {
        let file: OpenFile
        let pipe: Pipe
        let thread: GuestThread
        let number: FileNumber
        let reads: Bool
    }

    private struct Told {
        let pipe: Pipe
        let index: Int
    }

    package init() {}

    /// A thread is about to read or write a pipe, in the dispatch with this number.
    /// - Returns: true if such calls, of two threads that answer each other, were so many in a row that it may pay to leave the
    ///   pipes to their stubs.
    @inline(__always)
    func isHot(_ thread: GuestThread, _ file: OpenFile, _ number: FileNumber, reads: Bool, at now: UInt64) -> Bool {
        defer { turn = now }
        guard now == turn &+ 1 else {
            times = 0
            return false
        }
        times += 1
        return times > LocalPipes.noticed && knows(thread, file, number, reads: reads)
    }

    private func knows(_ thread: GuestThread, _ file: OpenFile, _ number: FileNumber, reads: Bool) -> Bool {
        for end in ends where end.file === file && end.thread === thread && end.number == number && end.reads == reads {
            return times >= needed
        }
        guard let pipe = (file.operations as? PipeEnd)?.pipe else { return false }
        let others = ends.filter { $0.thread !== thread }
        if ends.count == 2 * PipeLink.pipes || others.contains(where: { $0.thread !== others[0].thread }) { ends = [] }
        ends.append(End(file: file, pipe: pipe, thread: thread, number: number, reads: reads))
        times = LocalPipes.noticed
        return false
    }

    // MARK: The link

    /// The two threads, if there are two, each alone in its process, with descriptors that nobody else can change.
    private func pair() -> (GuestThread, GuestThread)? {
        guard let one = ends.first?.thread, let other = ends.first(where: { $0.thread !== one })?.thread,
            one.isAlone, other.isAlone
        else { return nil }
        return (one, other)
    }

    /// What a thread's stub has to map before pipes can be left to it. Nil if nothing.
    func missingLink(of thread: GuestThread) -> PipeLink? {
        guard let (one, other) = pair(), thread === one || thread === other, let first = one.map, let second = other.map
        else { return nil }
        if let link, let linked, linked.0 === first && linked.1 === second || linked.0 === second && linked.1 === first
        {
            return thread.map?.pipeLink === link ? nil : link
        }
        guard let new = try? PipeLink() else {
            staysCold()
            return nil
        }
        link = new
        linked = (first, second)
        return new
    }

    /// One of the two has it.
    func linkWasMapped() {
        guard let link, let linked, linked.0.pipeLink === link, linked.1.pipeLink === link else { return }
        link.closeDescriptor()
    }

    func staysCold() {
        link = nil
        linked = nil
        needed = LocalPipes.coldest
        times = 0
    }

    /// The address space is about to end.
    func forget(_ map: MemoryMap) {
        withdraw()
        ends = []
        guard let linked, linked.0 === map || linked.1 === map else { return }
        link = nil
        self.linked = nil
    }

    // MARK: Telling

    /// A read is over, and nobody waits: from now on the two need not ask.
    func tell() {
        guard !isTold, let link, let (one, other) = pair(), one.map?.pipeLink === link, other.map?.pipeLink === link,
            let first = one.map?.stub, let second = other.map?.stub
        else { return }
        var own = LocalPipeEnds()
        var others = LocalPipeEnds()
        var whole: [Told] = []
        for reader in ends where reader.reads {
            guard
                let writer = ends.first(where: { !$0.reads && $0.pipe === reader.pipe && $0.thread !== reader.thread })
            else { continue }
            guard reader.pipe.isAtRest, reader.mayBeLeft, writer.mayBeLeft else { return }
            let end = LocalPipeEnds.End(number: reader.number.rawValue, pipe: whole.count)
            let far = LocalPipeEnds.End(number: writer.number.rawValue, pipe: whole.count)
            if reader.thread === one {
                guard own.reads == nil, others.writes == nil else { continue }
                (own.reads, others.writes) = (end, far)
            } else {
                guard others.reads == nil, own.writes == nil else { continue }
                (others.reads, own.writes) = (end, far)
            }
            whole.append(Told(pipe: reader.pipe, index: whole.count))
        }
        guard !whole.isEmpty else { return }
        version = version == .max ? 1 : version + 1
        for pipe in whole { link.open(pipe.index, version: version) }
        first.setPipes(own, version: version)
        second.setPipes(others, version: version)
        (told, stubs, isTold) = (whole, [first, second], true)
    }

    /// Something may be about to happen.
    @inline(__always)
    package func withdraw() { if isTold { takeBack() } }

    private func takeBack() {
        isTold = false
        times = 0
        // First the permissions: what a stub does after that and before the exchange below, it had begun before.
        for stub in stubs { stub.withdrawPipes() }
        var writes = 0
        for entry in told {
            guard let left = link?.close(entry.index, version: version) else { continue }
            entry.pipe.restore(left.bytes.span, from: left.start)
            writes += left.writes
        }
        needed = writes >= LocalPipes.worthwhile ? LocalPipes.hot : min(needed * 2, LocalPipes.coldest)
        (told, stubs) = ([], [])
    }
}

extension LocalPipes.End {
    /// The descriptor means the file, and its calls wait. Others may have the end open, too: what they do with it the kernel does.
    fileprivate var mayBeLeft: Bool {
        file.asynchronous == nil
            && file.flags.isDisjoint(with: [.nonBlocking, .direct, .async])
            && (try? thread.files.file(number)) === file
    }
}

extension GuestThread {
    /// Alone in its process and its address space, with a table of descriptors to itself, and nobody wants to hear of its calls.
    fileprivate var isAlone: Bool {
        guard let map, state != .dead, !process.isExiting, kernel.sink == nil else { return false }
        return map.mayReadLocally && map.users == 1 && process.threads.count == 1 && files.userCount == 1
    }

    /// The call is about to read or write a pipe: see `LocalPipes.isHot`.
    @inline(__always)
    package func isHotPipe(_ file: OpenFile, at number: FileNumber, reads: Bool) -> Bool {
        kernel.pipes.isHot(self, file, number, reads: reads, at: kernel.turn)
    }

    /// True where the stub has to map something first: the call runs again then.
    package func linkPipes() -> Bool {
        guard !isRetry, let map, !map.isChanging, let link = kernel.pipes.missingLink(of: self), link.descriptor >= 0
        else { return false }
        append(.receiveFile(descriptor: link.descriptor))
        // PROT_READ | PROT_WRITE; MAP_SHARED | MAP_FIXED | MAP_NORESERVE. In place of what it had with somebody else.
        map.pipeLink = nil
        append(.mapFile(address: PipeLink.address, length: PipeLink.size, protection: 3, flags: 0x4011, offset: 0))
        append(.closeFile)
        // MADV_DONTFORK
        append(.advise(address: PipeLink.address, length: PipeLink.size, advice: 10))
        mustReport = true
        afterCommands = { thread, _, failure in
            if failure == nil {
                map.pipeLink = link
                thread.kernel.pipes.linkWasMapped()
            } else {
                thread.kernel.pipes.staysCold()
            }
            return .again
        }
        return true
    }

    /// The call has read from a pipe.
    package func leavePipes() { kernel.pipes.tell() }
}
