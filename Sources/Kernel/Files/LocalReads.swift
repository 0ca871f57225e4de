package import LinuxABI
internal import Platform
package import VFS

/// Descriptors that a process uses so often that its stub is told how to do without the kernel: see `LocalFiles`.
extension GuestThread {
    /// True where the stub has to map the file's pages first: the call runs again then.
    package func mapLocally(_ file: OpenFile, at number: FileNumber) -> Bool {
        let index = Int(number.rawValue)
        guard !restart.isAgain, index < StubProcess.localFiles, let map, map.mayReadLocally, !map.isChanging else {
            return false
        }
        let local = map.localFiles
        let known = local?.table === files ? local?.window(index) : nil
        switch file.operations.localContents(file, until: kernel.localEpoch) {
        case .nothing, .zeros: return false
        case .unknown where known != nil: return false
        case .pages(known?.series, _, _, _): return false
        default: break
        }
        guard let pages = try? file.operations.localPages(file), let length = Self.windowLength(pages.size) else {
            file.staysCold()
            return false
        }
        let own = ownLocalFiles(map)
        guard let range = own.place(length) else {
            file.staysCold()
            return false
        }
        dropLeftPages()
        append(.receiveFile(descriptor: pages.descriptor))
        // PROT_READ; MAP_SHARED | MAP_FIXED | MAP_NORESERVE
        append(.mapFile(address: range.lowerBound, length: length, protection: 1, flags: 0x4011, offset: 0))
        append(.closeFile)
        // MADV_DONTFORK: a child's stub is told for itself.
        append(.advise(address: range.lowerBound, length: length, advice: 10))
        mustReport = true
        let series = pages.series
        afterCommands = { thread, _, failure in
            // The number may mean another file by now, whose pages these are not.
            if failure == nil, own.table === thread.files, (try? thread.files.file(number)) === file {
                own.set(LocalFiles.Window(series: series, range: range), for: index)
            } else if failure != nil {
                own.forget()
                file.staysCold()
            } else {
                own.leave(range)
            }
            return .again
        }
        return true
    }

    /// Whole pages, with room for a file that grows. Nil for none, and for what is too large.
    private static func windowLength(_ size: Int64) -> UInt? {
        guard size > 0, size <= 1 << 32 else { return nil }
        var length: UInt = 4 << 20
        while length < UInt(size) * 2 { length *= 2 }
        return length
    }

    /// The call has used the file: the stub may do so by itself until something changes.
    package func tellLocally(_ file: OpenFile, at number: FileNumber) {
        let index = Int(number.rawValue)
        guard index < StubProcess.localFiles, let map, map.mayReadLocally,
            file.rests(in: kernel.localEpoch.number), file.location?.mount.watches?.isEmpty != false
        else { return }
        var told = LocalFile()
        let operations = file.operations
        operations.inode.writer?.withdraw()
        switch operations.localContents(file, until: kernel.localEpoch) {
        case .unknown: return
        case .nothing: told.reads = .nothing
        case .zeros: told.reads = .zeros
        case .pages(let series, let size, let ends, let until):
            guard let local = map.localFiles, local.table === files, let window = local.window(index),
                window.series == series
            else { return }
            told.reads = .pages
            told.address = window.range.lowerBound
            told.size = min(UInt64(clamping: size), UInt64(window.range.count))
            told.ends = ends && UInt64(clamping: size) == told.size
            told.until = until
        }
        if !file.flags.mayRead { told.reads = .unknown }
        told.discards = operations.discards && file.flags.mayWrite
        told.epoch = kernel.localEpoch.use()
        ownLocalFiles(map).tell(told, of: index)
    }

    private func ownLocalFiles(_ map: MemoryMap) -> LocalFiles {
        if let local = map.localFiles, local.table === files { return local }
        let local = map.localFiles ?? LocalFiles { [stub = map.stub] in stub.setLocalFile($0, $1) }
        map.localFiles = local
        local.bind(to: files)
        kernel.publishAnswers(of: map)
        return local
    }

    /// Has the stub unmap what no descriptor needs any more.
    package func dropLeftPages() {
        guard let local = map?.localFiles, local.hasLeft, local.table === files else { return }
        for range in local.takeLeft() { append(.unmap(address: range.lowerBound, length: UInt(range.count))) }
    }
}

extension Kernel {
    /// The threads of an address space may be told something: all use one table of descriptors, which nobody else changes.
    func mayReadLocally(_ members: [GuestThread]) -> Bool {
        guard let table = members.first?.files, platform?.isTracing == false else { return false }
        return members.allSatisfy { $0.files === table } && table.userCount == members.count
    }
}

extension Process {
    /// What its threads' stubs have done by themselves is added.
    package func countLocalTransfers() { for thread in threads { thread.countLocalTransfers() } }
}

extension GuestThread {
    func countLocalTransfers() {
        guard let own = stub?.takeTransfers() else { return }
        var counts = TransferCounts()
        (counts.reads, counts.bytesRead) = (own.reads, own.bytesRead)
        (counts.writes, counts.bytesWritten) = (own.writes, own.bytesWritten)
        process.transfers.add(counts)
    }
}
