package import LinuxABI
package import VFS

/// A counter that wakes. See `eventfd(2)`.
package final class EventFile: FileOperations, DescribedFile {
    private var value: UInt64
    private let isSemaphore: Bool
    private let queue = WaitQueue()
    private let node: any Inode

    package init(_ value: UInt64, isSemaphore: Bool, node: any Inode) {
        self.value = value
        self.isSemaphore = isSemaphore
        self.node = node
    }

    package var description: String {
        "eventfd-count: \(value.hex(16, padding: " "))\neventfd-semaphore: \(isSemaphore ? 1 : 0)\n"
    }

    package var inode: any Inode { node }
    package var waitQueue: WaitQueue? { queue }

    package func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        guard output.freeCapacity >= 8 else { throw .EINVAL }
        guard value > 0 else { throw .EAGAIN }
        let taken = isSemaphore ? 1 : value
        value -= taken
        for shift in 0..<8 { output.append(UInt8(truncatingIfNeeded: taken >> UInt64(8 * shift))) }
        queue.wake(.writable)
    }

    package func write(_ file: OpenFile, _ bytes: Span<UInt8>, at offset: Int64?) throws(Errno) -> Int {
        guard bytes.count == 8 else { throw .EINVAL }
        var more: UInt64 = 0
        for index in 0..<8 { more |= UInt64(bytes[index]) << UInt64(8 * index) }
        guard more != .max else { throw .EINVAL }
        guard more <= .max - 1 - value else { throw .EAGAIN }
        value += more
        if value > 0 { queue.wake(.readable) }
        return 8
    }

    package var isReadyByKernel: Bool { true }

    package func poll(_ file: OpenFile) -> PollEvents {
        var events: PollEvents = []
        if value > 0 { events.formUnion(.in) }
        if value < .max - 1 { events.formUnion(.out) }
        return events
    }
}
