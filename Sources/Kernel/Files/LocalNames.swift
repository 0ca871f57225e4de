internal import HostSystem
package import LinuxABI
internal import Platform
package import VFS

/// What the stub of a process's only thread was told of names: `Stub/names.c` and
/// `docs/decisions/0038-statuses-by-name.md`.
///
/// It belongs to one address space, and to that thread's table of descriptors, which says when a number means something else.
final class LocalNames {
    let stub: StubProcess
    private(set) var table: FileTable?
    /// Something was told that holds: the kernel's `StatusesByName` takes it back.
    var isTold = false
    /// By descriptor, what the stub knows the directory by; 0 for nothing.
    private var directories = [UInt32](repeating: 0, count: StubProcess.nameDirectories)
    private var lastDirectory = StubProcess.nameHere
    /// By place, what the stub has there.
    private var versions = [UInt32](repeating: 0, count: StubProcess.names)
    /// And what it was told there last.
    private var held = [Held](repeating: Held(), count: StubProcess.names)
    /// By set, where the next name goes.
    private var ways = [UInt8](repeating: 0, count: StubProcess.names / StubProcess.nameWays)
    /// Names that were asked for, and after how many changes in the sandbox.
    private var asked = [(hash: UInt64, changes: UInt64)](repeating: (0, 0), count: 64)

    private struct Held {
        var hash: UInt64 = 0
        var generation: UInt32 = 0
        var momentEnd: UInt64 = 0
    }

    private var lastChanges: UInt64 = .max
    /// By which the directory stood open that was looked for last.
    private var lastParent = 0
    /// What is asked for first in a directory.
    var beginnings = Beginnings()

    /// How far it pays to prepare what may be asked for next: below `distrusted` seldom, from `trusted` on always.
    private var confidence = 0
    private var prepared = 0
    private var answeredBefore: UInt32 = 0
    private var untried = 0
    private static let trusted = 1
    private static let distrusted = -4

    init(_ stub: StubProcess) { self.stub = stub }

    /// From now on the descriptors are this table's.
    func bind(to new: FileTable) {
        guard table !== new else { return }
        release()
        table = new
        new.names = self
    }

    func release() {
        for number in directories.indices { changed(number, byStub: false) }
        if table?.names === self { table?.names = nil }
        table = nil
    }

    /// The number is about to mean something else. `byStub`: it has said so itself, and may know more by now.
    @inline(__always)
    func changed(_ number: Int, byStub: Bool) {
        guard number < directories.count, directories[number] != 0 else { return }
        directories[number] = 0
        if !byStub { stub.setNameDirectory(number, 0) }
    }

    /// The stub has made another number for the same directory.
    func copied(_ number: Int, to target: Int) {
        guard directories.indices.contains(number), directories.indices.contains(target) else { return }
        directories[target] = directories[number]
    }

    /// What the stub knows the place by where a path begins; nil where it knows none.
    func directory(_ number: FileNumber, of path: [UInt8]) -> UInt32? {
        if path.first == 0x2f || number == .currentDirectory { return StubProcess.nameHere }
        let index = Int(number.rawValue)
        guard directories.indices.contains(index) else { return nil }
        if directories[index] == 0 {
            lastDirectory &+= 1
            if lastDirectory <= StubProcess.nameHere { lastDirectory = StubProcess.nameHere + 1 }
            directories[index] = lastDirectory
            stub.setNameDirectory(index, lastDirectory)
        }
        return directories[index]
    }

    /// True if nothing has changed since it was asked last.
    @inline(__always)
    func isQuiet(after changes: UInt64) -> Bool {
        if lastChanges == changes { return true }
        lastChanges = changes
        return false
    }

    /// The name is asked for.
    /// - Returns: true if it was asked for before, and nothing has changed since.
    func isHot(_ hash: UInt64, after changes: UInt64) -> Bool {
        let place = Int(hash >> 32) & (asked.count - 1)
        let before = asked[place]
        if before.hash == hash, before.changes == changes { return true }
        asked[place] = (hash, changes)
        return false
    }

    /// A name of that hash is about to be told.
    func willTell(_ hash: UInt64) {
        let first = StubProcess.namePlace(hash)
        stub.fetchName(at: first + Int(ways[first / StubProcess.nameWays]))
    }

    func tell(_ status: NameStatus, _ hash: UInt64, generation: UInt32) {
        let first = StubProcess.namePlace(hash)
        let set = first / StubProcess.nameWays
        let place = first + Int(ways[set])
        ways[set] = (ways[set] + 1) % UInt8(StubProcess.nameWays)
        versions[place] = stub.setName(status, at: place, version: versions[place], generation: generation)
        held[place] = Held(hash: hash, generation: generation, momentEnd: status.momentEnd)
    }

    /// True if the stub can say what has that hash until this moment ends, and that is not about to.
    func holds(_ hash: UInt64, generation: UInt32, momentEnd: UInt64) -> Bool {
        let first = StubProcess.namePlace(hash)
        for place in first..<first + StubProcess.nameWays where held[place].hash == hash {
            if held[place].generation == generation, held[place].momentEnd == momentEnd {
                return isTold && Host.ticks < momentEnd &- LocalNames.soon
            }
        }
        return false
    }

    /// In ticks of the processor's clock: until a directory that was opened is read, and the next one asked for.
    private static let soon: UInt64 = 1 << 17

    /// The directory that stands open by a number by which names are told, if it was read.
    func opened(_ location: Dentry) -> (number: Int, file: DirectoryFile)? {
        if let found = opened(location, by: lastParent) { return found }
        for number in directories.indices where directories[number] != 0 {
            guard let found = opened(location, by: number) else { continue }
            lastParent = number
            return found
        }
        return nil
    }

    private func opened(_ location: Dentry, by number: Int) -> (number: Int, file: DirectoryFile)? {
        guard directories[number] != 0, let file = try? table?.file(FileNumber(Int32(truncatingIfNeeded: number))),
            file.location === location, let directory = file.operations as? DirectoryFile, directory.wasRead
        else { return nil }
        return (number, directory)
    }

    // MARK: What may be asked for next

    /// Whether to prepare anything, and from the first entry of a directory on.
    func mayPrepare() -> (may: Bool, eager: Bool) {
        if prepared > 0 {
            let answered = stub.answeredNames
            let used = Int(answered &- answeredBefore)
            confidence = used * 2 >= prepared ? min(confidence + 1, 4) : max(confidence - 1, -6)
            prepared = 0
        }
        guard confidence <= LocalNames.distrusted else { return (true, confidence >= LocalNames.trusted) }
        // Once in a while.
        untried += 1
        guard untried >= 64 else { return (false, false) }
        untried = 0
        return (true, false)
    }

    func hasPrepared(_ count: Int) {
        prepared = count
        answeredBefore = stub.answeredNames
    }
}

/// Which stubs were told of names, and when that ends: before anything is done for anybody from which a name could come to
/// give something else.
package final class StatusesByName {
    /// Of what holds; never 0.
    private(set) var generation: UInt32 = 1
    private var told: [LocalNames] = []
    private var isTold = false
    /// How often something was done that may have changed files, names or descriptors.
    private(set) var changes: UInt64 = 0

    package init() {}

    @inline(__always)
    package func withdraw() {
        changes &+= 1
        if isTold { takeBack() }
    }

    private func takeBack() {
        isTold = false
        for names in told {
            names.isTold = false
            names.stub.holdNames(0)
        }
        told.removeAll(keepingCapacity: true)
        generation = generation == .max ? 1 : generation + 1
    }

    /// The stub may answer from what it is told.
    func hold(_ names: LocalNames) {
        guard !names.isTold else { return }
        names.isTold = true
        isTold = true
        told.append(names)
        names.stub.holdNames(generation)
    }
}

extension GuestThread {
    /// A call has asked what stands at a path, and found it (`dentry`), or that nothing does. If that is asked for again and
    /// again, or the entries of a directory one after the other, the stub may say it.
    package func tellStatus(
        _ directory: FileNumber, _ path: [UInt8], follows: Bool, _ dentry: Dentry?,
        _ words: (FileAttributes) -> InlineArray<18, UInt64>
    ) {
        guard let map, map.mayTellNames else { return }
        let names = map.names ?? LocalNames(map.stub)
        if map.names == nil { map.names = names }
        // Where something changes between any two questions nothing is worth telling, nor a closer look.
        guard names.isQuiet(after: kernel.statuses.changes), let name = StubName(path.span) else { return }
        names.bind(to: files)
        guard let place = names.directory(directory, of: path) else { return }
        let hash = name.hash(place, follows: follows)
        let epoch = kernel.localEpoch
        var isPrepared = false
        if let dentry, directory != .currentDirectory, path.first != 0x2f {
            isPrepared = prepareStatuses(directory, path, in: place, follows: follows, dentry, names, words)
        }
        guard names.isHot(hash, after: kernel.statuses.changes) || isPrepared else { return }
        var status = InlineArray<18, UInt64>(repeating: 0)
        if let dentry {
            guard dentry.mount.isExclusive, dentry.inode.tellsAttributes(until: epoch),
                let attributes = try? dentry.inode.attributes()
            else { return }
            status = words(attributes)
        }
        _ = epoch.use()
        kernel.statuses.hold(names)
        names.tell(
            NameStatus(
                name, in: place, follows: follows, error: dentry == nil ? Errno.ENOENT.rawValue : 0, status: status,
                momentEnd: fileSystem.root.mount.outside.end),
            hash, generation: kernel.statuses.generation)
    }

    /// Tells of the entries behind one that was asked for in a directory, if they are asked for in that order.
    /// - Returns: whether any was told of.
    private func prepareStatuses(
        _ directory: FileNumber, _ path: [UInt8], in place: UInt32, follows: Bool, _ dentry: Dentry,
        _ names: LocalNames, _ words: (FileAttributes) -> InlineArray<18, UInt64>
    ) -> Bool {
        guard let file = try? files.file(directory), let location = file.location, location.remembers,
            dentry.parent === location, let opened = file.operations as? DirectoryFile, opened.wasRead
        else { return false }
        if let beginning = opened.beginning(with: path.span) {
            names.beginnings.begin(with: beginning, follows: follows)
        }
        let (may, eager) = names.mayPrepare()
        guard may else { return false }
        var told = 0
        let count = opened.follow(path.span, eager: eager) { next in
            if prepareStatus(of: next, in: location, place, follows: follows, names, words) { told += 1 }
        }
        if count > 0 { names.hasPrepared(told) }
        return told > 0
    }

    /// Tells of an entry that may be asked for soon.
    /// - Returns: whether it was told of.
    func prepareStatus(
        of next: FileName, in location: Dentry, _ place: UInt32, follows: Bool, _ names: LocalNames,
        _ words: (FileAttributes) -> InlineArray<18, UInt64>
    ) -> Bool {
        let epoch = kernel.localEpoch
        guard let name = StubName(next.bytes.span), let child = try? location.child(next), child.mounted == nil,
            !follows || child.kind != .symbolicLink, child.inode.tellsAttributes(until: epoch)
        else { return false }
        let hash = name.hash(place, follows: follows)
        names.willTell(hash)
        guard let attributes = try? child.inode.attributes() else { return false }
        _ = epoch.use()
        kernel.statuses.hold(names)
        names.tell(
            NameStatus(
                name, in: place, follows: follows, error: 0, status: words(attributes),
                momentEnd: location.mount.outside.end), hash,
            generation: kernel.statuses.generation)
        return true
    }
}
