internal import HostSystem
internal import LinuxABI

/// What processes need that are to come, and what those leave that have gone.
extension TrapPlatform {
    /// Fresh parts for a process, which nobody has had.
    func takeParts() throws(Errno) -> StubProcess.Parts {
        wantsParts = true
        guard let spare = spareParts else { return try StubProcess.Parts(mark: newMark()) }
        spareParts = nil
        return spare
    }

    /// Does what can wait until nobody asks, where a stub may run meanwhile.
    func tidyUp() {
        if !dead.isEmpty { dead.removeAll(keepingCapacity: true) }
        guard wantsParts else { return }
        wantsParts = false
        if spareParts == nil { spareParts = try? StubProcess.Parts(mark: newMark()) }
    }

    /// Waits some ms for the end of a process that was ended just now, if it has not been seen. Nobody asks so twice.
    package func settle(_ peak: PeakMemory) {
        guard peak.bytes == nil, peak.awaited != 0, tracer == nil else { return }
        let end = Host.monotonic.advanced(by: Timestamp(nanoseconds: 20_000_000))
        repeat {
            // One that was expected: nobody is told of it.
            if let change = Host.reap(peak.awaited) { return noteDeath(change) }
            Host.yield()
        } while Host.monotonic < end
    }

    /// A number that nobody can guess.
    func newMark() -> UInt64 {
        // Many at a time: each time the host is asked.
        if unusedMarks.isEmpty {
            var reader = ByteReader(Host.random(256))
            for _ in 0..<32 { unusedMarks.append(reader.take()) }
        }
        return unusedMarks.popLast() ?? UInt64.random(in: 1 ... .max)
    }
}

/// The most of a process that was in the host's memory: the host says it when it has ended, which may be after everybody has
/// forgotten it here.
package final class PeakMemory {
    package internal(set) var bytes: UInt64?
    /// The host's number of a process that was told to end.
    var awaited: Int32 = 0
}
