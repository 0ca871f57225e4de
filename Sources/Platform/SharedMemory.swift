internal import HostSystem
internal import LinuxABI
internal import Stub
import Synchronization

/// A memory file mapped into the kernel: what it shares with stubs. Others write to it at any time, so every access is
/// one load or store of a word.
@safe
final class SharedMemory {
    let size: Int
    private(set) var descriptor: Int32
    private let base: UnsafeMutableRawPointer

    init(_ name: StaticString, size: Int) throws(Errno) {
        self.size = size
        descriptor = try Host.memoryFile(name)
        do throws(Errno) {
            try Host.truncate(descriptor, to: size)
            // The mapping lives until `deinit`, and nobody else is given its address.
            unsafe base = try Host.mapShared(descriptor, size: size)
        } catch {
            Host.close(descriptor)
            throw error
        }
    }

    deinit {
        // Nobody is left who could reach the mapping: pointers into it do not outlive calls of this object.
        unsafe Host.unmap(base, size: size)
        closeDescriptor()
    }

    /// The mapping stays; nobody else can be given the file any more.
    func closeDescriptor() {
        if descriptor >= 0 { Host.close(descriptor) }
        descriptor = -1
    }

    /// The address of `offset`, for host calls and atomics. `offset..<offset + count` is checked to be inside.
    @inline(__always)
    func pointer(at offset: Int, count: Int) -> UnsafeMutableRawPointer {
        precondition(
            offset >= 0 && count >= 0 && offset <= size - count, "offsets in shared memory are the kernel's own")
        // Inside the mapping, by the check.
        return unsafe base + offset
    }

    @inline(__always)
    func load<T: FixedWidthInteger>(_: T.Type = T.self, at offset: Int) -> T {
        // Inside the mapping, and integers have no invalid bit patterns.
        unsafe pointer(at: offset, count: MemoryLayout<T>.size).loadUnaligned(as: T.self)
    }

    @inline(__always)
    func load<let count: Int>(
        _: InlineArray<count, UInt>.Type, at offset: Int
    ) -> InlineArray<count, UInt> {
        // Inside the mapping, and any bytes are some numbers.
        unsafe pointer(at: offset, count: count * 8).loadUnaligned(as: InlineArray<count, UInt>.self)
    }

    @inline(__always)
    func store<T: FixedWidthInteger>(_ value: T, at offset: Int) {
        // Inside the mapping.
        unsafe pointer(at: offset, count: MemoryLayout<T>.size).storeBytes(of: value, as: T.self)
    }

    @inline(__always)
    private func atomic(at offset: Int) -> UnsafeMutablePointer<Atomic<UInt32>> {
        // Inside the mapping and aligned: the offsets are those of 32-bit words of the shared structures.
        unsafe pointer(at: offset, count: 4).assumingMemoryBound(to: Atomic<UInt32>.self)
    }

    /// A word's address, valid as long as this object lives.
    func word(at offset: Int) -> UnsafePointer<Atomic<UInt32>> { unsafe UnsafePointer(atomic(at: offset)) }

    // Atomic, as the other side's accesses are.
    @inline(__always)
    func loadAcquiring(at offset: Int) -> UInt32 { unsafe atomic(at: offset).pointee.load(ordering: .acquiring) }

    @inline(__always)
    func loadSequential(at offset: Int) -> UInt32 {
        // Atomic, as the other side's accesses are.
        unsafe atomic(at: offset).pointee.load(ordering: .sequentiallyConsistent)
    }

    /// - Returns: the word before.
    @inline(__always)
    @discardableResult
    func exchange(_ value: UInt32, at offset: Int) -> UInt32 {
        // Atomic, as the other side's accesses are.
        unsafe atomic(at: offset).pointee.exchange(value, ordering: .sequentiallyConsistent)
    }

    /// - Returns: the 64-bit word before.
    @discardableResult
    func exchangeLong(_ value: UInt64, at offset: Int) -> UInt64 {
        // Inside the mapping and aligned: the callers' offsets are multiples of eight.
        unsafe pointer(at: offset, count: 8).assumingMemoryBound(to: Atomic<UInt64>.self).pointee
            .exchange(value, ordering: .sequentiallyConsistent)
    }

    func increment(at offset: Int) {
        // Atomic, as the other side's accesses are.
        _ = unsafe atomic(at: offset).pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
    }

    /// Clears bits of a 64-bit word.
    func clear(_ bits: UInt64, at offset: Int) {
        // Inside the mapping and aligned: the callers' offsets are multiples of eight.
        _ = unsafe pointer(at: offset, count: 8).assumingMemoryBound(to: Atomic<UInt64>.self).pointee
            .bitwiseAnd(~bits, ordering: .sequentiallyConsistent)
    }

    // The host takes the address of a word inside the mapping, for the duration of the call.
    func wake(at offset: Int, count: UInt = 1) { unsafe Host.futexWake(pointer(at: offset, count: 4), count: count) }

    func wait(at offset: Int, while value: UInt32, for interval: Timestamp?) {
        // As above.
        unsafe Host.futexWait(pointer(at: offset, count: 4), while: value, for: interval)
    }

    /// Asks for a line that will be written soon: the other side's processor gives it up meanwhile.
    @inline(__always)
    func fetchToWrite(_ offset: Int) {
        // A hint to the processor, which neither reads nor writes.
        unsafe apus_fetch_to_write(pointer(at: offset, count: 1))
    }

    /// Copies bytes out once. The range is clamped by the caller.
    func bytes(at offset: Int, count: Int) -> [UInt8] {
        // Inside the mapping; bytes have no invalid values.
        unsafe [UInt8](UnsafeRawBufferPointer(start: pointer(at: offset, count: count), count: count))
    }

    /// Lends bytes to a body that only hands them on.
    func withBytes(at offset: Int, count: Int, _ body: (Span<UInt8>) throws(Errno) -> Void) throws(Errno) {
        // Inside the mapping, which outlives the call; bytes have no invalid values, and whoever gets them takes any.
        let bytes = unsafe UnsafeRawPointer(pointer(at: offset, count: count)).assumingMemoryBound(to: UInt8.self)
        try body(unsafe UnsafeBufferPointer(start: bytes, count: count).span)
    }

    func append(_ count: Int, at offset: Int, to output: inout OutputSpan<UInt8>) {
        let wanted = min(count, output.freeCapacity)
        // Inside the mapping; copied once, and whatever the guest changes meanwhile is only bytes. The room was just counted.
        let source = unsafe pointer(at: offset, count: count)
        unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
            guard wanted > 0, let base = buffer.baseAddress else { return }
            unsafe UnsafeMutableRawPointer(base + initialized).copyMemory(from: source, byteCount: wanted)
            initialized += wanted
        }
    }

    /// Lets `body` append bytes at an offset.
    /// - Returns: how many it has appended.
    func produce(
        _ capacity: Int, at offset: Int, _ body: (inout OutputSpan<UInt8>) throws(Errno) -> Void
    ) throws(Errno) -> Int {
        // Inside the mapping; others may change the bytes meanwhile, which nobody reads here.
        let bytes = unsafe pointer(at: offset, count: capacity).assumingMemoryBound(to: UInt8.self)
        let room = unsafe UnsafeMutableBufferPointer(start: bytes, count: capacity)
        // The span does not outlive this call, nor the call this object.
        var output = unsafe OutputSpan(buffer: room, initializedCount: 0)
        try body(&output)
        return unsafe output.finalize(for: room)
    }

    func write(_ bytes: Span<UInt8>, at offset: Int) {
        // Inside the mapping; the span cannot overlap it.
        let target = unsafe pointer(at: offset, count: bytes.count)
        unsafe bytes.withUnsafeBytes { source in
            if let base = source.baseAddress { unsafe target.copyMemory(from: base, byteCount: source.count) }
        }
    }

    func zero(at offset: Int, count: Int) {
        // Inside the mapping.
        _ = unsafe pointer(at: offset, count: count).initializeMemory(as: UInt8.self, repeating: 0, count: count)
    }
}
