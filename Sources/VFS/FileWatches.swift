internal import LinuxABI

/// What happened to a file: `IN_*` of `inotify(7)`.
package struct FileEvents: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let access = FileEvents(rawValue: 0x1)
    package static let modify = FileEvents(rawValue: 0x2)
    package static let attributes = FileEvents(rawValue: 0x4)
    package static let closeWritten = FileEvents(rawValue: 0x8)
    package static let closeUnwritten = FileEvents(rawValue: 0x10)
    package static let open = FileEvents(rawValue: 0x20)
    package static let movedFrom = FileEvents(rawValue: 0x40)
    package static let movedTo = FileEvents(rawValue: 0x80)
    package static let create = FileEvents(rawValue: 0x100)
    package static let delete = FileEvents(rawValue: 0x200)
    package static let deleteSelf = FileEvents(rawValue: 0x400)
    package static let moveSelf = FileEvents(rawValue: 0x800)
    package static let all = FileEvents(rawValue: 0xfff)
    /// The subject is a directory.
    package static let isDirectory = FileEvents(rawValue: 0x4000_0000)
}

/// Somebody who watches files: an inotify instance.
package protocol FileWatcher: AnyObject {
    /// Something happened to a file that is watched. The name is that of the entry, where the file is a directory and it
    /// happened in it; the cookie is the same for the two halves of a rename, otherwise 0. `isUnlinked`: it happened
    /// through a name that is gone.
    func heard(_ events: FileEvents, of file: FileIdentity, name: FileName?, cookie: UInt32, isUnlinked: Bool)
}

/// What tells one file from every other: names come and go, and nodes may be made anew at each look.
package struct FileIdentity: Hashable, Sendable {
    package let device: UInt64
    package let inode: UInt64

    package init(_ attributes: FileAttributes) {
        device = attributes.device
        inode = attributes.inode
    }
}

/// Who watches which files. A mount refers to it from the first watch in it on; until then changes tell nobody.
package final class FileWatches {
    private var watchers: [FileIdentity: [any FileWatcher]] = [:]
    private var lastCookie: UInt32 = 0
    /// Inotify instances that are open.
    package var instances = 0

    package init() {}

    /// What a rename's two halves have in common.
    package func newCookie() -> UInt32 {
        lastCookie &+= 1
        if lastCookie == 0 { lastCookie = 1 }
        return lastCookie
    }

    package var isEmpty: Bool { watchers.isEmpty }

    package func add(_ watcher: any FileWatcher, to file: FileIdentity) { watchers[file, default: []].append(watcher) }

    package func remove(_ watcher: any FileWatcher, from file: FileIdentity) {
        watchers[file]?.removeAll { $0 === watcher }
        if watchers[file]?.isEmpty == true { watchers[file] = nil }
    }

    fileprivate func tell(
        _ inode: any Inode, _ events: FileEvents, name: FileName?, cookie: UInt32, isUnlinked: Bool = false
    ) {
        guard !watchers.isEmpty, let attributes = try? inode.attributes() else { return }
        let file = FileIdentity(attributes)
        for watcher in watchers[file] ?? [] {
            watcher.heard(events, of: file, name: name, cookie: cookie, isUnlinked: isUnlinked)
        }
    }
}

extension Dentry {
    /// Something happened to the file: those who watch its directory hear of it, and those who watch the file itself.
    package func notify(_ events: FileEvents) {
        guard let watches = mount.watches else { return }
        let events = inode.kind == .directory ? events.union(.isDirectory) : events
        if let parent { watches.tell(parent.inode, events, name: name, cookie: 0, isUnlinked: isDeleted) }
        watches.tell(inode, events, name: nil, cookie: 0, isUnlinked: isDeleted)
    }

    /// Something happened to the file that its directory does not hear of.
    func notifySelf(_ events: FileEvents) { mount.watches?.tell(inode, events, name: nil, cookie: 0) }

    /// An entry of this directory came or went.
    func notify(_ events: FileEvents, of name: FileName, _ subject: any Inode, cookie: UInt32 = 0) {
        guard let watches = mount.watches else { return }
        let events = subject.kind == .directory ? events.union(.isDirectory) : events
        watches.tell(inode, events, name: name, cookie: cookie)
    }

    /// The file has lost a name, which may have been its last.
    func notifyRemoved() {
        guard let watches = mount.watches else { return }
        let isDirectory = inode.kind == .directory
        if !isDirectory { watches.tell(inode, .attributes, name: nil, cookie: 0) }
        let links = (try? inode.attributes().links) ?? 0
        if isDirectory || links == 0, inode.locks.holders == 0 {
            watches.tell(inode, .deleteSelf, name: nil, cookie: 0)
        }
    }

    /// Nobody holds the file open any more, which may be its end.
    func notifyEnd() {
        guard let watches = mount.watches, isDeleted else { return }
        let isGone = inode.kind == .directory || (try? inode.attributes().links) == 0
        if isGone { watches.tell(inode, .deleteSelf, name: nil, cookie: 0) }
    }

    /// A name has moved, perhaps over another file.
    static func notifyMoved(
        _ moved: Dentry, from old: Dentry, _ oldName: FileName, to new: Dentry, _ newName: FileName,
        over replaced: Dentry?
    ) {
        guard let watches = old.mount.watches else { return }
        let cookie = watches.newCookie()
        old.notify(.movedFrom, of: oldName, moved.inode, cookie: cookie)
        new.notify(.movedTo, of: newName, moved.inode, cookie: cookie)
        replaced?.notifyRemoved()
        moved.notifySelf(.moveSelf)
    }
}
