package import LinuxABI

/// How a walk treats what it meets.
package struct WalkOptions: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The last component, if it is a link, is followed.
    package static let followLast = WalkOptions(rawValue: 1)
    /// An empty path names the start (`AT_EMPTY_PATH`).
    package static let allowEmpty = WalkOptions(rawValue: 2)
    /// `RESOLVE_NO_XDEV`.
    package static let noCrossing = WalkOptions(rawValue: 4)
    /// `RESOLVE_NO_MAGICLINKS`.
    package static let noMagicLinks = WalkOptions(rawValue: 8)
    /// `RESOLVE_NO_SYMLINKS`.
    package static let noLinks = WalkOptions(rawValue: 16)
    /// `RESOLVE_BENEATH`.
    package static let beneath = WalkOptions(rawValue: 32)
    /// `RESOLVE_IN_ROOT`.
    package static let inRoot = WalkOptions(rawValue: 64)
}

/// Where a path leads whose last component need not exist.
package struct Parent {
    /// The directory that holds, or would hold, the last component; mounts crossed.
    package let directory: Dentry
    /// Nil when the path ends in `.`, `..` or is the root: then `directory` is the end itself.
    package let name: FileName?
    /// The path ends with a slash: only a directory will do.
    package let mustBeDirectory: Bool
    package let lastKind: LastKind

    package enum LastKind { case name, dot, dotDot, root }
}

/// Resolves paths. See `path_resolution(7)`.
package struct PathWalk {
    private let root: Dentry
    private let credentials: FileCredentials
    private let options: WalkOptions
    private let start: Dentry
    private var linksLeft = 40
    /// Nothing but calls, or another moment (see `Outside`), makes this path lead elsewhere. To be read behind a walk.
    package private(set) var isSteady = true

    /// `start`: where a relative path begins.
    package init(root: Dentry, start: Dentry, credentials: FileCredentials, options: WalkOptions = .followLast) {
        self.root = options.contains(.inRoot) ? start : root
        self.start = start
        self.credentials = credentials
        self.options = options
    }

    /// What stands at the end of the path. Throws ENOENT, ENOTDIR, ELOOP, EACCES, ENAMETOOLONG, EXDEV.
    package mutating func resolve(_ path: [UInt8]) throws(Errno) -> Dentry {
        if path.isEmpty {
            guard options.contains(.allowEmpty) else { throw .ENOENT }
            return start
        }
        root.mount.outside.look()
        let place = try place(of: path, from: start)
        return try end(of: place, in: path, follow: options.contains(.followLast))
    }

    /// The directory in which the path's last component stands or would stand; nothing is looked up there.
    package mutating func resolveParent(_ path: [UInt8]) throws(Errno) -> Parent {
        guard !path.isEmpty else { throw .ENOENT }
        root.mount.outside.look()
        return try parent(of: path, from: start)
    }

    /// What stands at the parent's name.
    package mutating func end(of parent: Parent, follow: Bool) throws(Errno) -> Dentry {
        guard let name = parent.name else { return parent.directory }
        let place = Place(
            directory: parent.directory, name: name.bytes.indices, mustBeDirectory: parent.mustBeDirectory,
            lastKind: parent.lastKind)
        return try end(of: place, in: name.bytes, follow: follow)
    }

    /// The parent of what a link's own path leads to, for `open` with `O_CREAT` through a dangling link.
    package mutating func parentThroughLink(_ link: Dentry, from directory: Dentry) throws(Errno) -> Parent {
        let target = try linkTarget(link)
        return try parent(of: target, from: directory)
    }

    // MARK: Steps

    /// What `Parent` says, with the name where it stands in the path: most walks need no name of its own.
    private struct Place {
        let directory: Dentry
        let name: Range<Int>?
        let mustBeDirectory: Bool
        let lastKind: Parent.LastKind
    }

    private mutating func parent(of path: [UInt8], from start: Dentry) throws(Errno) -> Parent {
        let place = try place(of: path, from: start)
        return Parent(
            directory: place.directory, name: place.name.map { FileName(Array(path[$0])) },
            mustBeDirectory: place.mustBeDirectory, lastKind: place.lastKind)
    }

    private mutating func place(of path: [UInt8], from start: Dentry) throws(Errno) -> Place {
        let count = path.count
        guard count < 4096 else { throw .ENAMETOOLONG }
        var here = start
        if path.first == 0x2f {
            guard !options.contains(.beneath) else { throw .EXDEV }
            here = root
            if options.contains(.noCrossing), here.mount !== start.mount { throw .EXDEV }
        }
        var last: Range<Int>?
        var index = 0
        while true {
            while index < count, path[index] == 0x2f { index += 1 }
            guard index < count else { break }
            let begin = index
            while index < count, path[index] != 0x2f { index += 1 }
            if let last { here = try enter(here, path, last) }
            last = begin..<index
        }
        guard let last else {
            return Place(directory: here, name: nil, mustBeDirectory: true, lastKind: .root)
        }
        guard here.kind == .directory else { throw .ENOTDIR }
        if let dots = PathWalk.dots(path, last) {
            let end = try enter(here, path, last)
            return Place(directory: end, name: nil, mustBeDirectory: true, lastKind: dots)
        }
        guard last.count <= FileName.maximum else { throw .ENAMETOOLONG }
        try checkSearch(here)
        return Place(directory: here, name: last, mustBeDirectory: path[count - 1] == 0x2f, lastKind: .name)
    }

    private mutating func end(of place: Place, in path: [UInt8], follow: Bool) throws(Errno) -> Dentry {
        guard let name = place.name else { return place.directory }
        let dentry = try step(place.directory, path, name)
        let result: Dentry
        if dentry.kind == .symbolicLink, follow || place.mustBeDirectory {
            result = try followLink(dentry, from: place.directory)
        } else {
            result = dentry
        }
        if place.mustBeDirectory, result.kind != .directory { throw .ENOTDIR }
        return result
    }

    /// `.` and `..`; nil for every other component.
    private static func dots(_ path: [UInt8], _ component: Range<Int>) -> Parent.LastKind? {
        let first = component.lowerBound
        guard component.count <= 2, path[first] == 0x2e else { return nil }
        if component.count == 1 { return .dot }
        return path[first + 1] == 0x2e ? .dotDot : nil
    }

    /// One component on the way, links followed.
    private mutating func enter(
        _ directory: Dentry, _ path: [UInt8], _ component: Range<Int>
    ) throws(Errno) -> Dentry {
        guard directory.kind == .directory else { throw .ENOTDIR }
        try checkSearch(directory)
        if let dots = PathWalk.dots(path, component) { return dots == .dot ? directory : try above(directory) }
        guard component.count <= FileName.maximum else { throw .ENAMETOOLONG }
        let dentry = try step(directory, path, component)
        guard dentry.kind == .symbolicLink else { return dentry }
        let target = try followLink(dentry, from: directory)
        guard target.kind == .directory else { throw .ENOTDIR }
        return target
    }

    private func checkSearch(_ directory: Dentry) throws(Errno) {
        // Root may search everywhere: no need to ask.
        if credentials.has(.overrideAccess) || credentials.has(.readSearch) { return }
        try credentials.check(.execute, try directory.inode.attributes())
    }

    /// A child, into whatever is mounted there.
    private mutating func step(_ directory: Dentry, _ path: [UInt8], _ component: Range<Int>) throws(Errno) -> Dentry {
        guard directory.kind == .directory else { throw .ENOTDIR }
        if !directory.remembers { isSteady = false }
        var dentry = try directory.child(path, component)
        while let mounted = dentry.mounted?.root {
            if options.contains(.noCrossing) { throw .EXDEV }
            dentry = mounted
        }
        return dentry
    }

    private func above(_ directory: Dentry) throws(Errno) -> Dentry {
        if options.contains(.beneath), directory === start { throw .EXDEV }
        if directory === root { return root }
        var here = directory
        while here.parent == nil, let point = here.mount.point {
            if options.contains(.noCrossing) { throw .EXDEV }
            here = point
            if here === root { return root }
        }
        return here.parent ?? here
    }

    private mutating func linkTarget(_ link: Dentry) throws(Errno) -> [UInt8] {
        if options.contains(.noLinks) { throw .ELOOP }
        guard linksLeft > 0 else { throw .ELOOP }
        linksLeft -= 1
        let target = try link.inode.readLink()
        guard !target.isEmpty else { throw .ENOENT }
        return target
    }

    private mutating func followLink(_ link: Dentry, from directory: Dentry) throws(Errno) -> Dentry {
        if let magic = try link.inode.magicTarget() {
            isSteady = false
            if options.contains(.noLinks) || options.contains(.noMagicLinks) { throw .ELOOP }
            if options.contains(.beneath) || options.contains(.inRoot) { throw .EXDEV }
            guard linksLeft > 0 else { throw .ELOOP }
            linksLeft -= 1
            switch magic {
            case .dentry(let dentry): return dentry
            case .inode(let inode):
                return .placeless(link.name, inode, link.mount)
            }
        }
        let target = try linkTarget(link)
        let place = try place(of: target, from: directory)
        return try end(of: place, in: target, follow: true)
    }
}
