package import LinuxABI
package import VFS

/// Signals that are taken by reading. See `signalfd(2)`: whose they are is decided when somebody reads or polls.
package final class SignalFile: FileOperations, DescribedFile {
    package var mask: SignalSet
    private unowned let kernel: Kernel
    private let node: any Inode

    package init(_ mask: SignalSet, kernel: Kernel, node: any Inode) {
        self.mask = mask
        self.kernel = kernel
        self.node = node
    }

    /// Of a `signalfd_siginfo`, in bytes.
    private static let entrySize = 128

    package var description: String { "sigmask:\t\(mask.rawValue.hex(16))\n" }
    package var inode: any Inode { node }
    package var waitQueue: WaitQueue? { kernel.signalArrivals }

    package func poll(_ file: OpenFile) -> PollEvents {
        guard let thread = kernel.currentThread else { return [] }
        let pending = thread.signals.pending.set.union(thread.process.pendingSignals.set)
        return pending.isDisjoint(with: mask) ? [] : .in
    }

    package func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        guard output.freeCapacity >= SignalFile.entrySize else { throw .EINVAL }
        guard let thread = kernel.currentThread else { throw .EAGAIN }
        var isFirst = true
        while output.freeCapacity >= SignalFile.entrySize {
            guard let info = thread.takeSignal(in: mask) else {
                if isFirst { throw .EAGAIN }
                return
            }
            isFirst = false
            for byte in SignalFile.entry(info) { output.append(byte) }
        }
    }

    private static func entry(_ info: SignalInfo) -> [UInt8] {
        var writer = ByteWriter(capacity: entrySize)
        writer.put(info.signal.rawValue)
        writer.put(info.errno)
        writer.put(info.code)
        writer.put(info.processID.rawValue)
        writer.put(info.userID)
        writer.put(info.fileDescriptor)
        writer.put(info.timerID)
        writer.put(UInt32(truncatingIfNeeded: info.band))
        writer.put(info.overrun)
        writer.put(UInt32(0))
        writer.put(info.status)
        writer.put(Int32(truncatingIfNeeded: info.value))
        writer.put(info.value)
        writer.put(info.userTime)
        writer.put(info.systemTime)
        writer.put(UInt64(info.address))
        writer.pad(4)
        writer.put(info.syscallNumber)
        writer.put(UInt64(info.syscallNumber == 0 ? 0 : info.address))
        writer.put(info.architecture)
        writer.pad(to: entrySize)
        return writer.bytes
    }
}
