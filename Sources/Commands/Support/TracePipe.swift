internal import Dispatch
internal import Foundation
internal import HostSystem
internal import LinuxABI
internal import Synchronization

/// The pipe through which a sandbox hands out its trace while it runs. A reader that is slow makes the sandbox wait, so
/// that neither keeps more than a bufferful. It has no name, and is gone when its processes are.
final class TracePipe: Sendable {
    private let pipe = Pipe()

    /// Where the sandbox opens it, until `close(after:)` says that it has ended.
    var path: String { "/proc/\(getpid())/fd/\(pipe.fileHandleForWriting.fileDescriptor)" }

    /// The end to be read, which ends when the sandbox does.
    var reader: Int32 { pipe.fileHandleForReading.fileDescriptor }

    /// Keeps the pipe open until a child ends: the sandbox may die before it has opened it.
    func close(after child: Int32) -> Ending {
        let ending = Ending()
        Thread.detachNewThread { [self] in
            let result = Result { () throws(Errno) in try Host.wait(for: child) ?? 0 }
            try? pipe.fileHandleForWriting.close()
            ending.came(result)
        }
        return ending
    }

    /// How a child has ended.
    final class Ending: Sendable {
        private let status = Mutex<Result<Int32, Errno>?>(nil)
        private let isThere = DispatchSemaphore(value: 0)

        fileprivate func came(_ result: Result<Int32, Errno>) {
            status.withLock { $0 = result }
            isThere.signal()
        }

        /// Waits for it; its wait status.
        func wait() throws(Errno) -> Int32 {
            isThere.wait()
            return try status.withLock { $0 }?.get() ?? 0
        }
    }
}
