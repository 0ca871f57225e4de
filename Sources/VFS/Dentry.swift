package import LinuxABI

/// A name in the tree and what it leads to. Linux's `dentry` with its `vfsmount`: a path walk ends at one, and working
/// directories, open files and mappings point at them.
///
/// Names that were looked up are remembered, also those that do not exist, where nobody but this kernel changes the file
/// system; every change goes through `TreeChanges`, which keeps the memory true. What shows files of the host is remembered
/// for a moment (see `Outside`), and then compared with the host.
package final class Dentry {
    package private(set) var name: FileName
    /// Nil for the root of a mount.
    package private(set) var parent: Dentry? {
        get { storedParent }
        set { storedParent = newValue }
    }
    private var storedParent: Dentry?
    package let inode: any Inode
    /// The inode's.
    package let kind: FileKind
    package let mount: Mount
    /// The name is gone; what is open lives on.
    private var isMarkedDeleted: Bool
    package var isDeleted: Bool {
        if isMarkedDeleted || mount.isExclusive || parent == nil { return isMarkedDeleted }
        // Names that others may take away are not followed; the file itself knows whether it has any left.
        return (try? inode.attributes())?.links == 0
    }
    /// What is mounted over this directory.
    package internal(set) var mounted: Mount? {
        get { storedMounted }
        set { storedMounted = newValue }
    }
    // Stored apart: the language watches at run time over accesses to what other modules may store to.
    private var storedMounted: Mount? = nil
    private var children = NameTable()
    /// Look-ups are remembered: names come and go by calls only, or within a moment's time.
    package let remembers: Bool
    /// Names looked up in vain take room too.
    private static let maximumAbsent = 4096
    private var absentCount = 0

    /// Names that others change, too, are looked up each time; one that leads to the same file as before is the same dentry
    /// while somebody uses it, so that a working directory or an open file goes along when this kernel renames it.
    private var used: [FileName: Used] = [:]
    private var sweepAt = 32

    private struct Used {
        weak var dentry: Dentry?
    }

    /// True for what a magic link led to that stands nowhere: a pipe, a socket, a descriptor from outside.
    package var isPlaceless: Bool { standsNowhere }
    private var standsNowhere = false

    /// A dentry for an inode that has no place in the tree.
    package static func placeless(_ name: FileName, _ inode: any Inode, _ mount: Mount) -> Dentry {
        let dentry = Dentry(name: name, parent: nil, inode: inode, mount: mount)
        dentry.standsNowhere = true
        return dentry
    }

    /// `isDeleted`: for what has a place but no name any more, or not yet (`O_TMPFILE`).
    package init(name: FileName, parent: Dentry?, inode: any Inode, mount: Mount, isDeleted: Bool = false) {
        isMarkedDeleted = isDeleted
        self.name = name
        storedParent = parent
        self.inode = inode
        self.mount = mount
        kind = inode.kind
        remembers = mount.isExclusive && inode.remembersNames
    }

    /// Directories above that nobody else holds go one after the other: one inside the other, a tree as deep as a guest
    /// likes would take as much of the kernel's stack.
    deinit {
        var above = parent
        parent = nil
        while isKnownUniquelyReferenced(&above) {
            let next = above?.parent
            above?.parent = nil
            above = next
        }
    }

    /// The child of that name, mounts not crossed. Throws ENOENT.
    package func child(_ name: FileName) throws(Errno) -> Dentry {
        if let known = try recall(name.hash, name.bytes, name.bytes.indices) { return known }
        return try lookUp(name)
    }

    /// The same for a component of a path.
    func child(_ path: [UInt8], _ range: Range<Int>) throws(Errno) -> Dentry {
        let hash = FileName.hash(of: path, in: range)
        if let known = try recall(hash, path, range) { return known }
        return try lookUp(FileName(path, range, hash: hash))
    }

    /// What is remembered of a name, and may be believed; nil for nothing. Throws ENOENT where it is that nothing is there.
    private func recall(_ hash: UInt64, _ path: [UInt8], _ range: Range<Int>) throws(Errno) -> Dentry? {
        guard let place = children.find(hash, path, range) else { return nil }
        guard !mount.showsOutside || children.holds(at: place, in: mount.outside.moment) else { return nil }
        if let dentry = children.dentry(at: place) { return dentry }
        // Where others make names, too, nothing is known to be missing.
        guard remembers else { return nil }
        throw .ENOENT
    }

    /// Asks the file system. What it gives again is the same dentry as before.
    private func lookUp(_ name: FileName) throws(Errno) -> Dentry {
        guard remembers else { return try lookUpAnew(name) }
        let known = children.find(name)
        do throws(Errno) {
            let found = try inode.lookup(name)
            if let known, let dentry = children[known]?.dentry {
                if dentry.inode === found {
                    children.confirm(at: known, mount.outside.moment)
                    return dentry
                }
                dentry.isMarkedDeleted = true
            }
            let dentry = Dentry(name: name, parent: self, inode: found, mount: mount)
            remember(name, dentry)
            return dentry
        } catch {
            if error == .ENOENT {
                if let known { children[known]?.dentry?.isMarkedDeleted = true }
                remember(name, nil)
            }
            throw error
        }
    }

    private func lookUpAnew(_ name: FileName) throws(Errno) -> Dentry {
        let found = try inode.lookup(name)
        if let known = used[name]?.dentry, known.inode === found, !known.isMarkedDeleted { return known }
        let dentry = Dentry(name: name, parent: self, inode: found, mount: mount)
        if inode.remembersNames { use(dentry) }
        return dentry
    }

    /// Something is mounted here or below: the way to it must be found again.
    func pin() {
        var child = self
        while let directory = child.parent {
            directory.remember(child.name, child, isPinned: true)
            child = directory
        }
    }

    /// A new name leads to `inode`.
    func add(_ name: FileName, _ inode: any Inode) -> Dentry {
        let dentry = Dentry(name: name, parent: self, inode: inode, mount: mount)
        if mount.isExclusive { remember(name, dentry) } else { use(dentry) }
        return dentry
    }

    /// Knows the child by its name while it is used.
    private func use(_ child: Dentry) {
        used[child.name] = Used(dentry: child)
        guard used.count >= sweepAt else { return }
        used = used.filter { $0.value.dentry != nil }
        sweepAt = max(32, used.count * 2)
    }

    /// `dentry`: nil where nothing has the name.
    private func remember(_ name: FileName, _ dentry: Dentry?, isPinned: Bool = false) {
        if let known = children[name], known.dentry == nil { absentCount -= 1 }
        if dentry == nil {
            guard absentCount < Dentry.maximumAbsent else { return children.remove(name) }
            absentCount += 1
        }
        children.set(
            NameTable.Entry(name: name, dentry: dentry, moment: mount.outside.moment, isPinned: isPinned))
    }

    /// The child's name is gone.
    func forget(_ child: Dentry) {
        if let known = children[child.name]?.dentry, known === child { remember(child.name, nil) }
        child.isMarkedDeleted = true
    }

    /// The child has moved to another name; whatever had that name is gone.
    func move(_ child: Dentry, to directory: Dentry, as newName: FileName) {
        let isPinned = isPinned(child)
        if let known = children[child.name]?.dentry, known === child { remember(child.name, nil) }
        directory.children[newName]?.dentry?.isMarkedDeleted = true
        directory.used[newName]?.dentry?.isMarkedDeleted = true
        if used[child.name]?.dentry === child { used[child.name] = nil }
        child.name = newName
        child.parent = directory
        if !mount.isExclusive { directory.use(child) }
        if mount.isExclusive || isPinned { directory.remember(newName, child, isPinned: isPinned) }
    }

    /// Two names have changed places.
    func exchange(_ child: Dentry, with other: Dentry) {
        guard let parent = child.parent, let otherParent = other.parent else { return }
        let (isPinned, isOtherPinned) = (parent.isPinned(child), otherParent.isPinned(other))
        (child.name, other.name) = (other.name, child.name)
        (child.parent, other.parent) = (otherParent, parent)
        if !mount.isExclusive {
            parent.use(other)
            otherParent.use(child)
        }
        if mount.isExclusive || isOtherPinned { parent.remember(other.name, other, isPinned: isOtherPinned) }
        if mount.isExclusive || isPinned { otherParent.remember(child.name, child, isPinned: isPinned) }
    }

    private func isPinned(_ child: Dentry) -> Bool {
        guard let known = children[child.name], known.dentry === child else { return false }
        return known.isPinned
    }

    /// True if this is `other` or lies below it.
    package func isBelow(_ other: Dentry) -> Bool {
        var next: Dentry? = self
        while let dentry = next {
            if dentry === other { return true }
            next = dentry.parent ?? dentry.mount.point
        }
        return false
    }

    /// The absolute path as seen from `root`, for getcwd(2) and `/proc`; nil if it is not below.
    package func path(from root: Dentry) -> [UInt8]? {
        var components: [[UInt8]] = []
        var next = self
        while next !== root {
            if let parent = next.parent {
                components.append(next.name.bytes)
                next = parent
            } else if let point = next.mount.point {
                next = point
            } else {
                return nil
            }
        }
        guard !components.isEmpty else { return [0x2f] }
        var path: [UInt8] = []
        for component in components.reversed() { path += [0x2f] + component }
        return path
    }
}
