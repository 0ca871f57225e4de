internal import Foundation
internal import HostSystem
internal import LinuxABI

/// Keeps two test runs out of one build directory: they would remove each other's working directories. The host frees
/// the lock when its holder ends, whichever way.
package final class BuildLock {
    private let handle: FileHandle

    /// Throws `.busy` if another process holds it.
    package init(_ paths: CorpusPaths) throws(CorpusError) {
        try paths.create(paths.build)
        let descriptor: Int32
        do throws(Errno) {
            descriptor = try Host.createFile(paths.lock)
        } catch {
            throw CorpusError(.build, paths.lock, "cannot be opened: \(error)", remedy: "check its permissions")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        guard flock(handle.fileDescriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw CorpusError(
                .busy, paths.lock, "another 'apus test' runs in this corpus", remedy: "wait for it, or end it")
        }
        self.handle = handle
    }
}
