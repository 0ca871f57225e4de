/// A file system at its place in the tree.
package final class Mount {
    package let source: String
    package let type: String
    /// Of the mount: `rw`, `relatime` and the like; whether it is read-only says `isReadOnly`.
    package var options: String
    /// Of the file system itself, after `rw` or `ro`: `mode=755`.
    package var fileSystemOptions: String
    package var isReadOnly: Bool {
        get { storedIsReadOnly }
        set { storedIsReadOnly = newValue }
    }
    private var storedIsReadOnly: Bool
    /// Only this kernel changes the file system: names and attributes may be remembered.
    package let isExclusive: Bool
    /// Files of the host show through it, which others change: what is remembered holds for a moment.
    package let showsOutside: Bool
    package let outside: Outside
    package let id: Int
    /// Who watches files here; nil while nobody has asked to.
    package var watches: FileWatches? {
        get { storedWatches }
        set { storedWatches = newValue }
    }
    // Stored apart: the language watches at run time over accesses to what other modules may store to.
    private var storedWatches: FileWatches? = nil
    package var root: Dentry? { storedRoot }
    private var storedRoot: Dentry? = nil
    /// The directory that the mount covers; nil for the root of all, and for what is mounted nowhere.
    package var point: Dentry? { storedPoint }
    private var storedPoint: Dentry? = nil

    package init(
        id: Int, source: String, type: String, options: String = "relatime", fileSystemOptions: String = "",
        isReadOnly: Bool = false, isExclusive: Bool = true, showsOutside: Bool = false, outside: Outside = Outside()
    ) {
        self.showsOutside = showsOutside
        self.outside = outside
        self.id = id
        self.source = source
        self.type = type
        self.options = options
        self.fileSystemOptions = fileSystemOptions
        storedIsReadOnly = isReadOnly
        self.isExclusive = isExclusive
    }

    /// Gives the mount its root, and puts it over `point` in the tree.
    package func attach(_ inode: any Inode, at point: Dentry?) -> Dentry {
        let dentry = Dentry(name: FileName([]), parent: nil, inode: inode, mount: self)
        storedRoot = dentry
        storedPoint = point
        point?.mounted = self
        point?.pin()
        return dentry
    }
}

/// Every mount of the sandbox, in the order of mounting: what `/proc/self/mounts` lists.
package final class MountTable {
    package private(set) var mounts: [Mount] = []
    private var nextID = 21
    /// What all of them compare with.
    package let outside = Outside()

    package init() {}

    /// A mount with a number of its own; it stands in the table from now on.
    package func add(
        source: String, type: String, options: String = "relatime", fileSystemOptions: String = "",
        isReadOnly: Bool = false, isExclusive: Bool = true, showsOutside: Bool = false
    ) -> Mount {
        let mount = detached(
            source: source, type: type, options: options, fileSystemOptions: fileSystemOptions, isReadOnly: isReadOnly,
            isExclusive: isExclusive, showsOutside: showsOutside)
        mounts.append(mount)
        return mount
    }

    /// A mount that stands nowhere in the tree, as the kernel's own for nameless files.
    package func detached(
        source: String, type: String, options: String = "relatime", fileSystemOptions: String = "",
        isReadOnly: Bool = false, isExclusive: Bool = true, showsOutside: Bool = false
    ) -> Mount {
        defer { nextID += 1 }
        return Mount(
            id: nextID, source: source, type: type, options: options, fileSystemOptions: fileSystemOptions,
            isReadOnly: isReadOnly, isExclusive: isExclusive, showsOutside: showsOutside,
            outside: outside)
    }
}
