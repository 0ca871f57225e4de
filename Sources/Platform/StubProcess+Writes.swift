package import LinuxABI
internal import Stub

/// A write that a stub has posted. A guest can forge it: then it has made that call.
package struct PostedWrite: Sendable, Equatable {
    package var number: Int
    package var offset: Int64
    /// When, by the processor's clock.
    package var ticks: UInt64
    /// Where its bytes stand, for `withPostedBytes`.
    package var bytes: Range<Int>

    /// The next one goes on where this one ends, in the file and in the bytes.
    package func isFollowed(by next: PostedWrite) -> Bool {
        next.number == number && next.bytes.lowerBound == bytes.upperBound && next.offset == offset + Int64(bytes.count)
    }
}

extension StubProcess {
    /// Descriptors whose writes can be posted.
    package static let writtenFiles = Int(APUS_LOCAL_FILES)
    /// Of one write that is posted, in bytes.
    package static let largestPostedWrite = Int(APUS_POSTED_WRITE_MOST)
    /// How many writes a stub posts at most, before it asks.
    package static let mostPostedWrites = Int(APUS_POSTED_WRITES)
    /// And how many bytes.
    package static let mostPostedBytes = Int(APUS_POSTED_BYTES)

    private static func writes(_ path: PartialKeyPath<apus_writes>) -> Int {
        Int(APUS_WRITES_OFFSET) + (MemoryLayout<apus_writes>.offset(of: path) ?? 0)
    }

    /// Says up to which offset a descriptor's file may be written; 0 for not at all. Only while the process's one thread asks.
    package func setWriteLimit(_ limit: UInt64, of number: Int) {
        guard number >= 0, number < StubProcess.writtenFiles else { return }
        contexts.store(limit, at: StubProcess.writes(\.limits) + 8 * number)
    }

    /// From now on the stub posts writes. Only while the process's one thread asks.
    package func permitWrites() {
        writesVersion = writesVersion &+ 1 == 0 ? 1 : writesVersion &+ 1
        postedWritesEnd = nil
        // None that is not taken can have been posted: the thread asks.
        takenWrites = PostedCount()
        contexts.exchangeLong(UInt64(writesVersion) << 32, at: Int(APUS_WRITES_OFFSET))
    }

    /// It posts no more; what was posted until now is there to be taken.
    package func revokeWrites() {
        guard postedWritesEnd == nil, writesVersion != 0 else { return }
        let word = contexts.exchangeLong(0, at: Int(APUS_WRITES_OFFSET))
        let isForged = word >> 32 != UInt64(writesVersion)
        postedWritesEnd = isForged ? takenWrites.taken : UInt32(truncatingIfNeeded: word)
    }

    /// How many were posted, ever, with this permission.
    private var postedWrites: UInt32 { postedWritesEnd ?? contexts.loadAcquiring(at: Int(APUS_WRITES_OFFSET)) }

    /// True if its stub has posted a write that was not taken.
    @inline(__always)
    package var hasPostedWrite: Bool { postedWrites != takenWrites.taken }

    /// The next write that its stub has posted. No more come at a time than a stub posts.
    package func takePostedWrite() -> PostedWrite? {
        guard let place = takenWrites.next(of: postedWrites, places: APUS_POSTED_WRITES) else { return nil }
        let entry = StubProcess.writes(\.posted) + place * MemoryLayout<apus_posted_write>.stride
        func load<T: FixedWidthInteger>(_ path: PartialKeyPath<apus_posted_write>) -> T {
            contexts.load(at: entry + (MemoryLayout<apus_posted_write>.offset(of: path) ?? 0))
        }
        let offset: UInt64 = load(\.offset)
        let number: UInt32 = load(\.number)
        let length: UInt32 = load(\.count)
        let start: UInt32 = load(\.place)
        guard length <= UInt32(APUS_POSTED_WRITE_MOST), start <= UInt32(APUS_POSTED_BYTES) - length,
            offset <= UInt64(Int64.max) - UInt64(length)
        else {
            // It writes nothing.
            return PostedWrite(number: 0, offset: 0, ticks: 0, bytes: 0..<0)
        }
        return PostedWrite(
            number: Int(number), offset: Int64(offset), ticks: load(\.ticks), bytes: Int(start)..<Int(start + length))
    }

    /// The bytes of a write that was taken. A guest may change them meanwhile: then it has written others.
    package func withPostedBytes(_ range: Range<Int>, _ body: (Span<UInt8>) throws(Errno) -> Void) throws(Errno) {
        let range = range.clamped(to: 0..<StubProcess.mostPostedBytes)
        try contexts.withBytes(at: Int(APUS_POSTED_BYTES_OFFSET) + range.lowerBound, count: range.count, body)
    }
}
