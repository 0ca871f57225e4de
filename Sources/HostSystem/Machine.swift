internal import CHost
package import LinuxABI

/// What the host's machine has.
extension Host {
    /// The processors that this process may use, as a bit set of as many words as the host knows processors.
    package static var processors: [UInt64] {
        var mask = [UInt64](repeating: 0, count: 128)
        // The host writes at most the bytes of the array.
        let got = unsafe mask.withUnsafeMutableBytes { bytes in
            (try? call(204, 0, UInt(bytes.count), UInt(bitPattern: bytes.baseAddress))) ?? 0
        }
        let words = mask.prefix(got / 8)
        return words.contains { $0 != 0 } ? Array(words) : [1]
    }

    /// Bytes of memory, and how many of them are free. See `sysinfo(2)`.
    package static var memory: (total: UInt64, free: UInt64) {
        var words = [UInt64](repeating: 0, count: 14)
        // `struct sysinfo` has 112 bytes, which are those of the array.
        let result = unsafe words.withUnsafeMutableBytes { bytes in
            try? call(99, UInt(bitPattern: bytes.baseAddress))
        }
        guard result != nil else { return (0, 0) }
        // uptime, three loads, totalram, freeram, …, and mem_unit at the end.
        let unit = UInt64(UInt32(truncatingIfNeeded: words[13]))
        let scale = max(1, unit)
        return (words[4] &* scale, words[5] &* scale)
    }

    /// `MEMBARRIER_CMD_GLOBAL`: when this returns, every running thread of the host has passed a memory barrier.
    package static func memoryBarrier() throws(Errno) { try call(324, 1) }
}
