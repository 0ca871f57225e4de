internal import Stub

extension StubProcess {
    /// Of the entries of a directory that a stub can be told.
    package static let mostEntries = Int(APUS_ENTRIES_SIZE)

    private enum Place {
        static let size = Int(APUS_ENTRIES_OFFSET) + (MemoryLayout<apus_entries>.offset(of: \.size) ?? 0)
        static let until = Int(APUS_ENTRIES_OFFSET) + (MemoryLayout<apus_entries>.offset(of: \.until) ?? 0)
        static let bytes = Int(APUS_ENTRIES_OFFSET) + Int(APUS_ENTRIES_BYTES)
    }

    /// Leaves what getdents64(2) of a descriptor would give, to be read once. Only while the process's one thread asks, and
    /// nothing was left that was not taken back. `momentEnd`: of the moment in which they were seen, in ticks of the processor's
    /// clock; in the last part of it they hold a little longer.
    package func setEntries(_ bytes: Span<UInt8>, of number: Int, momentEnd: UInt64) {
        guard bytes.count <= StubProcess.mostEntries else { return }
        contexts.write(bytes, at: Place.bytes)
        contexts.store(UInt32(bytes.count), at: Place.size)
        contexts.store(max(momentEnd, apus_ticks() &+ StubProcess.statusTicks), at: Place.until)
        contexts.exchange(UInt32(truncatingIfNeeded: number + 1), at: Int(APUS_ENTRIES_OFFSET))
    }

    /// What was left does not hold any more.
    /// - Returns: true if its stub has given it to the guest.
    package func takeBackEntries() -> Bool {
        contexts.exchange(0, at: Int(APUS_ENTRIES_OFFSET)) & APUS_ENTRIES_TAKEN != 0
    }
}
