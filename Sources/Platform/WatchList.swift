internal import Stub
import Synchronization

/// The threads whose stubs may ask, with the addresses of their state words beside them: looking at all of them is the
/// kernel's innermost loop, and must touch nothing but those words.
@safe
struct WatchList {
    private(set) var threads: [StubThread] = []
    /// The words of `threads`, at the same indices. Each points into a mapping that its thread keeps alive.
    private var words: [UnsafePointer<Atomic<UInt32>>] = unsafe []

    @inline(__always)
    var count: Int { threads.count }

    mutating func add(_ thread: StubThread) {
        threads.append(thread)
        // The thread keeps the word's mapping alive.
        unsafe words.append(thread.stateWord)
    }

    mutating func remove(_ thread: StubThread) {
        guard let index = threads.firstIndex(where: { $0 === thread }) else { return }
        threads.remove(at: index)
        // The two arrays have the same indices.
        unsafe words.remove(at: index)
    }

    /// The index of the first thread from `start` on, around the end, whose stub has asked and not been answered.
    @inline(__always)
    func firstAsking(from start: Int) -> Int? {
        // The words are those of threads in the list, which keep their mappings.
        let words = unsafe words
        let count = unsafe words.count
        // The list may have become shorter since the caller chose where to begin.
        let first = start < count ? start : 0
        for step in 0..<count {
            var index = first + step
            if index >= count { index -= count }
            // Atomic, as the stub's accesses are.
            if unsafe words[index].pointee.load(ordering: .acquiring) == UInt32(APUS_STATE_REQUEST) { return index }
        }
        return nil
    }

    /// Where stubs that do not wait for the kernel were last seen.
    var running: ProcessorSet {
        var found = ProcessorSet()
        for thread in threads where thread.isRunning && !thread.waitsByItself { found.insert(Int(thread.processor)) }
        return found
    }
}
