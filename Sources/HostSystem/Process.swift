internal import CHost
package import LinuxABI

/// Processes of the host: the stubs, and this process itself.
extension Host {
    package static var processID: Int32 { Int32(truncatingIfNeeded: (try? call(39)) ?? 0) }

    package static func kill(_ process: Int32, _ signal: Int32) throws(Errno) {
        try call(62, word(process), word(signal))
    }

    /// Sends a signal to one thread of a process.
    package static func kill(thread: Int32, of process: Int32, _ signal: Int32) throws(Errno) {
        try call(234, word(process), word(thread), word(signal))
    }

    /// A child that has ended, or a traced thread that has stopped or ended.
    package struct Change {
        package let process: Int32
        /// As of `wait(2)`.
        package let status: Int32
        /// The most of it that was in memory, in bytes: `ru_maxrss` of `getrusage(2)`.
        package let peakResident: UInt64
    }

    /// Reaps one child that has ended, or takes one stop of a traced thread, without waiting.
    /// - Parameter process: -1 for any.
    /// - Returns: nil when there is none.
    // WNOHANG | __WALL | __WNOTHREAD: other threads of this process may have children of their own.
    package static func reap(_ process: Int32 = -1) -> Change? { wait(process, 0x6000_0001) }

    /// Waits until a child ends or a traced thread stops or ends.
    /// - Returns: nil without any, or after a signal.
    package static func waitForAny() -> Change? { wait(-1, 0x6000_0000) }

    private static func wait(_ process: Int32, _ options: UInt) -> Change? {
        // The status, then the 144 bytes of a `struct rusage`.
        var words: InlineArray<19, UInt64> = .init(repeating: 0)
        var span = words.mutableSpan
        // Both lie in `words`, which outlives the call.
        let result = unsafe span.withUnsafeMutableBytes { bytes in
            let base = UInt(bitPattern: bytes.baseAddress)
            return try? call(61, word(process), base, options, base + 8)
        }
        guard let result, result > 0 else { return nil }
        return Change(
            process: Int32(truncatingIfNeeded: result), status: Int32(truncatingIfNeeded: words[0]),
            peakResident: words[5] &* 1024)
    }

    /// Has a thread, 0 for the calling one, run on these processors alone, and what descends from it.
    package static func bind(_ thread: Int32, to processors: [UInt64]) throws(Errno) {
        // The host reads the bytes of the array.
        _ = try unsafe processors.span.withUnsafeBytes { bytes throws(Errno) in
            try call(203, word(thread), UInt(bytes.count), UInt(bitPattern: bytes.baseAddress))
        }
    }

    /// The children of this thread, as the host lists them; none where it does not.
    package static var children: [Int32] {
        guard let list = try? openFile(processPath("thread-self/children")) else { return [] }
        defer { close(list) }
        var text: [UInt8] = []
        while true {
            let offset = Int64(text.count)
            let piece = try? [UInt8](capacity: 65536) { output throws(Errno) in
                _ = try read(list, at: offset, into: &output, limit: 65536)
            }
            guard let piece, !piece.isEmpty else { break }
            text += piece
        }
        return String(decoding: text, as: UTF8.self).split(separator: " ").compactMap { Int32($0) }
    }

    /// True if the process is a child of this one that has not been reaped.
    package static func isChild(_ process: Int32) -> Bool {
        guard process > 0 else { return false }
        // P_PID; no siginfo is asked for. WNOHANG | WEXITED | WNOWAIT | __WALL
        return (try? call(247, 1, word(process), 0, 0x4100_0005, 0)) != nil
    }

    /// `PR_SET_PDEATHSIG`.
    package static func dieWithParent() throws(Errno) { try call(157, 1, 9) }

    package static func exit(_ status: Int32) -> Never {
        while true { _ = try? call(231, word(status)) }
    }

    /// `FUTEX_WAIT` on a shared word until it is no longer `value`, is woken, or the interval has passed.
    package static func futexWait(_ address: UnsafeMutableRawPointer, while value: UInt32, for interval: Timestamp?) {
        guard let interval else {
            _ = try? call(202, UInt(bitPattern: address), 0, UInt(value))
            return
        }
        let words: InlineArray<2, Int64> = [interval.seconds, interval.nanoseconds]
        // The host reads one timespec from `words`, which outlives the call.
        unsafe words.span.withUnsafeBytes { bytes in
            _ = try? call(202, UInt(bitPattern: address), 0, UInt(value), UInt(bitPattern: bytes.baseAddress))
        }
    }

    package static func futexWake(_ address: UnsafeMutableRawPointer, count: UInt = 1) {
        _ = try? call(202, UInt(bitPattern: address), 1, count)
    }

    /// How many processors this process may use.
    package static var processorCount: Int { processors.reduce(0) { $0 + $1.nonzeroBitCount } }
}
