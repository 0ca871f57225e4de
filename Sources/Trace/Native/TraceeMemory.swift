internal import CHost
internal import TraceModel

/// The memory of a stopped tracee.
struct TraceeMemory: TraceMemory {
    let thread: Int32

    mutating func read(_ count: Int, at address: UInt64, into bytes: inout [UInt8]) -> Int {
        guard count > 0 else { return 0 }
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: count))
        // The shim writes at most `count` bytes from `start` on.
        let got = unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe apus_ptrace_read(thread, address, buffer.baseAddress?.advanced(by: start), count)
        }
        bytes.removeLast(count - max(0, got))
        return max(0, got)
    }
}
