/// The names that a dentry remembers below itself: a hash table that is looked up by a stretch of a path, so that no name
/// has to be made for a look-up.
struct NameTable {
    /// What is known of a name.
    struct Entry {
        let name: FileName
        /// Nil where nothing has the name.
        var dentry: Dentry?
        /// The moment of the last look (see `Outside`).
        var moment: UInt64
        /// Found again whatever the host says: something is mounted here or below.
        var isPinned = false
    }

    /// The names' hashes, 0 where a place is free: most of a search meets nothing else.
    private var hashes: [UInt64] = []
    private var slots: [Entry?] = []
    private(set) var count = 0

    /// The place of a name, for the subscript; nil if nothing is known of it. Places hold until the next change.
    func find(_ hash: UInt64, _ path: [UInt8], _ range: Range<Int>) -> Int? {
        guard count > 0 else { return nil }
        let mask = hashes.count - 1
        var index = Int(truncatingIfNeeded: hash >> 1) & mask
        while hashes[index] != 0 {
            if hashes[index] == hash, slots[index]?.name.matches(path, range) == true { return index }
            index = (index + 1) & mask
        }
        return nil
    }

    func find(_ name: FileName) -> Int? { find(name.hash, name.bytes, name.bytes.indices) }

    /// What is known of the name at a place, looked at without taking the whole entry.
    func dentry(at place: Int) -> Dentry? { slots[place]?.dentry }

    /// True if it may be believed in this moment without asking.
    func holds(at place: Int, in moment: UInt64) -> Bool {
        guard let seen = slots[place]?.moment else { return false }
        return seen == moment || slots[place]?.isPinned == true
    }

    subscript(place: Int) -> Entry? { slots[place] }

    subscript(name: FileName) -> Entry? { find(name).flatMap { slots[$0] } }

    /// The entry at a place was found as it is in this moment.
    mutating func confirm(at place: Int, _ moment: UInt64) { slots[place]?.moment = moment }

    mutating func set(_ entry: Entry) {
        if let place = find(entry.name) {
            slots[place] = entry
            return
        }
        if (count + 1) * 2 > slots.count { grow() }
        insert(entry)
        count += 1
    }

    mutating func remove(_ name: FileName) {
        guard var hole = find(name) else { return }
        count -= 1
        // Whoever stands behind the hole because it was taken moves up into it.
        let mask = slots.count - 1
        free(hole)
        var index = (hole + 1) & mask
        while let entry = slots[index] {
            let home = Int(truncatingIfNeeded: entry.name.hash >> 1) & mask
            if (index - home) & mask >= (index - hole) & mask {
                slots[hole] = entry
                hashes[hole] = entry.name.hash
                free(index)
                hole = index
            }
            index = (index + 1) & mask
        }
    }

    private mutating func free(_ place: Int) {
        slots[place] = nil
        hashes[place] = 0
    }

    private mutating func grow() {
        let old = slots
        let room = max(8, old.count * 2)
        slots = [Entry?](repeating: nil, count: room)
        hashes = [UInt64](repeating: 0, count: room)
        for case let entry? in old { insert(entry) }
    }

    /// For a name that is not there, with room for it.
    private mutating func insert(_ entry: Entry) {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: entry.name.hash >> 1) & mask
        while hashes[index] != 0 { index = (index + 1) & mask }
        slots[index] = entry
        hashes[index] = entry.name.hash
    }
}
