internal import CHost
package import LinuxABI

/// Memory of this process and of its stubs.
extension Host {
    /// `memfd_create(2)`, close-on-exec. The name shows in the host's `/proc` only.
    package static func memoryFile(_ name: StaticString) throws(Errno) -> Int32 {
        unsafe Int32(truncatingIfNeeded: try call(319, UInt(bitPattern: Int(bitPattern: name.utf8Start)), 1))
    }

    package static func truncate(_ descriptor: Int32, to size: Int) throws(Errno) {
        try call(77, word(descriptor), UInt(bitPattern: size))
    }

    package static func close(_ descriptor: Int32) {
        // Whatever close says, the descriptor is gone.
        _ = try? call(3, word(descriptor))
    }

    /// Closes every descriptor from a number on: `close_range(2)`.
    package static func closeDescriptors(from first: Int32) { _ = try? call(436, word(first), 0xffff_ffff, 0) }

    /// Gives back pages of this process that only its start has needed.
    package static func forgetStart() { apus_host_forget_start() }

    /// Maps a memory file of ours shared, readable and writable.
    package static func mapShared(_ descriptor: Int32, size: Int) throws(Errno) -> UnsafeMutableRawPointer {
        let address = try call(9, 0, UInt(bitPattern: size), 3, 1, word(descriptor), 0)
        // The host has just said that the mapping stands at this address.
        guard let pointer = unsafe UnsafeMutableRawPointer(bitPattern: address) else { throw .ENOMEM }
        return unsafe pointer
    }

    package static func unmap(_ address: UnsafeMutableRawPointer, size: Int) {
        _ = try? call(11, UInt(bitPattern: address), UInt(bitPattern: size))
    }

    /// Copies from another process's memory: `process_vm_readv(2)`.
    /// - Returns: how many bytes could be read. Throws EFAULT when none could.
    package static func readMemory(
        of process: Int32, at address: UInt, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        // Both vectors live on this frame; the host writes at most `count` bytes to the buffer.
        try vmTransfer(310, process, UInt(bitPattern: buffer.baseAddress), buffer.count, address)
    }

    /// Copies to another process's memory: `process_vm_writev(2)`.
    /// - Returns: how many bytes could be written. Throws EFAULT when none could.
    package static func writeMemory(
        of process: Int32, at address: UInt, from buffer: UnsafeRawBufferPointer
    ) throws(Errno) -> Int {
        // As above, in the other direction.
        try vmTransfer(311, process, UInt(bitPattern: buffer.baseAddress), buffer.count, address)
    }

    private static func vmTransfer(
        _ number: Int, _ process: Int32, _ local: UInt, _ count: Int, _ remote: UInt
    ) throws(Errno) -> Int {
        let vectors: InlineArray<4, UInt> = [local, UInt(bitPattern: count), remote, UInt(bitPattern: count)]
        // The host reads two iovecs from `vectors`, which outlives the call.
        return try unsafe vectors.span.withUnsafeBytes { bytes throws(Errno) in
            let base = UInt(bitPattern: bytes.baseAddress)
            return try call(number, word(process), base, 1, base + 16, 1, 0)
        }
    }

    /// Bytes of memory that a process has for itself: what it has touched, without pages of files. 0 when the host does not
    /// tell.
    package static func privateMemory(of process: Int32) -> UInt64 {
        guard let memory = residentMemory(of: process) else { return 0 }
        return memory.resident - min(memory.shared, memory.resident)
    }

    /// Bytes of a process that are in memory, and how many of them are pages of files or shared; nil when the host does not
    /// tell. See `/proc/pid/statm` in `proc(5)`.
    package static func residentMemory(of process: Int32) -> (resident: UInt64, shared: UInt64)? {
        guard let descriptor = try? openFile(processPath("\(process)/statm")) else { return nil }
        defer { close(descriptor) }
        let text = try? [UInt8](capacity: 256) { output throws(Errno) in
            _ = try read(descriptor, at: 0, into: &output, limit: 256)
        }
        // Digits and spaces: each process's end comes here, and a string would cost more than the file.
        var fields: InlineArray<3, UInt64> = [0, 0, 0]
        var index = 0
        for byte in text ?? [] where index < 3 {
            if byte == 0x20 {
                index += 1
            } else if byte >= 0x30, byte <= 0x39 {
                fields[index] = fields[index] &* 10 &+ UInt64(byte - 0x30)
            }
        }
        guard index == 3 else { return nil }
        return (fields[1] * 4096, fields[2] * 4096)
    }

    /// The most bytes of a process that ever were in memory, also before an execve; nil when the host does not tell. See `VmHWM` of
    /// `/proc/pid/status` in `proc(5)`.
    package static func peakMemory(of process: Int32) -> UInt64? {
        guard let descriptor = try? openFile(processPath("\(process)/status")) else { return nil }
        defer { close(descriptor) }
        let text = try? [UInt8](capacity: 4096) { output throws(Errno) in
            _ = try read(descriptor, at: 0, into: &output, limit: 4096)
        }
        for line in (text ?? []).split(separator: 0x0A) where line.starts(with: "VmHWM:".utf8) {
            var kibibytes: UInt64 = 0
            for byte in line where byte >= 0x30 && byte <= 0x39 { kibibytes = kibibytes &* 10 &+ UInt64(byte - 0x30) }
            return kibibytes &* 1024
        }
        return nil
    }

    /// For each of `count` pages of another process from a page's address on: 1 if it is in memory (or swapped out), else 0;
    /// all 1 when the host does not tell. See `/proc/pid/pagemap` in `proc(5)`.
    package static func residentPages(of process: Int32, at address: UInt, count: Int) -> [UInt8] {
        let unknown = [UInt8](repeating: 1, count: count)
        guard count > 0, let descriptor = try? openFile(processPath("\(process)/pagemap")) else { return unknown }
        defer { close(descriptor) }
        let bytes = try? [UInt8](capacity: count * 8) { output throws(Errno) in
            _ = try read(descriptor, at: Int64(address / 4096 * 8), into: &output, limit: count * 8)
        }
        guard let bytes, bytes.count == count * 8 else { return unknown }
        // Bits 63 and 62 of each entry: present, swapped.
        return (0..<count).map { bytes[$0 * 8 + 7] & 0xc0 == 0 ? 0 : 1 }
    }
}
