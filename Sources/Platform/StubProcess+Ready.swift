internal import Stub

extension StubProcess {
    /// More events than that a stub is not told of.
    package static let mostReady = Int(APUS_READY_MOST)

    private static func place(of path: PartialKeyPath<apus_local_ready>) -> Int {
        Int(APUS_LOCAL_READY_OFFSET) + (MemoryLayout<apus_local_ready>.offset(of: path) ?? 0)
    }

    /// Tells the stub what is ready of an epoll, as `struct epoll_event`s, until the processor's clock has so many ticks.
    /// What it was told before was taken back.
    package func setReadiness(_ number: Int32, _ events: Span<UInt8>, until: UInt64) {
        guard events.count <= StubProcess.mostReady * Int(APUS_READY_SIZE) else { return }
        contexts.store(number, at: StubProcess.place(of: \.descriptor))
        contexts.store(UInt32(events.count / Int(APUS_READY_SIZE)), at: StubProcess.place(of: \.count))
        contexts.store(until, at: StubProcess.place(of: \.until))
        contexts.write(events, at: StubProcess.place(of: \.events))
        readyVersion = (readyVersion | 1) &+ 1
        if readyVersion == 0 { readyVersion = 2 }
        contexts.exchange(readyVersion, at: StubProcess.place(of: \.version))
    }

    /// From now on that does not hold.
    package func withdrawReadiness() {
        readyVersion |= 1
        contexts.exchange(readyVersion, at: StubProcess.place(of: \.version))
    }
}
