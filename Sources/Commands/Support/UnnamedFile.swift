internal import Foundation

/// A temporary file that has no name any more: it is gone when this process is, whichever way that ends. Others reach it
/// by its descriptor's place in /proc while this process lives.
final class UnnamedFile {
    private let handle: FileHandle

    init() throws {
        let path = NSTemporaryDirectory() + "apus-\(UUID().uuidString)"
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
            let handle = FileHandle(forUpdatingAtPath: path)
        else { throw CommandFailure("\(path): cannot be created; set TMPDIR to a folder that can be written") }
        self.handle = handle
        try FileManager.default.removeItem(atPath: path)
    }

    var path: String { "/proc/\(getpid())/fd/\(handle.fileDescriptor)" }

    /// Bytes written so far.
    var size: UInt64 { (try? handle.seekToEnd()) ?? 0 }
}
