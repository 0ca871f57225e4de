internal import Stub

/// How threads end of which the kernel need not hear at once, and what their stub knows to be private memory: `Stub/ends.c`.
extension StubProcess {
    package static let privateRanges = Int(APUS_PRIVATE_RANGES)

    fileprivate static func offset(_ path: PartialKeyPath<apus_ends>) -> Int {
        Int(APUS_ENDS_OFFSET) + (MemoryLayout<apus_ends>.offset(of: path) ?? 0)
    }

    static let endedOffset = offset(\.ended)

    /// Whether threads with an `endWord` may end without waking the kernel. With a barrier: one that has looked before has asked by
    /// the time that the kernel looks.
    package func setMayEnd(_ may: Bool) { contexts.exchange(may ? 1 : 0, at: StubProcess.offset(\.may_end)) }

    /// True if threads have ended so since this was asked the last time.
    package func haveThreadsEnded() -> Bool {
        let count = contexts.loadAcquiring(at: StubProcess.offset(\.ended))
        guard count != endsTaken else { return false }
        endsTaken = count
        return true
    }

    /// A thread that has ended so and is not known to: its owner is told, as of any request.
    /// - Parameter asking: a thread whose request is being looked at already.
    /// - Returns: whether there was one.
    package func takeEnd(but asking: StubThread?) -> Bool {
        guard let thread = quietThread(but: asking), let owner = thread.owner else { return false }
        owner.stubAsked(thread.event(), through: thread)
        return true
    }

    /// One of the private ranges; nil takes it back.
    package func setPrivateRange(_ index: Int, _ range: Range<UInt>?) {
        guard index >= 0, index < StubProcess.privateRanges else { return }
        let entry = StubProcess.offset(\.ranges) + index * MemoryLayout<apus_private_range>.stride
        // Its threads may be looking.
        contexts.exchange(0, at: entry + 8)
        guard let range else { return }
        contexts.store(UInt64(range.lowerBound), at: entry)
        contexts.store(UInt64(range.upperBound), at: entry + 8)
    }
}

extension StubThread {
    /// The word that its stub clears as it ends, where somebody may wait for it by the host; 0 for none. It stands until then.
    package var endWord: UInt {
        get { toldEndWord }
        set {
            guard newValue != toldEndWord, slot < Int(APUS_END_WORDS) else { return }
            toldEndWord = newValue
            memory.store(UInt64(newValue), at: StubProcess.offset(\.words) + 8 * slot)
        }
    }

    /// Its request is an end that it does not wait for.
    var endsQuietly: Bool {
        guard asks, memory.load(UInt8.self, at: hot + Hot.kind) == UInt8(APUS_KIND_SYSCALL) else { return false }
        return memory.load(UInt16.self, at: hot + Hot.action) & UInt16(APUS_REQUEST_QUIET) != 0
    }
}
