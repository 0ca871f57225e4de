internal import Stub
import Synchronization

/// The words in which stubs count what they have posted, with what was seen there last: looked at before each request of
/// anybody, so nothing is touched but those words.
@safe
package struct PostedWords {
    /// Each points into a mapping that `processes` keeps.
    private var words: [UnsafePointer<Atomic<UInt32>>] = unsafe []
    private var seen: [UInt32] = []
    /// Whose mappings the words lie in.
    private var processes: [StubProcess] = []
    /// Something was seen, and not all of it was taken.
    private var isPending = false
    /// The words are not those of who posts, since so many looks.
    private var looksInVain: Int? = 0

    /// Where processes and threads come and go, to collect the words each time would cost more than it saves.
    private static let patience = 32

    package init() {}

    /// Others post now.
    package mutating func forget() {
        looksInVain = 0
        // None is looked at while it is not known who posts.
        unsafe words.removeAll(keepingCapacity: true)
        // They keep memory.
        processes.removeAll(keepingCapacity: true)
        seen.removeAll(keepingCapacity: true)
    }

    /// - Returns: whether `watch` would pay.
    @inline(__always)
    package mutating func isDue() -> Bool {
        guard let looks = looksInVain else { return false }
        looksInVain = looks + 1
        return looks >= PostedWords.patience
    }

    /// From now on the words of these, and no others: of calls, of changes of the address space, of threads that have ended.
    package mutating func watch(
        calls: some Sequence<StubProcess>, mappings: some Sequence<StubProcess>, ends: some Sequence<StubProcess>
    ) {
        // They come anew.
        unsafe words.removeAll(keepingCapacity: true)
        processes.removeAll(keepingCapacity: true)
        for process in calls { add(process, at: Int(APUS_CARDS_OFFSET)) }
        for process in mappings { add(process, at: Int(APUS_MAPPINGS_OFFSET)) }
        for process in ends { add(process, at: StubProcess.endedOffset) }
        seen = [UInt32](repeating: 0, count: processes.count)
        isPending = true
        looksInVain = nil
    }

    private mutating func add(_ process: StubProcess, at offset: Int) {
        processes.append(process)
        // `processes` keeps the mapping.
        unsafe words.append(process.contexts.word(at: offset))
    }

    /// - Returns: whether anything may have been posted since all was taken.
    @inline(__always)
    package mutating func look() -> Bool {
        guard looksInVain == nil else { return true }
        // As many as `seen` has: `watch` sets both.
        let words = unsafe words
        for index in 0..<seen.count {
            // Atomic, as the stub's accesses are.
            let count = unsafe words[index].pointee.load(ordering: .acquiring)
            if count != seen[index] {
                seen[index] = count
                isPending = true
            }
        }
        return isPending
    }

    /// All that was posted when it was looked last.
    package mutating func taken() { isPending = false }
}
