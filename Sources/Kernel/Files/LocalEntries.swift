internal import LinuxABI
internal import Platform
package import VFS

/// What a stub was told of the directory that its thread has opened last: all of its entries, which it gives to whoever reads
/// them first. See `Stub/cards.c` and `docs/decisions/0044-directories-told-as-they-are-opened.md`.
struct ToldEntries {
    /// Whose entries the stub has, until they are taken back.
    fileprivate(set) var file: OpenFile?
    /// The directory that was opened last.
    private var opened: ObjectIdentifier?
    /// How sure it is that who opens a directory reads it next, from its beginning.
    private var confidence = 0

    private static let trusted = 2
    private static let most = 8

    var areTold: Bool { file != nil }

    /// A directory is opened: whether to tell its entries.
    fileprivate mutating func arePromising(_ file: OpenFile) -> Bool {
        opened = ObjectIdentifier(file)
        return confidence >= ToldEntries.trusted
    }

    /// A directory was read from its beginning, by asking.
    fileprivate mutating func wereRead(_ file: OpenFile) {
        guard opened == ObjectIdentifier(file) else { return }
        opened = nil
        confidence = min(confidence + 1, ToldEntries.most)
    }

    /// Entries were told, and read or not.
    fileprivate mutating func learn(_ wereRead: Bool) {
        confidence = wereRead ? min(confidence + 1, ToldEntries.most) : max(confidence - 3, 0)
        opened = nil
    }
}

extension DescriptorCards {
    fileprivate func tellEntries(of file: OpenFile, _ number: Int) -> Bool {
        guard entries.arePromising(file), !isRevoked, number < limit, let location = file.location,
            location.remembers, let directory = file.operations as? DirectoryFile,
            card(of: file, number, closeOnExec: false).isPlain
        else { return false }
        // What is larger hardly fits.
        guard let size = try? directory.inode.attributes().size, size <= 4096 else { return false }
        let bytes = directory.allEntries(file, limit: StubProcess.mostEntries) { () throws(Errno) in
            try file.parentInode
        }
        guard let bytes else { return false }
        entries.file = file
        stub.setEntries(bytes.span, of: number, momentEnd: location.mount.outside.end)
        return true
    }

    /// The stub gives them to nobody from now on. If it has, the file's position is behind them.
    func takeBackEntries() {
        guard let file = entries.file else { return }
        entries.file = nil
        let wereRead = stub.takeBackEntries()
        entries.learn(wereRead)
        guard let directory = file.operations as? DirectoryFile else { return }
        if wereRead { directory.readToEnd(file) } else { directory.forget(file) }
    }
}

extension GuestThread {
    /// The call has opened the directory: its stub can tell the entries, if these mostly are asked for next.
    /// `words`: how attributes are told.
    package func leaveEntries(
        _ file: OpenFile, _ number: Int, _ words: (FileAttributes) -> InlineArray<18, UInt64>
    ) {
        guard let cards = files.cards, cards.tellEntries(of: file, number) else { return }
        kernel.newestCards = cards
        tellBeginning(of: file, number, words)
    }

    /// The call has read the directory from its beginning.
    package func hasReadEntries(_ file: OpenFile) { files.cards?.entries.wereRead(file) }
}

extension OpenFile {
    /// The inode number that `..` has in a directory.
    package var parentInode: UInt64 {
        get throws(Errno) {
            guard let location else { return 0 }
            return try (location.parent ?? location.mount.point?.parent ?? location).inode.attributes().inode
        }
    }
}
