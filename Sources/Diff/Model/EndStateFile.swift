internal import Foundation

/// One file that a run left behind. Times, inode numbers and owners are no part of the end state.
package struct EndStateFile: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable {
        case regular, directory, symbolicLink, other
    }

    /// Relative to the working directory.
    package var path: String
    package var kind: Kind
    /// Permission bits.
    package var mode: UInt16
    /// Bytes of a regular file; 0 for anything else.
    package var size: UInt64
    /// A digest of a regular file's bytes, the target of a symbolic link, else empty.
    package var content: String

    package init(path: String, kind: Kind, mode: UInt16, size: UInt64 = 0, content: String = "") {
        self.path = path
        self.kind = kind
        self.mode = mode
        self.size = size
        self.content = content
    }

    /// Everything below a directory, sorted by path. What can't be read has the content `unreadable`.
    package static func all(below directory: String) -> [EndStateFile] {
        let manager = FileManager.default
        guard let names = manager.enumerator(atPath: directory) else { return [] }
        var files: [EndStateFile] = []
        for case let name as String in names {
            let path = directory + "/" + name
            guard let attributes = try? manager.attributesOfItem(atPath: path) else { continue }
            let mode = (attributes[.posixPermissions] as? NSNumber)?.uint16Value ?? 0
            var file = EndStateFile(path: name, kind: .other, mode: mode)
            switch attributes[.type] as? FileAttributeType {
            case .typeRegular?:
                file.kind = .regular
                (file.size, file.content) = digest(of: path)
            case .typeDirectory?: file.kind = .directory
            case .typeSymbolicLink?:
                file.kind = .symbolicLink
                file.content = (try? manager.destinationOfSymbolicLink(atPath: path)) ?? "unreadable"
            default: break
            }
            files.append(file)
        }
        return files.sorted { $0.path < $1.path }
    }

    /// Files longer than this are compared by their size alone: a case may leave one with a hole of terabytes.
    private static let hashed: UInt64 = 64 << 20

    /// Size and FNV-1a of a file's bytes, read in chunks.
    private static func digest(of path: String) -> (size: UInt64, digest: String) {
        let length = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? NSNumber
        if let length, length.uint64Value > hashed { return (length.uint64Value, "not hashed") }
        guard let handle = FileHandle(forReadingAtPath: path) else { return (0, "unreadable") }
        defer { try? handle.close() }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        var size: UInt64 = 0
        while let chunk = try? handle.read(upToCount: 1 << 20), !chunk.isEmpty {
            for byte in chunk { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            size += UInt64(chunk.count)
        }
        return (size, "fnv1a:" + String(hash, radix: 16))
    }
}
