internal import LinuxABI
package import VFS

/// A System V shared memory segment: a file in memory that `shmat(2)` maps. See `shmget(2)`.
package final class SharedSegment: SystemVObject {
    /// `kernel.shmmni`
    package static let most = 4096

    package var permission: IPCPermission
    package let size: UInt
    package let file: OpenFile
    package let creator: Int32
    package var lastProcess: Int32 = 0
    package var attachTime: Int64 = 0
    package var detachTime: Int64 = 0
    package var changeTime: Int64
    /// Removed, but still attached somewhere: it goes with the last mapping.
    package internal(set) var isDoomed = false

    package init(_ permission: IPCPermission, size: UInt, file: OpenFile, creator: Int32, now: Int64) {
        self.permission = permission
        self.size = size
        self.file = file
        self.creator = creator
        changeTime = now
    }
}

extension Kernel {
    /// How many mappings there are of the segment.
    package func attachments(of segment: SharedSegment) -> Int {
        var seen: Set<ObjectIdentifier> = []
        var count = 0
        for thread in threads.values {
            guard let map = thread.map, seen.insert(ObjectIdentifier(map)).inserted else { continue }
            count += map.areas.areas.reduce(0) { $0 + ($1.object?.file === segment.file ? 1 : 0) }
        }
        return count
    }

    /// `IPC_RMID`
    package func remove(_ segment: SharedSegment, _ id: Int32) {
        sharedSegments.hide(id)
        segment.isDoomed = true
        doomedSegments.append((id, segment))
        pruneSegments()
    }

    /// Lets go of removed segments that nobody has mapped any more.
    package func pruneSegments() {
        guard !doomedSegments.isEmpty else { return }
        doomedSegments.removeAll { id, segment in
            guard attachments(of: segment) == 0 else { return false }
            sharedSegments.remove(id)
            segment.file.release()
            return true
        }
    }
}
