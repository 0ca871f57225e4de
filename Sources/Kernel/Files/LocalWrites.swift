internal import HostSystem
package import LinuxABI
internal import Platform
package import VFS

/// Files in memory that the stub of a process's only thread writes by itself, at an offset, and posts what it has written:
/// `Stub/writes.c` and `docs/decisions/0045-posted-writes.md`.
///
/// It belongs to one address space with one thread, and to that thread's descriptor table, which nobody else uses. Each of the files has
/// no other such writer, and nobody sees it but by calls. The kernel writes what was posted before it does anything from which anybody
/// could learn of the difference.
final class LocalWrites: PostingWriter {
    private let stub: StubProcess
    private let clock: any KernelClock
    /// Nil once the table has ended, or its stub is told nothing any more.
    private(set) var table: FileTable?
    private var files: [Int: Entry] = [:]
    private var room: (any PostingRoom)?
    /// The stub was told to post no more.
    private(set) var isRevoked = true
    private var isCarryingOut = false
    /// The host has refused a write that had succeeded.
    var whenLost: (() -> Void)?
    /// Two clocks at one time, before anything that was posted since.
    private var since = (time: Timestamp(), ticks: UInt64(0))

    private struct Entry {
        let file: OpenFile
        let inode: any PostedFile
        let limit: UInt64
    }

    /// More files than that are not written at a time.
    private static let mostFiles = 16
    /// What can be posted at most, in whole pages.
    private static let pledge = Int64(StubProcess.mostPostedBytes + 8192 * StubProcess.mostPostedWrites)

    init(_ stub: StubProcess, _ table: FileTable, _ clock: any KernelClock) {
        self.stub = stub
        self.clock = clock
        self.table = table
        table.writes = self
    }

    /// Its stub may write the file by itself. Only while the thread asks, at the end of its call.
    /// - Returns: false where it may not.
    func give(
        _ file: OpenFile, _ inode: any PostedFile, at number: Int, limit: UInt64, whenShort: @escaping () -> Void
    ) -> Bool {
        guard table != nil, files.count < LocalWrites.mostFiles else { return false }
        if let other = inode.writer, other !== self { other.withdraw() }
        if isRevoked {
            guard inode.postingRoom.pledge(LocalWrites.pledge, whenShort: whenShort) else { return false }
            room = inode.postingRoom
        }
        guard inode.postingRoom === room else { return false }
        files[number] = Entry(file: file, inode: inode, limit: limit)
        inode.writer = self
        stub.setWriteLimit(limit, of: number)
        if isRevoked {
            isRevoked = false
            note()
            stub.permitWrites()
        }
        return true
    }

    /// The number means something else from now on.
    @inline(__always)
    func changed(_ number: Int) { if !files.isEmpty { forget(number) } }

    private func forget(_ number: Int) {
        guard let entry = files.removeValue(forKey: number) else { return }
        stub.setWriteLimit(0, of: number)
        if !files.values.contains(where: { $0.inode === entry.inode }) { entry.inode.writer = nil }
    }

    /// The stub posts no more; what it has posted is still to be carried out.
    func revoke() {
        guard !isRevoked else { return }
        isRevoked = true
        stub.revokeWrites()
        if !stub.hasPostedWrite { end() }
    }

    func withdraw() {
        revoke()
        carryOut()
    }

    func release() {
        withdraw()
        if table?.writes === self { table?.writes = nil }
        table = nil
    }

    /// Nothing is posted any more.
    private func end() {
        for number in Array(files.keys) { forget(number) }
        room?.redeem(LocalWrites.pledge)
        room = nil
    }

    // MARK: Posted writes

    @inline(__always)
    func carryOut() { if stub.hasPostedWrite { carryOutPosted() } }

    private func carryOutPosted() {
        guard !isCarryingOut else { return }
        isCarryingOut = true
        let last = since
        note()
        var run: PostedWrite?
        // As many as a stub posts, whatever a guest makes of their count meanwhile.
        for _ in 0..<StubProcess.mostPostedWrites {
            guard let next = stub.takePostedWrite() else { break }
            if var whole = run, whole.isFollowed(by: next) {
                whole.bytes = whole.bytes.lowerBound..<next.bytes.upperBound
                whole.ticks = next.ticks
                run = whole
            } else {
                if let run { write(run, since: last) }
                run = next
            }
        }
        if let run { write(run, since: last) }
        isCarryingOut = false
        if isRevoked {
            end()
        } else if room?.isPledgeCovered == false {
            withdraw()
        }
    }

    private func write(_ posted: PostedWrite, since last: (time: Timestamp, ticks: UInt64)) {
        guard let entry = files[posted.number], !posted.bytes.isEmpty,
            UInt64(posted.offset) + UInt64(posted.bytes.count) <= entry.limit
        else { return }
        let time = time(of: posted.ticks, since: last)
        do throws(Errno) {
            try stub.withPostedBytes(posted.bytes) { bytes throws(Errno) in
                try entry.inode.writePosted(bytes, at: posted.offset, time)
            }
        } catch {
            whenLost?()
        }
    }

    private func note() {
        // In this order, so that times come out a little too early.
        let time = clock.realTime
        since = (time, Host.ticks)
    }

    /// Between two looks at both clocks, of which the later one was just now.
    private func time(of ticks: UInt64, since last: (time: Timestamp, ticks: UInt64)) -> Timestamp {
        guard ticks < since.ticks, last.time < since.time else { return since.time }
        guard ticks > last.ticks else { return last.time }
        let seconds = since.time.seconds - last.time.seconds
        let length = seconds &* 1_000_000_000 &+ since.time.nanoseconds - last.time.nanoseconds
        let (high, low) = UInt64(length).multipliedFullWidth(by: ticks - last.ticks)
        let passed = Int64((since.ticks - last.ticks).dividingFullWidth((high, low)).quotient)
        let sum = last.time.nanoseconds + passed
        return Timestamp(seconds: last.time.seconds + sum / 1_000_000_000, nanoseconds: sum % 1_000_000_000)
    }
}

extension Kernel {
    /// What was posted is written, and nothing is posted any more; for those who ask about it anew.
    package func withdrawWrites() { for writes in localWrites { writes.withdraw() } }

    /// Nothing is posted there any more.
    func dropWrites(of map: MemoryMap) {
        guard let old = map.localWrites else { return }
        map.localWrites = nil
        old.release()
        localWrites.removeAll { $0 === old }
    }
}

extension Process {
    /// How long its files may be has changed.
    package func withdrawWrites() { threads.first?.map?.localWrites?.withdraw() }
}

extension GuestThread {
    /// So many writes in a row of one file come before a stub is told.
    private static let hotWrites: UInt8 = 8

    /// The call has written so much of the file, at an offset.
    @inline(__always)
    package func countPositionedWrite(_ file: OpenFile, at number: FileNumber, _ count: Int) {
        guard let map, count <= StubProcess.largestPostedWrite, map.countWrite(of: file, until: GuestThread.hotWrites)
        else { return }
        leaveWrites(file, at: Int(number.rawValue), map)
    }

    private func leaveWrites(_ file: OpenFile, at number: Int, _ map: MemoryMap) {
        let other: OpenFlags = [.append, .direct, .async]
        guard map.mayTellNames, kernel.sink == nil, number < StubProcess.writtenFiles,
            file.flags.isDisjoint(with: other), let location = file.location, location.mount.watches?.isEmpty != false,
            let inode = file.operations.inode as? any PostedFile,
            let limit = inode.postingLimit(process.limits.fileSize.soft)
        else { return }
        if let old = map.localWrites, old.isRevoked || old.table !== files { kernel.dropWrites(of: map) }
        let writes = map.localWrites ?? LocalWrites(map.stub, files, kernel.clock)
        if map.localWrites == nil {
            map.localWrites = writes
            kernel.localWrites.append(writes)
            writes.whenLost = { [unowned kernel, unowned map] in
                for thread in kernel.threads.values where thread.map === map {
                    kernel.exitGroup(thread.process, waitStatus: 9)
                }
            }
        }
        let isGiven = writes.give(file, inode, at: number, limit: limit) { [unowned kernel] in
            for writes in kernel.localWrites { writes.revoke() }
        }
        if !isGiven, writes.isRevoked { kernel.dropWrites(of: map) }
    }
}
