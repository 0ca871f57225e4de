internal import Stub

/// What a stub may say of a descriptor without asking: `Stub/files.c`.
package struct LocalFile: Sendable, Equatable {
    package enum Reads: UInt8, Sendable {
        case unknown = 0
        case nothing
        case zeros
        /// At an offset: what stands there, from `address` on.
        case pages
    }

    package var reads = Reads.unknown
    /// Writes succeed, whatever they say.
    package var discards = false
    /// The file ends at `size`; else the kernel knows what comes there.
    package var ends = false
    package var epoch: UInt64 = 0
    /// In ticks of the processor's clock.
    package var until = UInt64.max
    package var address: UInt = 0
    package var size: UInt64 = 0

    package init() {}
}

extension StubProcess {
    /// Descriptors of which a stub can be told.
    package static let localFiles = Int(APUS_LOCAL_FILES)
    /// Where files' pages can be mapped for its stub.
    package static let pages = UInt(APUS_STUB_FILE_PAGES)..<UInt(APUS_STUB_PAGES_END)

    /// Tells the stub of a descriptor; nil takes back what it was told. The stub never sees a part of it.
    package func setLocalFile(_ number: Int, _ file: LocalFile?) {
        guard number >= 0, number < StubProcess.localFiles else { return }
        let version = number < localVersions.count ? localVersions[number] : 0
        // Nothing was ever said.
        if file == nil, version == 0 { return }
        while localVersions.count <= number { localVersions.append(0) }
        let entry = Int(APUS_LOCAL_FILES_OFFSET) + number * MemoryLayout<apus_local_file>.size
        func at(_ path: PartialKeyPath<apus_local_file>) -> Int {
            entry + (MemoryLayout<apus_local_file>.offset(of: path) ?? 0)
        }
        contexts.exchange(version | 1, at: entry)
        let told = file ?? LocalFile()
        contexts.store(told.reads.rawValue, at: at(\.reads))
        contexts.store(UInt8(told.discards ? 1 : 0), at: at(\.discards))
        contexts.store(UInt8(told.ends ? 1 : 0), at: at(\.ends))
        // None has the number 0.
        contexts.store(told.epoch, at: at(\.epoch))
        contexts.store(told.until, at: at(\.until))
        contexts.store(UInt64(told.address), at: at(\.address))
        contexts.store(told.size, at: at(\.size))
        var next = (version | 1) &+ 1
        if next == 0 { next = 2 }
        localVersions[number] = next
        contexts.exchange(next, at: entry)
    }
}

extension TrapPlatform {
    /// From now on nothing holds that stubs were told of their descriptors before.
    package func publishFilesEpoch(_ epoch: UInt64) {
        // Who is answered later sees it: each answer is released after it.
        config.store(epoch, at: MemoryLayout<apus_config>.offset(of: \.files_epoch) ?? 0)
    }
}

extension StubThread {
    /// What a stub has read and written by itself. A guest can forge it, for its own figures.
    package struct Transfers: Sendable {
        package var reads: UInt64 = 0
        package var bytesRead: UInt64 = 0
        package var writes: UInt64 = 0
        package var bytesWritten: UInt64 = 0
    }

    /// Since it was asked last.
    package func takeTransfers() -> Transfers {
        let all = Transfers(
            reads: memory.load(at: cold + Cold.localReads), bytesRead: memory.load(at: cold + Cold.localReadBytes),
            writes: memory.load(at: cold + Cold.localWrites),
            bytesWritten: memory.load(at: cold + Cold.localWrittenBytes))
        defer { takenTransfers = all }
        return Transfers(
            reads: all.reads &- takenTransfers.reads, bytesRead: all.bytesRead &- takenTransfers.bytesRead,
            writes: all.writes &- takenTransfers.writes,
            bytesWritten: all.bytesWritten &- takenTransfers.bytesWritten)
    }
}
