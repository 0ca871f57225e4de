internal import Foundation
internal import HostSystem
internal import LinuxABI
internal import Synchronization

/// What a program wrote to a descriptor.
package struct CapturedOutput: Sendable, Hashable {
    /// The first `OutputCapture.limit` bytes.
    package var bytes: [UInt8] = []
    /// How many there were in all.
    package var count: UInt64 = 0
    /// Whether every writer was gone in the end.
    package var isClosed = false

    package init() {}

    package var isWhole: Bool { count == UInt64(bytes.count) }
}

/// A pipe that is emptied by a thread of its own, so that the program never waits for us; what is kept is bounded.
package final class OutputCapture: Sendable {
    /// Bytes kept: more than any case needs, little enough for a few hundred runs in memory.
    package static let limit = 4 << 20

    private let pipe = Pipe()
    private let captured = Mutex(CapturedOutput())
    private let done = DispatchSemaphore(value: 0)

    package init() {
        let thread = Thread { [self] in
            let descriptor = pipe.fileHandleForReading.fileDescriptor
            while let chunk = Self.chunk(descriptor), !chunk.isEmpty {
                captured.withLock { captured in
                    captured.count += UInt64(chunk.count)
                    captured.bytes.append(contentsOf: chunk.prefix(Self.limit - captured.bytes.count))
                }
            }
            captured.withLock { $0.isClosed = true }
            done.signal()
        }
        thread.start()
    }

    /// What is there, as soon as something is: `FileHandle` waits for all that was asked for, and what a program has
    /// written would be lost while a stranger, started in the same moment, holds the other end open.
    private static func chunk(_ descriptor: Int32) -> [UInt8]? {
        while true {
            do throws(Errno) {
                return try [UInt8](capacity: 1 << 16) { output throws(Errno) in
                    _ = try Host.read(descriptor, at: nil, into: &output, limit: 1 << 16)
                }
            } catch {
                guard error == .EINTR else { return nil }
            }
        }
    }

    /// The end that the program writes to.
    package var descriptor: Int32 { pipe.fileHandleForWriting.fileDescriptor }

    /// To be called once the program has its own copy of the end.
    package func closeWriter() { try? pipe.fileHandleForWriting.close() }

    /// What has been written, when the last writer is gone. A descendant that got away may keep the pipe open: it is
    /// waited for only so long.
    package func finish() -> CapturedOutput {
        closeWriter()
        _ = done.wait(timeout: .now() + .seconds(5))
        return captured.withLock { $0 }
    }
}
