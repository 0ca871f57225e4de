import Testing

@testable import Platform

@Suite struct PostedCountTests {
    @Test func givesPlacesInTurn() {
        var count = PostedCount()
        #expect(count.next(of: 0, places: 4) == nil)
        #expect(count.next(of: 2, places: 4) == 0)
        #expect(count.next(of: 2, places: 4) == 1)
        #expect(count.next(of: 2, places: 4) == nil)
        #expect((2..<6).allSatisfy { count.next(of: 6, places: 4) == $0 % 4 })
        #expect(count.next(of: 6, places: 4) == nil)
    }

    /// No stub would have it, and a guest can write it.
    @Test(arguments: [5, 1 << 31, UInt32.max])
    func passesOverACountThatIsTooLarge(_ forged: UInt32) {
        var count = PostedCount()
        #expect(count.next(of: forged, places: 4) == nil)
        #expect(count.taken == forged)
        // What comes behind it is found, across the largest number too.
        #expect(count.next(of: forged &+ 1, places: 4) == Int(forged % 4))
        #expect(count.next(of: forged &+ 1, places: 4) == nil)
    }
}
