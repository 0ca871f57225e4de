internal import Platform

/// What a stub has posted of its descriptors, without what comes to nothing: a number that is made and closed again, and that
/// nothing else was made of meanwhile. `find` goes from one directory to the next by such numbers.
struct PostedCalls {
    private var calls = InlineArray<16, PostedCall?>(repeating: nil)
    private var count = 0
    /// The highest number that was made and closed again; 0 for none.
    private(set) var highest = 0

    /// As many as a stub posts at most, or more: those are left where they are.
    init(first: PostedCall, _ next: () -> PostedCall?) {
        calls[0] = first
        count = 1
        while count < min(calls.count, StubProcess.mostPosted), let call = next() {
            calls[count] = call
            count += 1
        }
        // From the last one on: the copy of a copy goes first.
        for index in stride(from: count - 2, through: 0, by: -1) { dropPair(at: index) }
    }

    private mutating func dropPair(at index: Int) {
        guard case .copy(_, let target, _) = calls[index] else { return }
        for later in index + 1..<count {
            switch calls[later] {
            case .close(target):
                calls[index] = nil
                calls[later] = nil
                highest = max(highest, target)
                return
            case .copy(target, _, _), .copy(_, target, _), .setCloseOnExec(target, _): return
            default: continue
            }
        }
    }

    /// In the order in which they were posted.
    func forEach(_ body: (PostedCall) -> Void) {
        for index in 0..<count { if let call = calls[index] { body(call) } }
    }
}
