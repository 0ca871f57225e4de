internal import HostSystem
package import LinuxABI
internal import VFS

/// The bytes of regular files: the lower file's until the first change, then the node's own.
extension TmpNode: HolePunching, DescriptorKeeper {
    func useLower() throws(Errno) {
        if let number = keptNumber {
            // Still open from the last time.
            fileSystem.kept.drop(number)
            keptNumber = nil
        } else if lowerDescriptor < 0, let lower {
            lowerDescriptor = try lower.open()
        }
        lowerUsers += 1
    }

    func leaveLower() {
        lowerUsers -= 1
        guard lowerUsers == 0, lowerDescriptor >= 0 else { return }
        guard contents == nil, fileSystem.outside != nil, stored.links > 0 else { return closeLower() }
        keptNumber = fileSystem.kept.keep(self)
    }

    private func closeLower() {
        Host.close(lowerDescriptor)
        lowerDescriptor = -1
    }

    package func closeKept() {
        guard keptNumber != nil else { return }
        keptNumber = nil
        closeLower()
    }

    /// What the node showed stands under no name that leads here any more.
    func vanish() {
        if let number = keptNumber {
            fileSystem.kept.drop(number)
            closeKept()
        }
        fileSystem.forget(self)
    }

    func read(into output: inout OutputSpan<UInt8>, at offset: Int64) throws(Errno) {
        if let contents { return try contents.read(into: &output, at: offset) }
        guard lowerDescriptor >= 0, offset >= 0 else { return }
        let limit = output.freeCapacity
        _ = try Host.read(lowerDescriptor, at: offset, into: &output, limit: limit)
    }

    func write(_ bytes: Span<UInt8>, at offset: Int64) throws(Errno) -> Int {
        // F_SEAL_WRITE, F_SEAL_FUTURE_WRITE; F_SEAL_GROW
        if let seals, seals & 0x18 != 0 { throw .EPERM }
        let contents = try copyUp()
        var room = bytes.count
        if let seals, seals & 4 != 0 {
            // What lies within the file may be written.
            guard bytes.isEmpty || offset < contents.size else { throw .EPERM }
            room = Int(clamping: contents.size - offset)
        }
        let count = try contents.write(bytes.extracting(first: max(0, room)), at: offset)
        touchModification()
        return count
    }

    /// Gives a new regular file its first bytes.
    package func fill(_ bytes: [UInt8]) throws(Errno) {
        var done = 0
        while done < bytes.count { done += try write(bytes.span.extracting(droppingFirst: done), at: Int64(done)) }
    }

    /// In bytes.
    var size: Int64 {
        if let contents { return contents.size }
        // What cannot be asked for any more stays as it was.
        try? load()
        return stored.size
    }

    package func truncate(to size: Int64) throws(Errno) {
        guard kind == .regular else { throw kind == .directory ? .EISDIR : .EINVAL }
        try load()
        if let seals {
            if seals & 2 != 0, size < self.size { throw .EPERM }
            if seals & 4 != 0, size > self.size { throw .EPERM }
        }
        if size == 0, contents == nil {
            // Nothing to copy.
            own()
            contents = FileContents(budget: fileSystem.budget)
        } else {
            try copyUp().truncate(to: size)
        }
        touchModification()
    }

    /// Zeros a range: `FALLOC_FL_PUNCH_HOLE`, `FALLOC_FL_ZERO_RANGE`.
    package func punch(at offset: Int64, count: Int64) throws(Errno) {
        if let seals, seals & 0x18 != 0 { throw .EPERM }
        try copyUp().punch(at: offset, count: count)
        touchModification()
    }

    package func allocate(at offset: Int64, count: Int64) throws(Errno) {
        if let seals, seals & 4 != 0, offset + count > size { throw .EPERM }
        try copyUp().allocate(at: offset, count: count)
        touchChange()
    }

    /// `SEEK_DATA` and `SEEK_HOLE`. Throws ENXIO.
    func seek(from offset: Int64, whence: Int32) throws(Errno) -> Int64 {
        if let contents { return try contents.seek(from: offset, whence: whence) }
        try load()
        guard offset >= 0, offset < stored.size else { throw .ENXIO }
        guard lowerDescriptor >= 0 else { return whence == 3 ? offset : stored.size }
        return try Host.seek(lowerDescriptor, to: offset, whence: whence)
    }

    /// The file's own bytes, copied from the lower file at the first change.
    @discardableResult
    func copyUp() throws(Errno) -> FileContents {
        if let contents { return contents }
        try load()
        let copy = FileContents(budget: fileSystem.budget)
        if let lower {
            let isOpen = lowerDescriptor >= 0
            let descriptor = isOpen ? lowerDescriptor : try lower.open()
            defer { if !isOpen { Host.close(descriptor) } }
            try copy.fill(from: descriptor)
        }
        own()
        contents = copy
        return copy
    }

    /// What a mapping maps: the memory file of changed bytes, or the lower file itself.
    func mapping(writable: Bool) throws(Errno) -> FileMapping {
        writer?.withdraw()
        if contents == nil, !writable, lowerDescriptor >= 0 {
            return .host(descriptor: lowerDescriptor, canWriteShared: false)
        }
        let maySeal = seals.map { $0 & 0x18 == 0 } ?? true
        let mayWrite = writable && maySeal
        return .host(descriptor: try copyUp().mappable(writable: mayWrite), canWriteShared: mayWrite)
    }
}

/// What processes may read of regular files by themselves.
extension TmpNode {
    /// `movesTime`: reading moves the time of access.
    func localContents(until epoch: LocalEpoch, movesTime: Bool) -> LocalContents {
        if contents == nil {
            guard lowerDescriptor >= 0, (try? load()) != nil else { return .unknown }
        }
        guard !movesTime || isAccessSettled else { return .unknown }
        self.epoch = epoch
        if let contents {
            guard let series = contents.readableSeries else { return .unknown }
            return .pages(series: series, size: contents.size, ends: true, until: .max)
        }
        guard let size = try? lowerSize() else { return .unknown }
        // The host may make it longer at any time, and shorter within the moment.
        let end = fileSystem.outside?.end
        return .pages(series: 0, size: size, ends: end == nil, until: end ?? .max)
    }

    /// Throws ENODEV where mapped pages would not do.
    func localPages() throws(Errno) -> (descriptor: Int32, series: UInt64, size: Int64) {
        if let contents {
            let file = try contents.readable()
            return (file.descriptor, file.series, contents.size)
        }
        guard lowerDescriptor >= 0 else { throw .ENODEV }
        return (lowerDescriptor, 0, try lowerSize())
    }

    /// In this moment.
    private func lowerSize() throws(Errno) -> Int64 {
        if !isChanged {
            try load()
            return stored.size
        }
        // The attributes are the node's own, but the bytes are not.
        fileSystem.outside?.look()
        return Int64(clamping: try Host.status(lowerDescriptor).size)
    }
}

extension FileContents {
    /// Copies a whole file of the host.
    fileprivate func fill(from descriptor: Int32) throws(Errno) {
        var offset: Int64 = 0
        while true {
            let piece = try [UInt8](capacity: 1 << 20) { output throws(Errno) in
                _ = try Host.read(descriptor, at: offset, into: &output, limit: 1 << 20)
            }
            if piece.isEmpty { return }
            _ = try write(piece.span, at: offset)
            offset += Int64(piece.count)
        }
    }
}
