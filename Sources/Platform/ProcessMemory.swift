internal import GuestMemory
internal import HostSystem
package import LinuxABI

/// The memory of a stub process, reached by the host's copying calls.
@safe
package final class ProcessMemory: GuestMemory {
    package let process: Int32
    /// The host's threads of the process that still run. The copying calls go by a thread, and one that has ended has no
    /// memory any more, not even where it was the process's first.
    var livingThreads: (() -> [Int32])?
    /// By which thread the memory is reached.
    private var reach: Int32

    package init(process: Int32) {
        self.process = process
        reach = process
    }

    /// Copies by a thread that lives. Throws ESRCH if there is none.
    private func reaching(_ copy: (Int32) throws(Errno) -> Int) throws(Errno) -> Int {
        do throws(Errno) {
            return try copy(reach)
        } catch {
            guard error == .ESRCH else { throw error }
        }
        for thread in livingThreads?() ?? [] where thread != reach {
            do throws(Errno) {
                let done = try copy(thread)
                reach = thread
                return done
            } catch {
                guard error == .ESRCH else { throw error }
            }
        }
        throw .ESRCH
    }

    package func read(_ count: Int, at address: UInt, into output: inout OutputSpan<UInt8>) throws(Errno) {
        try ProcessMemory.check(address, count)
        try readStub(count, at: address, into: &output)
    }

    /// Reads whatever the process has at the address, the stub's area too.
    func readStub(_ count: Int, at address: UInt, into output: inout OutputSpan<UInt8>) throws(Errno) {
        // The host appends at most `count` bytes to the span's free room, and says how many.
        try unsafe output.withUnsafeMutableBufferPointer { buffer, initialized throws(Errno) in
            let room = unsafe UnsafeMutableRawBufferPointer(
                rebasing: UnsafeMutableRawBufferPointer(buffer)[initialized...])
            guard room.count >= count else { throw .EFAULT }
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: room[..<count])
            let got = try reaching { (thread) throws(Errno) in
                // The target is room for `count` bytes.
                try unsafe Host.readMemory(of: thread, at: address, into: target)
            }
            initialized += got
            guard got == count else { throw .EFAULT }
        }
    }

    package func write(_ bytes: Span<UInt8>, at address: UInt) throws(Errno) {
        try ProcessMemory.check(address, bytes.count)
        // The host reads the span's bytes, by whichever thread.
        try unsafe bytes.withUnsafeBytes { buffer throws(Errno) in
            let done = try reaching { (thread) throws(Errno) in
                try unsafe Host.writeMemory(of: thread, at: address, from: buffer)
            }
            guard done == buffer.count else { throw .EFAULT }
        }
    }

    /// A guest's range ends below the stub's area, whatever the host would allow.
    @inline(__always)
    static func check(_ address: UInt, _ count: Int) throws(Errno) {
        let (end, overflow) = address.addingReportingOverflow(UInt(bitPattern: count))
        guard count >= 0, !overflow, end <= GuestLayout.taskSize else { throw .EFAULT }
    }
}
