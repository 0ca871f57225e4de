internal import CHost

/// Runs synchronous work on an operating system thread of its own: to ptrace(2), the thread is the tracer.
enum OwnThread {
    /// Waits for the work's end, and gives its result or throws its error.
    static func run<T>(_ body: () throws -> T) throws -> T {
        var result: Result<T, any Error>?
        try withoutActuallyEscaping(body) { body in
            var work: () -> Void = { result = Result(catching: body) }
            // `work` outlives the thread, which is joined before the call returns; only that thread touches it meanwhile.
            let status = unsafe withUnsafeMutablePointer(to: &work) { pointer in
                unsafe apus_ptrace_on_thread(
                    { context in unsafe context?.assumingMemoryBound(to: (() -> Void).self).pointee() },
                    UnsafeMutableRawPointer(pointer))
            }
            guard status == 0 else { throw TraceError(.cannotStart, "no thread for the tracer: error \(-status)") }
        }
        guard let result else { throw TraceError(.cannotStart, "the tracer's thread ended early") }
        return try result.get()
    }
}
