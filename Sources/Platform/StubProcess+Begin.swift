internal import Stub

/// What a program asks as it begins, and its stub knows: `Stub/begin.c`.
extension StubProcess {
    private static func offset(_ path: PartialKeyPath<apus_begin>) -> Int {
        Int(APUS_BEGIN_OFFSET) + (MemoryLayout<apus_begin>.offset(of: path) ?? 0)
    }

    /// Where the heap ends; 0 where only the kernel knows.
    package func setHeapEnd(_ end: UInt) {
        guard end != toldHeapEnd else { return }
        toldHeapEnd = end
        contexts.store(UInt64(end), at: StubProcess.offset(\.heap_end))
    }

    /// The limits of the process that lives here, soft and hard by resource. `version`: others have another one.
    package func setLimits(_ version: UInt64, _ values: () -> [(soft: UInt64, hard: UInt64)]) {
        guard version != toldLimits else { return }
        toldLimits = version
        let word = StubProcess.offset(\.limits_version)
        limitsVersion &+= 2
        if limitsVersion == 0 { limitsVersion = 2 }
        contexts.exchange(limitsVersion &- 1, at: word)
        var place = StubProcess.offset(\.limits)
        for limit in values().prefix(Int(APUS_LIMITS)) {
            contexts.store(limit.soft, at: place)
            contexts.store(limit.hard, at: place + 8)
            place += 16
        }
        contexts.exchange(limitsVersion, at: word)
    }
}

extension StubThread {
    /// So many bytes its answer can carry for `StubCommand.copy`.
    package static let mostCarried = Int(APUS_BOUNCE_SIZE)

    /// Leaves bytes for the command with which the next answer has the stub copy them to guest memory.
    package func carry(_ bytes: [UInt8]) {
        memory.write(bytes.span.extracting(first: StubThread.mostCarried), at: cold + Int(APUS_BOUNCE))
    }
}
