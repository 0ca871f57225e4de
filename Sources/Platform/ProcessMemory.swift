internal import GuestMemory
internal import HostSystem
package import LinuxABI

/// The memory of a stub process, reached by the host's copying calls.
@safe
package final class ProcessMemory: GuestMemory {
    package let process: Int32

    package init(process: Int32) { self.process = process }

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
            let got = try unsafe Host.readMemory(of: process, at: address, into: target)
            initialized += got
            guard got == count else { throw .EFAULT }
        }
    }

    package func write(_ bytes: Span<UInt8>, at address: UInt) throws(Errno) {
        try ProcessMemory.check(address, bytes.count)
        // The host reads the span's bytes.
        try unsafe bytes.withUnsafeBytes { buffer throws(Errno) in
            let done = try unsafe Host.writeMemory(of: process, at: address, from: buffer)
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
