internal import Stub

/// What a stub knows of one descriptor's number: `Stub/cards.c`.
package struct DescriptorCard: Sendable, Equatable {
    package var closesOnExec = false
    /// `F_GETFL`; nil where only the kernel knows.
    package var flags: UInt32?
    /// Nobody waits for its end.
    package var isPlain = false

    package init() {}

    fileprivate var word: UInt32 {
        var word = UInt32(APUS_CARD_USED)
        if closesOnExec { word |= UInt32(APUS_CARD_CLOSES_ON_EXEC) }
        if let flags, flags & ~APUS_CARD_FLAGS == 0 { word |= UInt32(APUS_CARD_HAS_FLAGS) | flags }
        if isPlain { word |= UInt32(APUS_CARD_IS_PLAIN) }
        return word
    }
}

/// A call that a stub has carried out on its cards. A guest can forge it: then it has made that call.
package enum PostedCall: Sendable, Equatable {
    case close(Int)
    /// To exactly that number.
    case copy(Int, to: Int, closesOnExec: Bool)
    case setCloseOnExec(Int, Bool)
}

extension StubProcess {
    /// Descriptors that can have a card.
    package static let cards = Int(APUS_CARDS)

    /// Writes a descriptor's card; nil for a free number. Only while the process's one thread asks.
    package func setCard(_ number: Int, _ card: DescriptorCard?) {
        guard number >= 0, number < StubProcess.cards else { return }
        let all = Int(APUS_CARDS_OFFSET) + (MemoryLayout<apus_cards>.offset(of: \.cards) ?? 0)
        contexts.store(card?.word ?? 0, at: all + 4 * number)
    }

    /// No number is used.
    package func clearCards() {
        let all = Int(APUS_CARDS_OFFSET) + (MemoryLayout<apus_cards>.offset(of: \.cards) ?? 0)
        contexts.zero(at: all, count: 4 * StubProcess.cards)
    }

    /// Leaves what fstat(2) of a descriptor would give at the moment, and for so many ticks of the processor's clock. Only
    /// while the process's one thread asks; it holds until that asks again.
    package func setStatus(_ words: InlineArray<18, UInt64>, of number: Int) {
        let base = Int(APUS_CARDS_OFFSET)
        func at(_ path: PartialKeyPath<apus_cards>) -> Int { base + (MemoryLayout<apus_cards>.offset(of: path) ?? 0) }
        for index in 0..<18 { contexts.store(words[index], at: at(\.status) + 8 * index) }
        contexts.store(UInt32(0), at: at(\.is_named))
        contexts.store(apus_ticks() &+ StubProcess.statusTicks, at: at(\.until))
        contexts.store(UInt32(truncatingIfNeeded: number + 1), at: at(\.status_number))
    }

    /// That holds of the name, too, by which the thread's call has opened the file: no link, in this directory.
    package func setStatusName(in directory: Int32) {
        let base = Int(APUS_CARDS_OFFSET)
        contexts.store(directory, at: base + (MemoryLayout<apus_cards>.offset(of: \.status_directory) ?? 0))
        contexts.store(UInt32(1), at: base + (MemoryLayout<apus_cards>.offset(of: \.is_named) ?? 0))
    }

    /// Of a name that it copies next to a call, with its end.
    package static let shortName = Int(APUS_IN_BESIDE_SIZE) - 1

    /// A sixteenth of what is a moment elsewhere (see `Outside`): the attributes may be older.
    static let statusTicks: UInt64 = 1 << 19

    /// The directory has no more entries, until its thread asks again.
    package func setEnd(of number: Int) {
        let place = Int(APUS_CARDS_OFFSET) + (MemoryLayout<apus_cards>.offset(of: \.end_number) ?? 0)
        contexts.store(UInt32(truncatingIfNeeded: number + 1), at: place)
    }

    /// What these two have said does not hold any more.
    package func clearNewest() {
        let base = Int(APUS_CARDS_OFFSET)
        contexts.store(UInt32(0), at: base + (MemoryLayout<apus_cards>.offset(of: \.status_number) ?? 0))
        contexts.store(UInt32(0), at: base + (MemoryLayout<apus_cards>.offset(of: \.end_number) ?? 0))
    }

    /// The next call that its stub has posted. No more come at a time than a stub posts.
    package func takePosted() -> PostedCall? {
        let count = contexts.loadAcquiring(at: Int(APUS_CARDS_OFFSET))
        guard let place = takenCalls.next(of: count, places: APUS_POSTED_MOST) else { return nil }
        let list = Int(APUS_CARDS_OFFSET) + (MemoryLayout<apus_cards>.offset(of: \.posted) ?? 0)
        let word: UInt32 = contexts.load(at: list + 4 * place)
        let number = Int(word & 0xff)
        let flag = word & 1 << 16 != 0
        switch Int(word >> UInt32(APUS_POSTED_KIND_SHIFT)) {
        case APUS_POSTED_CLOSE: return .close(number)
        case APUS_POSTED_COPY: return .copy(number, to: Int(word >> 8 & 0xff), closesOnExec: flag)
        default: return .setCloseOnExec(number, flag)
        }
    }

    /// How many calls a stub posts at most, before it asks.
    package static let mostPosted = Int(APUS_POSTED_MOST)
}
