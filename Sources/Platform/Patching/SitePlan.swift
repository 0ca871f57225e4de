/// How a call site can become a jump.
///
/// `syscall` has two bytes, room for a short jump only. So it jumps to an *island*: five bytes of dead padding within its
/// reach, which hold the jump to the trampoline; no instruction is moved, and the site still begins and ends where it did.
/// Where no padding is, the `mov $number, %eax` before the call gives its bytes.
struct SitePlan: Equatable {
    enum Way: Equatable {
        /// A short jump to the island at this offset of the page.
        case island(Int)
        /// A jump over `mov` and `syscall`, which begins at this offset.
        case overMove(Int)
    }

    var way: Way

    static let syscall: [UInt8] = [0x0f, 0x05]
    static let islandSize = 5
    /// `mov $number, %eax; syscall`
    static let moveSize = 5

    /// Finds a way; nil where there is none within the page.
    /// - Parameters:
    ///   - page: the bytes of the page as its file has them.
    ///   - site: the offset of `syscall` in it.
    ///   - number: the call that came from there.
    ///   - taken: offsets of the page that islands occupy already.
    init?(page: [UInt8], site: Int, number: Int, taken: Set<Int>) {
        guard site >= 0, site + 2 <= page.count, Array(page[site..<site + 2]) == SitePlan.syscall else { return nil }
        if let island = SitePlan.island(page, after: site + 2, taken) {
            way = .island(island)
        } else if SitePlan.movesNumber(page, before: site, number) {
            way = .overMove(site - SitePlan.moveSize)
        } else {
            return nil
        }
    }

    /// Padding that nothing runs into: it follows an instruction that ends the flow. The way there goes instruction by
    /// instruction from the site, which has run, so none is mistaken for the tail of another.
    private static func island(_ page: [UInt8], after start: Int, _ taken: Set<Int>) -> Int? {
        let reach = start + 127
        var next = start
        var isDead = false
        while next <= reach, let instruction = InstructionDecoder.decode(page, at: next) {
            guard instruction.kind == .padding, isDead else {
                isDead = instruction.kind == .end
                next += instruction.length
                continue
            }
            var end = next
            while let more = InstructionDecoder.decode(page, at: end), more.kind == .padding { end += more.length }
            var place = next
            while place + islandSize <= end, place <= reach {
                if !(place..<place + islandSize).contains(where: taken.contains) { return place }
                place += 1
            }
            isDead = false
            next = end
        }
        return nil
    }

    private static func movesNumber(_ page: [UInt8], before site: Int, _ number: Int) -> Bool {
        guard site >= moveSize, page[site - moveSize] == 0xb8, number >= 0, number < 1 << 16 else { return false }
        // With REX.B before it, another register gets the number. What only looks so stays a trap, and so does what stands at
        // the page's beginning.
        guard site > moveSize, page[site - moveSize - 1] & 0xf9 != 0x41 else { return false }
        let bytes = page[site - 4..<site]
        return Array(bytes) == Trampoline.bytes(UInt32(number))
    }
}
