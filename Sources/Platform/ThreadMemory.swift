internal import GuestMemory
package import LinuxABI
internal import Stub

/// A guest's memory as one of its threads' calls see it: what the stub has copied next to the call is read there, and small
/// results travel back with the answer. Everything else goes by the host's copying calls.
@safe
package final class ThreadMemory: GuestMemory {
    private let process: StubProcess
    /// Where the thread's bounce area begins in the process's contexts.
    private let bounce: Int
    /// True for ranges that a guest may write: only those can wait for the stub, whose failure comes too late for EFAULT.
    package var mayWrite: ((_ address: UInt, _ count: Int) -> Bool)?
    /// Nothing waits for the stub: whoever traces it need not ask it to copy.
    var writesAtOnce = false
    private var incoming: [Payload] = []
    private var outgoing: [Payload] = []
    private var used = 0

    struct Payload {
        var address: UInt
        var count: Int
        /// From the beginning of the bounce area: a small result stands before it, beside the list of results.
        var offset: Int
    }

    /// Where a small result stands that comes first: the stub gets it with the list in one line of the cache, where the
    /// bounce area would be another one that travels between processors.
    private static let beside =
        (MemoryLayout<apus_cold>.offset(of: \.out_bytes) ?? 0) - Int(APUS_BOUNCE)

    /// Where so many bytes for the guest go; nil where there is no room.
    private func place(for count: Int) -> Int? {
        if writesAtOnce { return nil }
        if outgoing.isEmpty, count <= Int(APUS_BESIDE_SIZE) { return ThreadMemory.beside }
        let start = (used + 15) & ~15
        guard outgoing.count < Int(APUS_MAX_PAYLOADS), count <= Int(APUS_BOUNCE_SIZE) - start else { return nil }
        return start
    }

    private func note(_ address: UInt, _ count: Int, at place: Int) {
        outgoing.append(Payload(address: address, count: count, offset: place))
        used = max(used, place + count)
    }

    init(_ process: StubProcess, bounce: Int) {
        self.process = process
        self.bounce = bounce
        incoming.reserveCapacity(Int(APUS_MAX_PAYLOADS))
        outgoing.reserveCapacity(Int(APUS_MAX_PAYLOADS))
    }

    // MARK: With the conversation

    /// A call has arrived.
    @inline(__always)
    func begin() {
        if !incoming.isEmpty { incoming.removeAll(keepingCapacity: true) }
        used = 0
    }

    /// The call came with a payload, which was validated.
    func add(_ payload: Payload) {
        incoming.append(payload)
        used = max(used, payload.offset + payload.count)
    }

    @inline(__always)
    var hasOutgoing: Bool { !outgoing.isEmpty }

    /// Hands over what the answer has to carry out, one after the other; the call's payloads end with it.
    /// - Returns: how many there were.
    @inline(__always)
    func handOver(_ body: (_ index: Int, _ payload: Payload) -> Void) -> Int {
        if !incoming.isEmpty { incoming.removeAll(keepingCapacity: true) }
        let count = outgoing.count
        for index in 0..<count { body(index, outgoing[index]) }
        if count > 0 { outgoing.removeAll(keepingCapacity: true) }
        return count
    }

    /// Writes what waits now: the thread is about to sleep, or somebody reads over it.
    func flush() {
        let waiting = outgoing
        outgoing.removeAll(keepingCapacity: true)
        for payload in waiting {
            let bytes = process.contexts.bytes(at: bounce + payload.offset, count: payload.count)
            try? process.memory.write(bytes.span, at: payload.address)
        }
    }

    // MARK: GuestMemory

    package func cachedCount(at address: UInt) -> Int {
        for payload in incoming where address >= payload.address && address < payload.address + UInt(payload.count) {
            return payload.count - Int(address - payload.address)
        }
        return 0
    }

    package func read(_ count: Int, at address: UInt, into output: inout OutputSpan<UInt8>) throws(Errno) {
        for payload in incoming where address >= payload.address {
            let skipped = address - payload.address
            guard skipped <= UInt(payload.count), count <= payload.count - Int(skipped) else { continue }
            if outgoing.isEmpty {
                process.contexts.append(count, at: bounce + payload.offset + Int(skipped), to: &output)
                return
            }
        }
        if !outgoing.isEmpty { flush() }
        try process.memory.read(count, at: address, into: &output)
    }

    package func stringAtHand(_ address: UInt, limit: Int) -> [UInt8]? {
        guard outgoing.isEmpty else { return nil }
        for payload in incoming where address >= payload.address && address < payload.address + UInt(payload.count) {
            let skipped = Int(address - payload.address)
            // Copied once, and only then looked at.
            var bytes = process.contexts.bytes(
                at: bounce + payload.offset + skipped, count: min(payload.count - skipped, limit))
            guard let end = bytes.firstIndex(of: 0) else { return nil }
            bytes.removeLast(bytes.count - end)
            return bytes
        }
        return nil
    }

    package func produce(
        _ capacity: Int, at address: UInt, _ body: (inout OutputSpan<UInt8>) throws(Errno) -> Void
    ) throws(Errno) -> Int? {
        try ProcessMemory.check(address, capacity)
        guard let place = place(for: capacity), mayWrite?(address, capacity) == true else { return nil }
        let count = try process.contexts.produce(capacity, at: bounce + place, body)
        guard count > 0 else { return 0 }
        forgetIncoming(from: address, count)
        note(address, count, at: place)
        return count
    }

    /// What the stub has copied is stale where the kernel writes over it.
    private func forgetIncoming(from address: UInt, _ count: Int) {
        guard !incoming.isEmpty else { return }
        let end = address &+ UInt(count)
        incoming.removeAll { $0.address < end && address < $0.address &+ UInt($0.count) }
    }

    package func write(_ bytes: Span<UInt8>, at address: UInt) throws(Errno) {
        try ProcessMemory.check(address, bytes.count)
        forgetIncoming(from: address, bytes.count)
        if let place = place(for: bytes.count), mayWrite?(address, bytes.count) == true {
            process.contexts.write(bytes, at: bounce + place)
            note(address, bytes.count, at: place)
            return
        }
        if !outgoing.isEmpty { flush() }
        try process.memory.write(bytes, at: address)
    }
}
