package import Foundation

extension FileHandle {
    /// `/dev/null`, opened for reading and writing. Foundation's `nullDevice` has no descriptor, so that a program started
    /// with it gets its starter's.
    package static func openedNull() throws(CorpusError) -> FileHandle {
        let path = "/dev/null"
        guard let handle = FileHandle(forUpdatingAtPath: path) else {
            throw CorpusError(.stage, path, "cannot be opened", remedy: "make that device")
        }
        return handle
    }
}
