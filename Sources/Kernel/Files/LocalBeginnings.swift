internal import LinuxABI
internal import Platform
internal import VFS

/// What a process asks for first in directories that it has read: who walks through them asks for the first entry, or for the
/// first directory. From then on a directory's first ones are told together with its entries.
struct Beginnings {
    private var onlyDirectories = true
    /// How often it was that in a row.
    private var run = 0
    private(set) var follows = false
    private var told: UInt32 = 0
    private var answeredBefore: UInt32 = 0
    /// Openings at which nothing is told: too little of it was asked for.
    private var pause = 0

    private static let trusted = 3
    private static let longest = 256
    private static let fewDirectories = 4
    private static let fewEntries = 16
    /// Of what was told, before it is looked how much was asked for.
    private static let period: UInt32 = 128

    /// By asking, since nothing was told.
    mutating func begin(with beginning: DirectoryFollower.Beginning, follows: Bool) {
        let only =
            switch beginning {
            case .firstDirectory: true
            case .firstEntry: false
            case .either: onlyDirectories
            }
        run = only == onlyDirectories && follows == self.follows ? min(run + 1, Beginnings.trusted) : 1
        (onlyDirectories, self.follows) = (only, follows)
    }

    /// A directory is opened that will be read: how many of its first entries to tell of. `answered`: how many names the stub
    /// has answered, ever.
    mutating func next(_ answered: UInt32) -> (count: Int, onlyDirectories: Bool)? {
        guard pause == 0 else {
            pause -= 1
            return nil
        }
        guard run >= Beginnings.trusted else { return nil }
        if told >= Beginnings.period {
            let isWorthIt = (answered &- answeredBefore) >= told / 3
            told = 0
            guard isWorthIt else {
                (run, pause) = (0, Beginnings.longest)
                return nil
            }
        }
        if told == 0 { answeredBefore = answered }
        return (onlyDirectories ? Beginnings.fewDirectories : Beginnings.fewEntries, onlyDirectories)
    }

    mutating func hasTold(_ count: Int) { told += UInt32(truncatingIfNeeded: count) }
}

extension GuestThread {
    /// Its stub was told the entries of a directory: now what it may ask of the first ones.
    func tellBeginning(of file: OpenFile, _ number: Int, _ words: (FileAttributes) -> InlineArray<18, UInt64>) {
        guard let map, map.mayTellNames, let names = map.names, let location = file.location,
            let directory = file.operations as? DirectoryFile,
            let next = names.beginnings.next(names.stub.answeredNames)
        else { return }
        names.bind(to: files)
        guard let place = names.directory(FileNumber(Int32(truncatingIfNeeded: number)), of: []) else { return }
        var told = 0
        directory.first(next.count, onlyDirectories: next.onlyDirectories) { entry in
            let isTold = prepareStatus(
                of: entry, in: location, place, follows: names.beginnings.follows, names, words)
            if isTold { told += 1 }
        }
        if told == 0, next.onlyDirectories, tellNext(behind: location, names, words) { told = 1 }
        names.beginnings.hasTold(told)
    }

    /// A directory is opened that holds none: what its stub may ask then is the next directory beside it, or beside one of those
    /// above where that was the last.
    /// - Returns: whether it was told of, and not before.
    private func tellNext(
        behind location: Dentry, _ names: LocalNames, _ words: (FileAttributes) -> InlineArray<18, UInt64>
    ) -> Bool {
        var here = location
        for _ in 0..<GuestThread.levels {
            guard let parent = here.parent, parent.remembers, let opened = names.opened(parent) else { return false }
            if let next = opened.file.directory(behind: here.name) {
                guard let name = StubName(next.bytes.span),
                    let place = names.directory(FileNumber(Int32(truncatingIfNeeded: opened.number)), of: [])
                else { return false }
                let follows = names.beginnings.follows
                let isKnown = names.holds(
                    name.hash(place, follows: follows), generation: kernel.statuses.generation,
                    momentEnd: parent.mount.outside.end)
                return !isKnown && prepareStatus(of: next, in: parent, place, follows: follows, names, words)
            }
            here = parent
        }
        return false
    }

    /// How far above.
    private static let levels = 4
}
