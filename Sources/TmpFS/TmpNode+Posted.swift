package import LinuxABI
package import VFS

/// Writes that processes have posted.
extension TmpNode: PostedFile {
    package var postingRoom: any PostingRoom { fileSystem.budget }

    package func postingLimit(_ limit: UInt64) -> UInt64? {
        // In a memory file already: then only the host can refuse a write.
        guard seals == nil, stored.mode.permissions & 0o6000 == 0, let contents, contents.hasMemoryFile,
            !contents.isMapped
        else { return nil }
        return min(limit, UInt64(FileContents.maximumSize), fileSystem.budget.longestFile)
    }

    package func writePosted(_ bytes: Span<UInt8>, at offset: Int64, _ time: Timestamp) throws(Errno) {
        guard let contents else { return }
        _ = try contents.write(bytes, at: offset, isPledged: true)
        touchModification(at: time)
    }
}

extension MemoryBudget: PostingRoom {}
