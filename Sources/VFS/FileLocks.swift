package import LinuxABI

/// The advisory locks of one file: whole-file ones of `flock(2)` and ranges of `fcntl(2)`.
package final class FileLocks {
    /// Who holds a range: the descriptor table of a process (POSIX), or an open file description (OFD and `flock`).
    package enum Owner: Hashable {
        case table(ObjectIdentifier)
        case description(ObjectIdentifier)
    }

    package struct Range: Equatable {
        package var start: Int64
        /// Past the last byte; `Int64.max` for the end of the file wherever it moves.
        package var end: Int64
        package var isExclusive: Bool
        package var owner: Owner
        /// As `F_GETLK` reports it; -1 for a lock of a description.
        package var processID: Int32

        package init(start: Int64, end: Int64, isExclusive: Bool, owner: Owner, processID: Int32) {
            self.start = start
            self.end = end
            self.isExclusive = isExclusive
            self.owner = owner
            self.processID = processID
        }
    }

    private var ranges: [Range] = []
    private var whole: [ObjectIdentifier: Bool] = [:]
    /// How many descriptions may write the file.
    package var writers: Int { countOfWriters }
    private var countOfWriters = 0
    /// How many descriptions that have a place in the tree are open.
    package var holders: Int { countOfHolders }
    private var countOfHolders = 0
    /// Fired whenever a lock goes or shrinks.
    package let released = WaitQueue()

    package init() {}

    func enterWriters() { countOfWriters += 1 }
    func leaveWriters() { countOfWriters -= 1 }
    func enterHolders() { countOfHolders += 1 }

    /// - Returns: how many are left.
    @discardableResult
    func leaveHolders() -> Int {
        countOfHolders -= 1
        return countOfHolders
    }

    /// The first lock of somebody else that `wanted` cannot stand beside.
    package func conflict(with wanted: Range) -> Range? {
        ranges.filter { held in
            held.owner != wanted.owner && held.start < wanted.end && wanted.start < held.end
                && (held.isExclusive || wanted.isExclusive)
        }.min { $0.start < $1.start }
    }

    /// So many ranges of one file at most: each look goes through all of them.
    private static let most = 1 << 15

    /// Sets the owner's lock on the range, replacing what it held there. The caller has looked for conflicts. Throws ENOLCK.
    package func set(_ range: Range) throws(Errno) {
        guard ranges.count < FileLocks.most else { throw .ENOLCK }
        clear(range.start, range.end, of: range.owner)
        // Neighbours of the same kind become one.
        var whole = range
        ranges.removeAll { held in
            guard held.owner == range.owner, held.isExclusive == range.isExclusive, held.start <= whole.end,
                whole.start <= held.end
            else { return false }
            whole.start = min(whole.start, held.start)
            whole.end = max(whole.end, held.end)
            return true
        }
        ranges.append(whole)
        released.wakeAll()
    }

    /// Takes the owner's locks off a range.
    package func clear(_ start: Int64, _ end: Int64, of owner: Owner) {
        guard !ranges.isEmpty else { return }
        var kept: [Range] = []
        for held in ranges {
            guard held.owner == owner, held.start < end, start < held.end else {
                kept.append(held)
                continue
            }
            if held.start < start {
                var left = held
                left.end = start
                kept.append(left)
            }
            if held.end > end {
                var right = held
                right.start = end
                kept.append(right)
            }
        }
        guard kept != ranges else { return }
        ranges = kept
        released.wakeAll()
    }

    /// Nobody holds any.
    package var isEmpty: Bool { ranges.isEmpty && whole.isEmpty }

    /// True if the owner holds any range.
    package func isHeld(by owner: Owner) -> Bool { ranges.contains { $0.owner == owner } }

    /// Who holds locks that `wanted` waits for.
    package func holders(against wanted: Range) -> [Owner] {
        ranges.filter {
            $0.owner != wanted.owner && $0.start < wanted.end && wanted.start < $0.end
                && ($0.isExclusive || wanted.isExclusive)
        }.map(\.owner)
    }

    /// A lock as `/proc/pid/fdinfo` shows it.
    package struct Held {
        package enum Kind: String {
            case posix = "POSIX"
            case description = "OFDLCK"
            case whole = "FLOCK"
        }

        package let kind: Kind
        package let isExclusive: Bool
        package let processID: Int32
        package let start: Int64
        package let end: Int64
    }

    /// What is locked by way of a description: by itself, or by the owner of the descriptor table through which one looks.
    package func held(through file: OpenFile, table: ObjectIdentifier?, process: Int32) -> [Held] {
        var held: [Held] = []
        for range in ranges {
            switch range.owner {
            case .table(let owner) where owner == table:
                held.append(
                    Held(
                        kind: .posix, isExclusive: range.isExclusive, processID: range.processID, start: range.start,
                        end: range.end))
            case .description(let owner) where owner == ObjectIdentifier(file):
                held.append(
                    Held(
                        kind: .description, isExclusive: range.isExclusive, processID: -1, start: range.start,
                        end: range.end))
            default: break
            }
        }
        if let isExclusive = whole[ObjectIdentifier(file)] {
            held.append(
                Held(kind: .whole, isExclusive: isExclusive, processID: process, start: 0, end: .max))
        }
        return held
    }

    /// `flock(2)`: true if the description has the lock now.
    package func lockWhole(_ file: OpenFile, exclusive: Bool) -> Bool {
        let key = ObjectIdentifier(file)
        let others = whole.filter { $0.key != key }
        if exclusive ? !others.isEmpty : others.values.contains(true) {
            // Converting a lock gives the old one up first, as Linux does.
            if whole.removeValue(forKey: key) != nil { released.wakeAll() }
            return false
        }
        whole[key] = exclusive
        released.wakeAll()
        return true
    }

    package func unlockWhole(_ file: OpenFile) {
        if whole.removeValue(forKey: ObjectIdentifier(file)) != nil { released.wakeAll() }
    }

    /// The last descriptor of a description is gone.
    package func forget(_ file: OpenFile) {
        guard !whole.isEmpty || !ranges.isEmpty else { return }
        unlockWhole(file)
        clear(0, .max, of: .description(ObjectIdentifier(file)))
    }
}
