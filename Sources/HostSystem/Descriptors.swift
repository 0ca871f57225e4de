internal import CHost
package import LinuxABI

/// Handing descriptors to the stubs, and hearing signals.
extension Host {
    /// A connected pair of Unix sequenced-packet sockets, close-on-exec: the kernel's end and the stub's.
    package static func socketPair() throws(Errno) -> (kernel: Int32, stub: Int32) {
        var pair: InlineArray<2, Int32> = [-1, -1]
        var span = pair.mutableSpan
        // The host writes the two descriptors. AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC
        _ = try unsafe span.withUnsafeMutableBytes { bytes throws(Errno) in
            try call(53, 1, 5 | 0o2000000, 0, UInt(bitPattern: bytes.baseAddress))
        }
        return (pair[0], pair[1])
    }

    /// Sends one or two descriptors over a socket to a stub. Throws EAGAIN when the stub does not take them.
    package static func send(_ first: Int32, _ second: Int32? = nil, over socket: Int32) throws(Errno) {
        let descriptors: InlineArray<2, Int32> = [first, second ?? -1]
        // The shim reads one or two numbers from the array, which outlives the call.
        let result = unsafe descriptors.span.withUnsafeBufferPointer { buffer in
            unsafe apus_host_send_descriptors(socket, buffer.baseAddress, second == nil ? 1 : 2)
        }
        guard result < 0 else { return }
        throw Errno(rawValue: Int32(truncatingIfNeeded: -result))
    }

    /// Whether everything that was sent over the socket has been taken.
    package static func isTaken(_ socket: Int32) -> Bool {
        var left: InlineArray<1, Int32> = [0]
        var span = left.mutableSpan
        // The host writes the four bytes. SIOCOUTQ
        let result = unsafe span.withUnsafeMutableBytes { bytes in
            try? call(16, word(socket), 0x5411, UInt(bitPattern: bytes.baseAddress))
        }
        return result != nil && left[0] == 0
    }

    /// From now on each of the host signals sets its bit in the first of two words at `signals` (bit 0 is signal 1), or in
    /// the second if the supervisor passed it on, adds one to `word` and wakes one futex waiter on it. All stay mapped for
    /// the life of the process. With `stops`, SIGCHLD also tells that a traced thread has stopped.
    package static func routeSignals(
        _ numbers: [Int32], to signals: UnsafeMutablePointer<UInt64>, waking word: UnsafeMutablePointer<UInt32>,
        stops: Bool = false
    ) {
        // The shim reads the numbers during the call; the words stay mapped, as the caller promises.
        unsafe numbers.withUnsafeBufferPointer { buffer in
            unsafe apus_host_route_signals(word, signals, buffer.baseAddress, Int32(buffer.count), stops ? 1 : 0)
        }
    }

    /// Signals that still come are dropped: the words are about to be unmapped.
    package static func stopRoutingSignals() { apus_host_route_signals(nil, nil, nil, 0, 0) }
}
