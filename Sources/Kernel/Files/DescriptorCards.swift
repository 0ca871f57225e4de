package import LinuxABI
internal import Platform
package import VFS

/// What the stub of a process's only thread knows of its descriptors, where it answers, closes and copies them by itself and
/// posts what it has done: `Stub/cards.c` and `docs/decisions/0032-descriptors-on-cards.md`.
///
/// It belongs to one address space with one thread, and to that thread's descriptor table, which nobody else uses. So what the
/// stub does is what the kernel will do. The kernel carries it out before it does anything from which anybody could learn of
/// the difference, and writes cards only while that thread asks.
final class DescriptorCards {
    let stub: StubProcess
    /// Nil once the table has ended.
    private(set) var table: FileTable?
    /// There are descriptors below this number only, of those with cards.
    let limit: Int
    /// The stub was told not to use the cards. It may be about to post a last call.
    var isRevoked = false {
        didSet { if isRevoked, !oldValue { stub.setLocalAnswer(LocalAnswer.close.rawValue, nil) } }
    }
    /// Of what is carried out now the cards tell already, and perhaps of more.
    private(set) var isCarryingOut = false
    /// What the stub was told of the directory that was opened last.
    var entries = ToldEntries()

    init(_ stub: StubProcess, _ table: FileTable, limit: Int) {
        self.stub = stub
        self.table = table
        self.limit = min(limit, StubProcess.cards)
        stub.clearNewest()
        stub.clearCards()
        for number in table.numbers where Int(number.rawValue) < StubProcess.cards {
            stub.setCard(Int(number.rawValue), card(Int(number.rawValue)))
        }
        table.cards = self
    }

    /// The table has ended, or its stub knows nothing of it any more.
    func release() {
        isRevoked = true
        takeBackEntries()
        if table?.cards === self { table?.cards = nil }
        table = nil
    }

    // MARK: Cards

    private func card(_ number: Int) -> DescriptorCard? {
        let number = FileNumber(Int32(truncatingIfNeeded: number))
        guard let table, let file = try? table.file(number) else { return nil }
        return card(of: file, Int(number.rawValue), closeOnExec: (try? table.closeOnExec(number)) ?? false)
    }

    func card(of file: OpenFile, _ number: Int, closeOnExec: Bool) -> DescriptorCard {
        var card = DescriptorCard()
        card.closesOnExec = closeOnExec
        let inode = file.operations.inode
        guard inode.kind == .regular || inode.kind == .directory else { return card }
        card.flags = file.flags.rawValue
        card.isPlain =
            file.location.map { $0.mount.watches?.isEmpty != false } ?? false && !file.flags.mayWrite
            && inode.locks.isEmpty && file.operations.waitQueue == nil && table?.local?.concerns(number) != true
        return card
    }

    /// The number means something else now.
    @inline(__always)
    func changed(_ number: Int, to file: OpenFile?, closeOnExec: Bool) {
        guard !isCarryingOut, number < StubProcess.cards else { return }
        stub.setCard(number, file.map { card(of: $0, number, closeOnExec: closeOnExec) })
    }

    /// The stub was told something of the number that the kernel has to take back at its end.
    func mayNotEnd(_ number: Int) {
        guard !isCarryingOut, number < StubProcess.cards else { return }
        stub.setCard(number, card(number))
    }

    // MARK: What holds until the next call of anybody

    /// The file that was opened last.
    func setStatus(_ file: OpenFile, _ number: Int, _ words: () -> InlineArray<18, UInt64>?) -> Bool {
        guard !isRevoked, number < limit, card(of: file, number, closeOnExec: false).isPlain,
            file.operations.inode.writer == nil, let words = words()
        else { return false }
        stub.setStatus(words, of: number)
        return true
    }

    /// The directory that was read last.
    func setEnd(_ file: OpenFile, _ number: Int) -> Bool {
        guard !isRevoked, number < limit, card(of: file, number, closeOnExec: false).isPlain else { return false }
        stub.setEnd(of: number)
        return true
    }

    func setStatusName(in directory: FileNumber) { stub.setStatusName(in: directory.rawValue) }

    func clearNewest() { stub.clearNewest() }

    // MARK: Posted calls

    /// Does what the stub has done.
    func carryOut() {
        if entries.areTold { takeBackEntries() }
        guard let first = stub.takePosted() else { return }
        isCarryingOut = true
        // As many as a stub posts, whatever a guest makes of their count meanwhile.
        let posted = PostedCalls(first: first) { stub.takePosted() }
        if posted.highest > 0, posted.highest < limit { table?.reached(posted.highest) }
        posted.forEach { carryOut($0) }
        isCarryingOut = false
    }

    private func carryOut(_ call: PostedCall) {
        guard let table else { return }
        switch call {
        case .close(let number):
            guard let file = try? table.remove(FileNumber(Int32(number))) else { return }
            // Closing a file that was only read cannot fail.
            try? table.closed(file)
        case .copy(let number, let target, let closeOnExec):
            // A guest that has forged this may not have more descriptors than others.
            if target < limit { table.copy(number, to: target, closeOnExec: closeOnExec) }
        case .setCloseOnExec(let number, let value): try? table.setCloseOnExec(FileNumber(Int32(number)), value)
        }
    }
}

extension Kernel {
    /// Carries out what stubs have posted.
    /// - Returns: whether there was, or may have been, anything.
    @discardableResult
    func carryOutPosted(through asking: StubThread? = nil) -> Bool {
        guard mayHavePosted else { return false }
        // Entries are told last of all.
        newestCards?.takeBackEntries()
        if posted.isDue() {
            posted.watch(
                calls: cards.lazy.map(\.stub), mappings: localMappings.lazy.map(\.stub),
                ends: quietEnds.lazy.map(\.stub))
        }
        let isAny = posted.look()
        if isAny {
            if !quietEnds.isEmpty { takeEnds(but: asking) }
            for cards in cards { cards.carryOut() }
            for mappings in localMappings { mappings.carryOut() }
            posted.taken()
        }
        if !localWrites.isEmpty { for writes in localWrites { writes.carryOut() } }
        return isAny || newestCards != nil
    }

    /// Before anybody's next step; `thread` is the one that has asked.
    func carryOutPosted(before thread: GuestThread?) {
        guard mayHavePosted else { return }
        let isAny = carryOutPosted(through: thread?.stub)
        if let thread { thread.notePosting(isAny) }
        if let map = thread?.map {
            if map.localMappings?.isRevoked == true { dropMappings(of: map) }
            if map.localWrites?.isRevoked == true { dropWrites(of: map) }
        }
        let own = thread?.map?.cards
        // Its own stub has forgotten that.
        if let newest = newestCards {
            if newest !== own { newest.clearNewest() }
            newestCards = nil
        }
        // Whoever asks posts nothing meanwhile.
        if let own, own.isRevoked, let map = thread?.map { dropCards(of: map) }
    }

    /// What stood on cards does not hold any more, or somebody may wait for a descriptor's end. They are written anew for
    /// who makes many such calls after this.
    package func revokeCards() {
        guard mayHavePosted else { return }
        for cards in cards { cards.isRevoked = true }
    }

    /// The status flags of the file change.
    package func revokeCards(with file: OpenFile) {
        guard mayHavePosted else { return }
        file.operations.inode.writer?.withdraw()
        let kind = file.operations.inode.kind
        if kind == .regular || kind == .directory { revokeCards() }
    }

    /// Nothing is posted there any more.
    func dropCards(of map: MemoryMap) {
        guard let old = map.cards else { return }
        map.cards = nil
        if newestCards === old { newestCards = nil }
        old.release()
        cards.removeAll { $0 === old }
    }
}

extension GuestThread {
    /// A call of a kind that its stub could carry out by itself, if it knew the descriptors.
    @inline(__always)
    package func countColdCall() { if files.countColdCall() { makeCards() } }

    /// The call has opened the file: its stub can tell the attributes, which mostly are asked for next.
    @inline(__always)
    package func leaveStatus(_ file: OpenFile, _ number: Int, _ words: () -> InlineArray<18, UInt64>?) {
        guard let cards = files.cards, cards.setStatus(file, number, words) else { return }
        kernel.newestCards = cards
    }

    /// The call has opened the file by that name, and found no link: `leaveStatus` holds for the name, too.
    package func leaveStatusName(_ directory: FileNumber, _ path: [UInt8]) {
        guard let cards = files.cards, kernel.newestCards === cards, path.count <= StubProcess.shortName else { return }
        cards.setStatusName(in: directory)
    }

    /// The call has read the directory to its end.
    package func leaveEnd(_ file: OpenFile, _ number: FileNumber) {
        guard let cards = files.cards, cards.setEnd(file, Int(number.rawValue)) else { return }
        kernel.newestCards = cards
    }

    /// It asks, and stubs have posted something since anybody has asked, or not. To look for that at each call of a program that never
    /// posts would cost a tenth of the call: its stub is told nothing then, until it is worth the while again.
    fileprivate func notePosting(_ isAny: Bool) {
        guard !isAny else { return callsWithoutPosts = 0 }
        callsWithoutPosts += 1
        guard callsWithoutPosts >= GuestThread.mostWithoutPosts, let map else { return }
        callsWithoutPosts = 0
        kernel.dropCards(of: map)
        kernel.dropMappings(of: map)
    }

    private static let mostWithoutPosts = 2048

    private func makeCards() {
        guard let map, map.mayReadLocally, makeCards(for: map) else { return }
        kernel.publishAnswers(of: map)
    }

    /// A program begins: its loader opens and closes files before anything else. What its stub may do is told next.
    func makeCardsAtOnce() {
        guard let map, map.users == 1, kernel.sink == nil, kernel.platform?.isTracing == false,
            kernel.cards.count < GuestThread.mostWithCardsAtOnce
        else { return }
        _ = makeCards(for: map)
    }

    /// What they have posted is looked for before anything is done for anybody.
    private static let mostWithCardsAtOnce = 64

    private func makeCards(for map: MemoryMap) -> Bool {
        guard map.cards == nil, files.cards == nil, files.userCount == 1 else { return false }
        let cards = DescriptorCards(map.stub, files, limit: process.limits.openFiles)
        map.cards = cards
        kernel.cards.append(cards)
        return true
    }
}
