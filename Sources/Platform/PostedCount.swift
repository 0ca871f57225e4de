/// How much of what a stub has posted the kernel has taken. What is posted stands in a few places that are used in turn, with
/// a count of all that there ever was, which a guest can write.
struct PostedCount {
    private(set) var taken: UInt32 = 0

    /// The place of the next one, which is taken herewith.
    /// - Returns: nil where nothing is left of the `count`, or more than there are places: then that is passed over.
    @inline(__always)
    mutating func next(of count: UInt32, places: Int32) -> Int? {
        let waiting = count &- taken
        guard waiting != 0 else { return nil }
        guard waiting <= UInt32(places) else {
            // No stub posts so many.
            taken = count
            return nil
        }
        defer { taken &+= 1 }
        return Int(taken % UInt32(places))
    }
}
