package import LinuxABI

/// Threads of other processes that the calling thread traces: `ptrace(2)`. All of this comes from the thread that has seized
/// them, and but for `seize` it concerns threads that stand in a stop.
extension Host {
    /// `struct user_regs_struct` up to the bases of the two segments: r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx,
    /// rdx, rsi, rdi, orig_rax, rip, cs, flags, rsp, ss, fs base, gs base.
    package typealias TracedRegisters = InlineArray<23, UInt64>

    /// How a traced thread goes on.
    package enum Resumption: UInt {
        /// It stops where it makes a call, which the host does not carry out: PTRACE_SYSEMU.
        case emulating = 31
        /// It stops before and after each call: PTRACE_SYSCALL.
        case stoppingAtCalls = 24
    }

    /// A call at which a traced thread stands, as PTRACE_GET_SYSCALL_INFO has it.
    package struct TracedCall {
        /// It has not been carried out yet.
        package let isEntry: Bool
        package let architecture: UInt32
        package let address: UInt64
        package let number: UInt64
        package let arguments: InlineArray<6, UInt64>
    }

    private static func trace(_ request: UInt, _ thread: Int32, _ a: UInt, _ b: UInt) throws(Errno) -> Int {
        try call(101, request, word(thread), a, b)
    }

    /// Traces a child and, from their first instruction on, all threads and processes that it makes. They end with the calling
    /// thread. TRACESYSGOOD | TRACEFORK | TRACEVFORK | TRACECLONE | EXITKILL
    package static func seize(_ child: Int32) throws(Errno) { _ = try trace(0x4206, child, 0, 0x10_000f) }

    /// Throws ESRCH when the thread is not stopped, or gone.
    package static func resume(_ thread: Int32, _ how: Resumption, signal: Int32 = 0) throws(Errno) {
        _ = try trace(how.rawValue, thread, 0, word(signal))
    }

    /// In a group-stop: leaves it stopped, but tells what comes next.
    package static func listen(_ thread: Int32) throws(Errno) { _ = try trace(0x4208, thread, 0, 0) }

    /// The number that an event has with it: that of the new thread or process.
    package static func tracedEvent(of thread: Int32) throws(Errno) -> Int32 {
        var message: InlineArray<1, UInt64> = [0]
        var span = message.mutableSpan
        // The host writes one word, which outlives the call.
        _ = try unsafe span.withUnsafeMutableBytes { bytes throws(Errno) in
            try trace(0x4201, thread, 0, UInt(bitPattern: bytes.baseAddress))
        }
        return Int32(truncatingIfNeeded: message[0])
    }

    package static func tracedCall(of thread: Int32) throws(Errno) -> TracedCall {
        var words: InlineArray<11, UInt64> = .init(repeating: 0)
        var span = words.mutableSpan
        // The host writes at most as many bytes as it is told.
        _ = try unsafe span.withUnsafeMutableBytes { bytes throws(Errno) in
            try trace(0x420e, thread, UInt(bytes.count), UInt(bitPattern: bytes.baseAddress))
        }
        return TracedCall(
            isEntry: words[0] & 0xff == 1, architecture: UInt32(words[0] >> 32), address: words[1], number: words[3],
            arguments: [words[4], words[5], words[6], words[7], words[8], words[9]])
    }

    // PTRACE_GETREGSET and PTRACE_SETREGSET; the sets are NT_PRSTATUS and NT_X86_XSTATE.
    private static func registerSet(
        _ request: UInt, _ thread: Int32, _ set: UInt, _ bytes: UnsafeRawPointer?, _ count: Int
    ) throws(Errno) -> Int {
        var vector: InlineArray<2, UInt> = [UInt(bitPattern: bytes), UInt(bitPattern: count)]
        var span = vector.mutableSpan
        // The host reads the `struct iovec`, moves at most `count` bytes, which the callers keep, and writes how many.
        _ = try unsafe span.withUnsafeMutableBytes { vector throws(Errno) in
            try trace(request, thread, set, UInt(bitPattern: vector.baseAddress))
        }
        return Int(bitPattern: vector[1])
    }

    package static func readRegisters(of thread: Int32, into registers: inout TracedRegisters) throws(Errno) {
        var span = registers.mutableSpan
        // The host writes the bytes of the array, which outlives the call.
        _ = try unsafe span.withUnsafeMutableBytes { bytes throws(Errno) in
            try unsafe registerSet(0x4204, thread, 1, UnsafeRawPointer(bytes.baseAddress), bytes.count)
        }
    }

    /// Writes the first `count` of the registers. Throws EIO for a base that is no address of a program's.
    package static func writeRegisters(
        of thread: Int32, _ registers: borrowing TracedRegisters, first count: Int
    ) throws(Errno) {
        let registers = copy registers
        // The host reads so many bytes of the array, which outlives the call.
        _ = try unsafe registers.span.withUnsafeBytes { bytes throws(Errno) in
            try unsafe registerSet(0x4205, thread, 1, bytes.baseAddress, min(count * 8, bytes.count))
        }
    }

    /// The extended state, as an XSAVE area in standard format.
    package static func readExtendedState(of thread: Int32) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 16384)
        var span = bytes.mutableSpan
        // The host writes at most the bytes of the array.
        let count = try unsafe span.withUnsafeMutableBytes { bytes throws(Errno) in
            try unsafe registerSet(0x4204, thread, 0x202, UnsafeRawPointer(bytes.baseAddress), bytes.count)
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// A whole area of the size that `readExtendedState` gives. Throws EINVAL for what the processor would not load.
    package static func writeExtendedState(of thread: Int32, _ state: [UInt8]) throws(Errno) {
        // The host reads the bytes of the array.
        _ = try unsafe state.span.withUnsafeBytes { bytes throws(Errno) in
            try unsafe registerSet(0x4205, thread, 0x202, bytes.baseAddress, bytes.count)
        }
    }
}
