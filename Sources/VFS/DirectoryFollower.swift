internal import LinuxABI

/// Whether somebody asks for the entries of a directory one after the other, as it was read, or only for the directories among
/// them; and for which ones next.
///
/// As with reading ahead in a file, more and more entries are worth preparing as long as they are asked for.
package struct DirectoryFollower {
    /// The entry that would come next, by where it begins in the listing; and the one before.
    private var expected = 0
    private var last: Int?
    /// Entries were prepared up to here.
    private var preparedEnd = 0
    /// How many to prepare.
    private var batch = 0
    private var run = 0
    private var failures = 0
    /// Something was asked for.
    private var hasBegun = false

    /// What somebody asks for first.
    package enum Beginning: Sendable {
        /// The first directory, behind other entries.
        case firstDirectory
        /// The first entry, and no directory.
        case firstEntry
        /// The first entry, a directory.
        case either
    }
    /// Only directories were asked for, and other things left out.
    private var onlyDirectories: Bool { asksForDirectories && leavesOthers }
    private var asksForDirectories = true
    private var leavesOthers = false

    /// Entries that may be left out on the way, and not directories.
    fileprivate static let reach = 64
    fileprivate static let farReach = 1024
    private static let mostFailures = 4
    private static let mostPrepared = 64

    package init() {}

    /// Somebody asks for what has this name.
    /// `eager`: to be prepared from the first one on.
    /// - Returns: where the entries begin that are worth preparing, and how many of them.
    mutating func follow(_ name: Span<UInt8>, in listing: DirectoryListing, eager: Bool) -> (from: Int, count: Int)? {
        guard failures < DirectoryFollower.mostFailures else { return nil }
        if let last, listing.isNamed(name, at: last) { return nil }
        var index = expected
        var (skipped, others) = (0, 0)
        while !listing.isNamed(name, at: index) {
            let length = listing.length(at: index)
            guard length > 0, skipped < DirectoryFollower.reach, others < DirectoryFollower.farReach else {
                failures += 1
                (expected, run, batch) = (0, 0, 0)
                return nil
            }
            if listing.isDirectory(at: index) { skipped += 1 } else { others += 1 }
            index += length
        }
        let isDirectory = listing.isDirectory(at: index)
        if !isDirectory { asksForDirectories = false }
        if others > 0 { leavesOthers = true }
        failures = 0
        run += 1
        last = index
        expected = index + listing.length(at: index)
        guard eager || run >= DirectoryFollower.trusted else { return nil }
        if batch == 0 {
            // Who walks down first needs the others late.
            batch = isDirectory || !eager ? DirectoryFollower.few : DirectoryFollower.many
        } else if index >= preparedEnd {
            batch = min(batch * 2, DirectoryFollower.mostPrepared)
        } else {
            // Some of what was prepared did not live so long.
            batch = max(batch / 2, 2)
        }
        return (expected, batch)
    }

    /// - Returns: nil where it is not the first that is asked for, or something from the middle.
    fileprivate mutating func begin(with name: Span<UInt8>, in listing: DirectoryListing) -> Beginning? {
        guard !hasBegun else { return nil }
        hasBegun = true
        var (index, others) = (0, 0)
        while others < DirectoryFollower.reach {
            let length = listing.length(at: index)
            guard length > 0 else { return nil }
            let isDirectory = listing.isDirectory(at: index)
            if listing.isNamed(name, at: index) {
                if others > 0 { return isDirectory ? .firstDirectory : nil }
                return isDirectory ? .either : .firstEntry
            }
            guard !isDirectory else { return nil }
            others += 1
            index += length
        }
        return nil
    }

    /// The directory among the entries that comes next behind the one of that name.
    fileprivate mutating func directory(behind name: Span<UInt8>, in listing: DirectoryListing) -> FileName? {
        // Mostly it is the one that was found here last, or one behind.
        guard let place = listing.place(of: name, from: found) ?? listing.place(of: name, from: 0) else { return nil }
        found = place
        var index = place + listing.length(at: place)
        for _ in 0..<DirectoryFollower.farReach where listing.length(at: index) > 0 {
            if listing.isDirectory(at: index) { return listing.name(at: index) }
            index += listing.length(at: index)
        }
        return nil
    }

    /// The entry behind which a directory was looked for last.
    private var found = 0

    private static let trusted = 3
    private static let few = 4
    private static let many = 16

    /// Hands over the entries that follow one that is asked for.
    /// - Returns: how many.
    fileprivate mutating func prepare(
        behind name: Span<UInt8>, in listing: DirectoryListing, eager: Bool, _ body: (FileName) -> Void
    ) -> Int {
        guard let next = follow(name, in: listing, eager: eager) else { return 0 }
        var index = next.from
        var (count, others) = (0, 0)
        while count < next.count, others < DirectoryFollower.reach {
            let length = listing.length(at: index)
            guard length > 0 else { break }
            if !onlyDirectories || listing.isDirectory(at: index) {
                body(listing.name(at: index))
                count += 1
            } else {
                others += 1
            }
            index += length
        }
        preparedEnd = index
        return count
    }
}

extension DirectoryListing {
    /// True if the entry that begins at an index has the name.
    func isNamed(_ name: Span<UInt8>, at index: Int) -> Bool {
        let begin = index + DirectoryListing.headSize
        guard begin + name.count < bytes.count, bytes[begin + name.count] == 0 else { return false }
        for place in 0..<name.count where bytes[begin + place] != name[place] { return false }
        return true
    }

    /// Where the entry of that name begins, at an index or not far behind.
    fileprivate func place(of name: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        for _ in 0..<DirectoryFollower.farReach {
            if isNamed(name, at: index) { return index }
            let length = length(at: index)
            guard length > 0 else { return nil }
            index += length
        }
        return nil
    }

    /// True if the entry that begins at an index says so.
    func isDirectory(at index: Int) -> Bool {
        index + DirectoryListing.headSize < bytes.count && bytes[index + 18] == FileKind.directory.directoryEntryType
    }

    /// The name of the entry that begins at an index.
    func name(at index: Int) -> FileName {
        let begin = index + DirectoryListing.headSize
        var end = begin
        while end < bytes.count, bytes[end] != 0 { end += 1 }
        return FileName(Array(bytes[begin..<end]))
    }
}

extension DirectoryFile {
    package var wasRead: Bool { taken != nil }

    /// Somebody asks for what has this name here: see `DirectoryFollower`. What may be asked for next is given to `prepare`, one
    /// after the other.
    /// - Returns: how many.
    package func follow(_ name: Span<UInt8>, eager: Bool, _ prepare: (FileName) -> Void) -> Int {
        guard let taken else { return 0 }
        return follower.prepare(behind: name, in: taken, eager: eager, prepare)
    }

    /// Somebody has asked for what has this name here, and for nothing before: which of the entries that is.
    package func beginning(with name: Span<UInt8>) -> DirectoryFollower.Beginning? {
        guard let taken else { return nil }
        return follower.begin(with: name, in: taken)
    }

    /// The directory among the entries that comes next behind the one of that name.
    package func directory(behind name: FileName) -> FileName? {
        guard let taken else { return nil }
        return follower.directory(behind: name.bytes.span, in: taken)
    }

    /// The first entries, or the first directories among them, are given to `prepare`.
    package func first(_ count: Int, onlyDirectories: Bool, _ prepare: (FileName) -> Void) {
        guard let taken else { return }
        var (index, left, others) = (0, count, 0)
        while left > 0, others < DirectoryFollower.reach {
            let length = taken.length(at: index)
            guard length > 0 else { return }
            if !onlyDirectories || taken.isDirectory(at: index) {
                prepare(taken.name(at: index))
                left -= 1
            } else {
                others += 1
            }
            index += length
        }
    }
}
