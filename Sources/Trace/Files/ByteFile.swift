internal import Foundation
internal import HostSystem
internal import LinuxABI

/// A file that is read or written from one end to the other, through one buffer.
struct ByteFile: ~Copyable {
    static let chunk = 1 << 16

    let path: String
    private let handle: FileHandle
    private let isOwned: Bool

    /// Opens a file to be read.
    init(reading path: String) throws {
        do {
            handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        } catch {
            throw TraceError(
                .io, "cannot read '\(path)': \(ByteFile.reason(error)); check the path and its permissions")
        }
        self.path = path
        isOwned = true
    }

    /// Makes a file, or empties it.
    init(writing path: String) throws {
        do {
            // Unlike createFile, writing nothing at first says why it fails.
            if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
            handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            if (try? handle.offset()) != nil { try? handle.truncate(atOffset: 0) }
        } catch {
            throw TraceError(
                .io, "cannot write '\(path)': \(ByteFile.reason(error)); check the folder and its permissions")
        }
        self.path = path
        isOwned = true
    }

    /// Reads from or writes to a descriptor that stays its owner's.
    init(descriptor: Int32, name: String) {
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
        path = name
        isOwned = false
    }

    deinit { if isOwned { try? handle.close() } }

    /// The next bytes, as soon as there are any; empty at the end.
    func read() throws -> [UInt8] {
        while true {
            do throws(Errno) {
                // Foundation would wait until a pipe has given as much as is asked for.
                return try [UInt8](capacity: ByteFile.chunk) { output throws(Errno) in
                    _ = try Host.read(handle.fileDescriptor, at: nil, into: &output, limit: ByteFile.chunk)
                }
            } catch {
                guard error != .EINTR else { continue }
                throw TraceError(.io, "cannot read '\(path)': \(error)")
            }
        }
    }

    func write(_ bytes: [UInt8]) throws {
        do {
            try handle.write(contentsOf: Data(bytes))
        } catch {
            throw TraceError(.io, "cannot write '\(path)': \(ByteFile.reason(error)); is the disk full?")
        }
    }

    private static func reason(_ error: any Error) -> String {
        let error = error as NSError
        if let inner = error.userInfo[NSUnderlyingErrorKey] as? NSError, inner.domain == NSPOSIXErrorDomain {
            return ErrnoText.sentence(Int32(truncatingIfNeeded: inner.code)) ?? error.localizedDescription
        }
        return error.localizedDescription
    }
}
