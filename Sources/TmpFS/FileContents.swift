internal import HostSystem
package import LinuxABI

/// The bytes of one regular file in memory: in an array while the file is small and nobody maps it, else in a memory file.
package final class FileContents {
    package private(set) var size: Int64 = 0
    private var bytes: [UInt8] = []
    private var file: Int32 = -1
    private unowned let budget: MemoryBudget
    private var charged: Int64 = 0

    /// Larger files live in a memory file of their own.
    private static let inlineLimit: Int64 = 256 << 10
    package static let maximumSize: Int64 = 1 << 46

    package init(budget: MemoryBudget) { self.budget = budget }

    deinit {
        if file >= 0 { Host.close(file) }
        budget.release(charged)
    }

    /// Bytes that take memory, in units of 512.
    package var blocks: Int64 { file >= 0 ? allocatedBlocks : (Int64(bytes.count) + 4095) / 4096 * 8 }

    private var allocatedBlocks: Int64 {
        guard let status = try? Host.status(file) else { return 0 }
        return Int64(status.blocks)
    }

    package func read(into output: inout OutputSpan<UInt8>, at offset: Int64) throws(Errno) {
        guard offset < size else { return }
        let count = Int(min(Int64(output.freeCapacity), size - offset))
        if file >= 0 {
            var done = 0
            while done < count {
                let got = try Host.read(file, at: offset + Int64(done), into: &output, limit: count - done)
                if got == 0 { break }
                done += got
            }
            return
        }
        let start = Int(offset)
        let source = bytes
        let span = source.span
        for index in start..<start + count { output.append(span[index]) }
    }

    /// Throws ENOSPC beyond the sandbox's memory, EFBIG beyond what a file may hold.
    package func write(_ source: Span<UInt8>, at offset: Int64) throws(Errno) -> Int {
        let (end, overflow) = offset.addingReportingOverflow(Int64(source.count))
        guard !overflow, end <= FileContents.maximumSize else { throw .EFBIG }
        if end > size { try charge(to: end, holeTo: offset) }
        if file < 0, end > FileContents.inlineLimit { try moveToFile() }
        if file >= 0 {
            var done = 0
            while done < source.count {
                done += try Host.write(file, at: offset + Int64(done), source.extracting(droppingFirst: done))
            }
        } else {
            let start = Int(offset)
            if bytes.count < Int(end) {
                if bytes.capacity < Int(end) { bytes.reserveCapacity(max(Int(end), bytes.count * 2)) }
                bytes.append(contentsOf: repeatElement(0, count: Int(end) - bytes.count))
            }
            var span = bytes.mutableSpan
            for index in 0..<source.count { span[start + index] = source[index] }
        }
        size = max(size, end)
        return source.count
    }

    package func truncate(to newSize: Int64) throws(Errno) {
        guard newSize >= 0 else { throw .EINVAL }
        guard newSize <= FileContents.maximumSize else { throw .EFBIG }
        if newSize > FileContents.inlineLimit, file < 0 { try moveToFile() }
        if file >= 0 {
            try Host.truncate(file, to: Int(newSize))
        } else if newSize < bytes.count {
            bytes.removeLast(bytes.count - Int(newSize))
        } else {
            bytes.append(contentsOf: repeatElement(0, count: Int(newSize) - bytes.count))
        }
        size = newSize
    }

    /// Zeros a range within the file without changing its size.
    package func punch(at offset: Int64, count: Int64) throws(Errno) {
        let end = min(offset + count, size)
        guard offset < end else { return }
        if file >= 0 {
            try Host.punchHole(file, at: offset, count: end - offset)
        } else {
            for index in Int(offset)..<Int(end) { bytes[index] = 0 }
        }
    }

    /// The memory file, for mappings of the file: from now on the bytes live there.
    package func mappable() throws(Errno) -> Int32 {
        if file < 0 { try moveToFile() }
        return file
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

    /// Accounts for growth; a hole costs nothing.
    private func charge(to end: Int64, holeTo offset: Int64) throws(Errno) {
        let more = end - max(size, offset)
        guard budget.take(more) else { throw .ENOSPC }
        charged += more
    }
}

/// How many bytes the files of a tree may hold together.
package final class MemoryBudget {
    package let limit: Int64
    package private(set) var used: Int64 = 0

    package init(limit: Int64) { self.limit = limit }

    func take(_ bytes: Int64) -> Bool {
        guard bytes <= limit - used else { return false }
        used += bytes
        return true
    }

    func release(_ bytes: Int64) { used -= bytes }
}
