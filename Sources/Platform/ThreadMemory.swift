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
    private var incoming = PayloadList()
    private var outgoing = PayloadList()
    private var used = 0
    /// The first result, if it is small, until it is known how it travels.
    private let small: UnsafeMutableRawPointer

    struct Payload {
        var address: UInt = 0
        var count = 0
        /// From the beginning of the bounce area: a small result stands before it, beside the list of results.
        var offset = 0

        /// Whether the address is one of its bytes.
        @inline(__always)
        func contains(_ other: UInt) -> Bool { other >= address && other < address + UInt(count) }
    }

    /// In place: an array's storage is watched at run time whenever it is changed.
    private struct PayloadList {
        private var entries = InlineArray<8, Payload>(repeating: Payload())
        private(set) var count = 0

        @inline(__always)
        var isEmpty: Bool { count == 0 }

        @inline(__always)
        subscript(index: Int) -> Payload { entries[index] }

        /// What does not fit is left out: the kernel fetches it, or has asked before.
        @inline(__always)
        mutating func append(_ payload: Payload) {
            guard count < entries.count else { return }
            entries[count] = payload
            count += 1
        }

        @inline(__always)
        mutating func removeAll() { count = 0 }

        /// Without those that overlap the range.
        mutating func forget(from address: UInt, to end: UInt) {
            var kept = 0
            for index in 0..<count {
                let payload = entries[index]
                if payload.address < end, address < payload.address &+ UInt(payload.count) { continue }
                entries[kept] = payload
                kept += 1
            }
            count = kept
        }
    }

    /// Where a small result stands that comes first: the stub gets it with the list in one line of the cache, where the
    /// bounce area would be another one that travels between processors.
    private static let beside =
        (MemoryLayout<apus_cold>.offset(of: \.out_bytes) ?? 0) - Int(APUS_BOUNCE)
    private static let smallSize = Int(APUS_BESIDE_SIZE)

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
        // Given back by `deinit`.
        unsafe small = .allocate(byteCount: ThreadMemory.smallSize, alignment: 8)
        // The whole of it.
        unsafe small.initializeMemory(as: UInt8.self, repeating: 0, count: ThreadMemory.smallSize)
    }

    // Nobody is given its address.
    deinit { unsafe small.deallocate() }

    // MARK: With the conversation

    /// A call has arrived.
    @inline(__always)
    func begin() {
        if !incoming.isEmpty { incoming.removeAll() }
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
        if !incoming.isEmpty { incoming.removeAll() }
        let count = outgoing.count
        if count > 0, outgoing[0].offset == ThreadMemory.beside {
            storeSmall(ThreadMemory.smallSize, at: bounce + ThreadMemory.beside)
        }
        for index in 0..<count { body(index, outgoing[index]) }
        if count > 0 { outgoing.removeAll() }
        return count
    }

    /// Hands over a single result that fits the line of the conversation, whose bytes go to `place` in the process's contexts.
    @inline(__always)
    func handOverSmall(to place: Int) -> (address: UInt, count: Int)? {
        guard outgoing.count == 1, outgoing[0].offset == ThreadMemory.beside, outgoing[0].count <= Int(APUS_HERE_SIZE)
        else {
            return nil
        }
        let payload = outgoing[0]
        if !incoming.isEmpty { incoming.removeAll() }
        outgoing.removeAll()
        storeSmall(payload.count, at: place)
        return (payload.address, payload.count)
    }

    /// Stores the small result's first words, in which that many bytes lie.
    private func storeSmall(_ count: Int, at place: Int) {
        for offset in stride(from: 0, to: min(count, ThreadMemory.smallSize), by: 8) {
            // Inside the allocation, whose size is a multiple of eight.
            process.contexts.store(unsafe small.load(fromByteOffset: offset, as: UInt64.self), at: place + offset)
        }
    }

    /// Lets `body` append what becomes the small result.
    private func produceSmall(
        _ capacity: Int, _ body: (inout OutputSpan<UInt8>) throws(Errno) -> Void
    ) throws(Errno) -> Int {
        // Inside the allocation, by the minimum.
        let room = unsafe UnsafeMutableBufferPointer(
            start: small.assumingMemoryBound(to: UInt8.self), count: min(capacity, ThreadMemory.smallSize))
        // The span does not outlive this call, nor the call this object.
        var output = unsafe OutputSpan(buffer: room, initializedCount: 0)
        try body(&output)
        return unsafe output.finalize(for: room)
    }

    /// Writes what waits now: the thread is about to sleep, or somebody reads over it.
    func flush() {
        guard !outgoing.isEmpty else { return }
        let waiting = outgoing
        outgoing.removeAll()
        for index in 0..<waiting.count {
            let payload = waiting[index]
            if payload.offset == ThreadMemory.beside {
                storeSmall(ThreadMemory.smallSize, at: bounce + ThreadMemory.beside)
            }
            let bytes = process.contexts.bytes(at: bounce + payload.offset, count: payload.count)
            try? process.memory.write(bytes.span, at: payload.address)
        }
    }

    // MARK: GuestMemory

    package func cachedCount(at address: UInt) -> Int {
        for index in 0..<incoming.count {
            let payload = incoming[index]
            if payload.contains(address) { return payload.count - Int(address - payload.address) }
        }
        return 0
    }

    package func read(_ count: Int, at address: UInt, into output: inout OutputSpan<UInt8>) throws(Errno) {
        for index in 0..<incoming.count {
            let payload = incoming[index]
            guard address >= payload.address else { continue }
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
        for index in 0..<incoming.count {
            let payload = incoming[index]
            guard payload.contains(address) else { continue }
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

    package func prepareResult(_ count: Int) {
        guard !writesAtOnce, outgoing.isEmpty, count > ThreadMemory.smallSize else { return }
        let start = bounce + (used + 15) & ~15
        guard count <= bounce + Int(APUS_BOUNCE_SIZE) - start else { return }
        process.contexts.fetchToWrite(bounce + ThreadMemory.beside)
        for line in stride(from: start, to: start + count, by: 64) { process.contexts.fetchToWrite(line) }
    }

    package func produce(
        _ capacity: Int, at address: UInt, _ body: (inout OutputSpan<UInt8>) throws(Errno) -> Void
    ) throws(Errno) -> Int? {
        try ProcessMemory.check(address, capacity)
        guard let place = place(for: capacity), mayWrite?(address, capacity) == true else { return nil }
        let count =
            place == ThreadMemory.beside
            ? try produceSmall(capacity, body) : try process.contexts.produce(capacity, at: bounce + place, body)
        guard count > 0 else { return 0 }
        forgetIncoming(from: address, count)
        note(address, count, at: place)
        return count
    }

    /// What the stub has copied is stale where the kernel writes over it.
    private func forgetIncoming(from address: UInt, _ count: Int) {
        guard !incoming.isEmpty else { return }
        incoming.forget(from: address, to: address &+ UInt(count))
    }

    package func write(_ bytes: Span<UInt8>, at address: UInt) throws(Errno) {
        try ProcessMemory.check(address, bytes.count)
        forgetIncoming(from: address, bytes.count)
        if let place = place(for: bytes.count), mayWrite?(address, bytes.count) == true {
            if place == ThreadMemory.beside {
                var index = 0
                // One that fits, as its place says.
                _ = try produceSmall(bytes.count) { output throws(Errno) in
                    while index < bytes.count { output.append(bytes[index]); index += 1 }
                }
            } else {
                process.contexts.write(bytes, at: bounce + place)
            }
            note(address, bytes.count, at: place)
            return
        }
        if !outgoing.isEmpty { flush() }
        try process.memory.write(bytes, at: address)
    }
}
