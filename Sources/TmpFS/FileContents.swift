internal import HostSystem
package import LinuxABI

/// The bytes of one regular file in memory: in an array while the file is small and nobody maps it, else in a memory file.
package final class FileContents {
    package private(set) var size: Int64 = 0
    private var bytes: [UInt8] = []
    private var file: Int32 = -1
    /// The memory file once more, open for reading only.
    private var readOnlyFile: Int32 = -1
    /// Nothing was written from here on: what `truncate` adds is a hole, in what the file shows.
    private var writtenEnd = 0
    /// The memory file may have holes, which take memory when they are written.
    private var hasHoles = false
    /// It has a memory file that it could do without.
    private var wasEarly = false
    /// A guest may have it mapped.
    private(set) var isMapped = false
    /// A guest was given a descriptor of it.
    private var isMappable = false
    /// Of all files whose pages were wanted to be read, in that order; 0 for none of them.
    private var series: UInt64 = 0
    private let budget: MemoryBudget
    /// What the file has taken from the budget.
    private var charged: Int64 = 0

    /// Larger files live in a memory file of their own: an array that grows to that size takes twice as many new pages, which is
    /// what costs. Where many files have taken a descriptor so early, more stay in the array up to `mostInline`.
    private static let inlineLimit: Int64 = 64 << 10
    private static let mostInline: Int64 = 256 << 10
    /// As ext4 has it, with blocks of 4 KiB.
    package static let maximumSize: Int64 = (1 << 44) - 4096
    private static let pageSize: Int64 = 4096

    package init(budget: MemoryBudget) { self.budget = budget }

    deinit {
        if file >= 0 {
            // Nobody has it mapped any more; a guest that has kept a descriptor or a mapping behind the kernel's back keeps
            // no memory with it.
            if isMappable { try? Host.truncate(file, to: 0) }
            Host.close(file)
        }
        if readOnlyFile >= 0 { Host.close(readOnlyFile) }
        if series != 0 { budget.releaseSeries() }
        if wasEarly { budget.releaseEarly() }
        budget.release(charged)
    }

    /// The bytes stand in a memory file, which guests may have mapped.
    var hasMemoryFile: Bool { file >= 0 }

    /// Bytes that take memory, in units of 512.
    package var blocks: Int64 {
        file >= 0 ? allocated / 512 : FileContents.pages(Int64(min(writtenEnd, bytes.count))) / 512
    }

    private static func pages(_ bytes: Int64) -> Int64 { (bytes + pageSize - 1) / pageSize * pageSize }

    /// Bytes of the memory file that are there.
    private var allocated: Int64 {
        guard let status = try? Host.status(file) else { return charged }
        return Int64(clamping: status.blocks) * 512
    }

    package func read(into output: inout OutputSpan<UInt8>, at offset: Int64) throws(Errno) {
        guard offset >= 0, offset < size else { return }
        let count = Int(min(Int64(output.freeCapacity), size - offset))
        guard file >= 0 else {
            let source = bytes
            output.append(copying: source.span.extracting(Int(offset)..<Int(offset) + count))
            return
        }
        var done = 0
        while done < count {
            let got = try Host.read(file, at: offset + Int64(done), into: &output, limit: count - done)
            if got == 0 { break }
            done += got
        }
    }

    /// Throws ENOSPC beyond the sandbox's memory, EFBIG beyond what a file may hold.
    /// `isPledged`: its memory was pledged before, and is there.
    package func write(_ source: Span<UInt8>, at offset: Int64, isPledged: Bool = false) throws(Errno) -> Int {
        guard !source.isEmpty else { return 0 }
        let (end, overflow) = offset.addingReportingOverflow(Int64(source.count))
        guard offset >= 0, !overflow, end <= FileContents.maximumSize else { throw .EFBIG }
        try makeRoom(for: end)
        if file >= 0 {
            try writeToFile(source, at: offset, end: end, isPledged: isPledged)
        } else {
            try charge(FileContents.pages(max(end, Int64(bytes.count))))
            writeInline(source, at: Int(offset))
        }
        size = max(size, end)
        return source.count
    }

    private func writeInline(_ source: Span<UInt8>, at start: Int) {
        writtenEnd = max(writtenEnd, start + source.count)
        if start > bytes.count { bytes.append(contentsOf: repeatElement(0, count: start - bytes.count)) }
        let replaced = min(source.count, bytes.count - start)
        if replaced > 0 {
            var span = bytes.mutableSpan
            span.replace(at: start, with: source.extracting(first: replaced))
        }
        if replaced < source.count { bytes.append(copying: source.extracting(droppingFirst: replaced)) }
    }

    private func writeToFile(
        _ source: Span<UInt8>, at offset: Int64, end: Int64, isPledged: Bool
    ) throws(Errno) {
        // What lies before the end is there already, unless it is a hole; a hole before the offset costs nothing.
        if offset > size { hasHoles = true }
        let first = offset / FileContents.pageSize * FileContents.pageSize
        let fresh = hasHoles ? first : max(first, FileContents.pages(size))
        let more = FileContents.pages(end) - fresh
        let before = charged
        if more > 0 {
            if isPledged { settle(at: charged + more) } else { try charge(charged + more) }
        }
        do throws(Errno) {
            var done = 0
            while done < source.count {
                done += try Host.write(file, at: offset + Int64(done), source.extracting(droppingFirst: done))
            }
        } catch {
            settle(at: before)
            throw error
        }
        if hasHoles, more > 0 { settle(at: allocated) }
    }

    package func truncate(to newSize: Int64) throws(Errno) {
        guard newSize >= 0 else { throw .EINVAL }
        guard newSize <= FileContents.maximumSize else { throw .EFBIG }
        try makeRoom(for: newSize)
        if file >= 0 {
            try Host.truncate(file, to: Int(newSize))
            if newSize > size { hasHoles = true }
            if newSize < size { settle(at: allocated) }
        } else if newSize < bytes.count {
            bytes.removeLast(bytes.count - Int(newSize))
            writtenEnd = min(writtenEnd, bytes.count)
            if bytes.isEmpty { bytes = [] }
            settle(at: FileContents.pages(newSize))
        } else {
            try charge(FileContents.pages(newSize))
            bytes.append(contentsOf: repeatElement(0, count: Int(newSize) - bytes.count))
        }
        size = newSize
    }

    /// Zeros a range within the file without changing its size.
    package func punch(at offset: Int64, count: Int64) throws(Errno) {
        let (sum, overflow) = offset.addingReportingOverflow(count)
        let end = overflow ? size : min(sum, size)
        guard offset >= 0, offset < end else { return }
        if file >= 0 {
            try Host.punchHole(file, at: offset, count: end - offset)
            hasHoles = true
            settle(at: allocated)
        } else {
            for index in Int(offset)..<Int(end) { bytes[index] = 0 }
        }
    }

    /// Takes memory for a range, holes in it included: `fallocate(2)`. The size stays.
    package func allocate(at offset: Int64, count: Int64) throws(Errno) {
        if file < 0 { try moveToFile() }
        let (end, overflow) = offset.addingReportingOverflow(count)
        guard !overflow, end <= FileContents.maximumSize else { throw .EFBIG }
        try charge(charged + FileContents.pages(count) + FileContents.pageSize)
        do throws(Errno) {
            // FALLOC_FL_KEEP_SIZE
            try Host.allocate(file, mode: 1, at: offset, count: count)
        } catch {
            settle(at: allocated)
            throw error
        }
        hasHoles = true
        settle(at: allocated)
    }

    /// `SEEK_DATA` 3 and `SEEK_HOLE` 4 from an offset within the file. Throws ENXIO where there is no more data.
    package func seek(from offset: Int64, whence: Int32) throws(Errno) -> Int64 {
        guard offset >= 0, offset < size else { throw .ENXIO }
        // Nobody else moves the memory file's own position.
        if file >= 0 { return try Host.seek(file, to: offset, whence: whence) }
        return whence == 3 ? offset : size
    }

    /// The memory file, for mappings of the file: from now on the bytes live there, and may appear without a write.
    /// `writable`: the mapper may write the file; others get a descriptor that allows them no more than they may, since a
    /// guest can map what it is given as it likes.
    package func mappable(writable: Bool) throws(Errno) -> Int32 {
        if file < 0 { try moveToFile() }
        hasHoles = true
        isMappable = true
        isMapped = true
        guard !writable else { return file }
        if readOnlyFile < 0 { readOnlyFile = try Host.reopen(file, flags: []) }
        return readOnlyFile
    }

    /// The memory file, for reading its pages. Throws ENODEV where pages are missing, which reading them would add.
    func readable() throws(Errno) -> (descriptor: Int32, series: UInt64) {
        // In the array, too: its zeros would take pages.
        guard !isSparse, file >= 0 || writtenEnd >= bytes.count else { throw .ENODEV }
        if series == 0 {
            guard let given = budget.takeSeries() else { throw .ENODEV }
            series = given
        }
        if file < 0 { try moveToFile() }
        isMappable = true
        if readOnlyFile < 0 { readOnlyFile = try Host.reopen(file, flags: []) }
        return (readOnlyFile, series)
    }

    /// What `readable` has given; nil before, and where pages are missing now.
    var readableSeries: UInt64? { series == 0 || isSparse ? nil : series }

    /// Pages of it may not be there.
    private var isSparse: Bool { file >= 0 && hasHoles && allocated < FileContents.pages(size) }

    /// Moves it to a memory file if it gets too large for the array.
    private func makeRoom(for size: Int64) throws(Errno) {
        guard file < 0, size > FileContents.inlineLimit else { return }
        let isEarly = size <= FileContents.mostInline
        guard !isEarly || budget.takeEarly() else { return }
        do throws(Errno) {
            try moveToFile()
            wasEarly = isEarly
        } catch {
            guard isEarly else { throw error }
            budget.releaseEarly()
        }
    }

    private func moveToFile() throws(Errno) {
        let descriptor = try Host.memoryFile("apus-file")
        do throws(Errno) {
            try Host.truncate(descriptor, to: Int(size))
            let source = bytes
            var done = 0
            while done < source.count {
                done += try Host.write(descriptor, at: Int64(done), source.span.extracting(droppingFirst: done))
            }
        } catch {
            Host.close(descriptor)
            throw error
        }
        file = descriptor
        bytes = []
    }

    // MARK: The budget

    /// Takes what is missing to `total`. Throws ENOSPC.
    private func charge(_ total: Int64) throws(Errno) {
        guard total > charged else { return }
        guard budget.take(total - charged) else { throw .ENOSPC }
        charged = total
    }

    /// What the file really takes.
    private func settle(at total: Int64) {
        if total < charged { budget.release(charged - total) } else { budget.force(total - charged) }
        charged = total
    }
}

/// How many bytes the files of a tree may hold together.
package final class MemoryBudget {
    package let limit: Int64
    /// What the host lets one file hold.
    let longestFile: UInt64
    package private(set) var used: Int64 = 0
    /// For bytes that processes have written and the kernel not yet.
    private var pledged: Int64 = 0
    private var whenShort: (() -> Void)?

    /// What names, inodes and extended attributes take of the kernel's own memory, roughly.
    package private(set) var overhead: Int64 = 0

    package init(limit: Int64, longestFile: UInt64 = .max) {
        self.limit = limit
        self.longestFile = longestFile
    }

    /// False where there would be more of it than a quarter of what the files may hold.
    func takeOverhead(_ bytes: Int64) -> Bool {
        guard bytes <= max(limit / 4, 1 << 20) - overhead else { return false }
        overhead += bytes
        return true
    }

    func releaseOverhead(_ bytes: Int64) { overhead -= bytes }

    /// A number that no file of the budget has had; nil where many have one, each of which costs the kernel descriptors.
    func takeSeries() -> UInt64? {
        guard liveSeries < MemoryBudget.mostSeries else { return nil }
        liveSeries += 1
        lastSeries += 1
        return lastSeries
    }

    func releaseSeries() { liveSeries -= 1 }

    /// False where many small files have a memory file already.
    func takeEarly() -> Bool {
        guard early < MemoryBudget.mostEarly else { return false }
        early += 1
        return true
    }

    func releaseEarly() { early -= 1 }

    private var early = 0
    private static let mostEarly = 64
    private var lastSeries: UInt64 = 0
    private var liveSeries = 0
    private static let mostSeries = 1000

    func take(_ bytes: Int64) -> Bool {
        if bytes > limit - used - pledged, pledged > 0 { whenShort?() }
        guard bytes <= limit - used - pledged else { return false }
        used += bytes
        return true
    }

    package func pledge(_ bytes: Int64, whenShort: @escaping () -> Void) -> Bool {
        guard bytes <= limit - used - pledged else { return false }
        pledged += bytes
        self.whenShort = whenShort
        return true
    }

    package func redeem(_ bytes: Int64) { pledged -= bytes }

    package var isPledgeCovered: Bool { pledged <= limit - used }

    /// What has been taken already, by a mapping say, counts even beyond the limit.
    func force(_ bytes: Int64) { used += bytes }

    func release(_ bytes: Int64) { used -= bytes }
}
