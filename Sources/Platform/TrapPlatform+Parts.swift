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
